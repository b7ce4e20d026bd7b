//! Lines of bounded length out of chunks of any length.

use actix_web::web::{Buf, Bytes};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(Bytes),
    /// Longer than lines may be; it was read past, and not held.
    TooLong,
}

/// Cuts what arrives into lines.
#[derive(Debug)]
pub struct Lines {
    longest: usize,
    chunk: Bytes,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
    /// That line is too long already.
    is_too_long: bool,
    /// Lines cut so far.
    count: u64,
    is_over: bool,
}

impl Lines {
    pub fn new(longest: usize) -> Self {
        Self { longest, chunk: Bytes::new(), begun: Vec::new(), is_too_long: false, count: 0, is_over: false }
    }

    /// More has arrived; what came before must have been cut.
    pub fn feed(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    /// Nothing more will arrive: what has begun is a line.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// What has begun is no line and never will be, and nothing comes after it; returns its number.
    pub fn give_up(&mut self) -> u64 {
        self.end();
        self.chunk.clear();
        self.begun.clear();
        self.is_too_long = false;
        self.count += 1;
        self.count
    }

    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next line that is not empty, and its number.
    pub fn cut(&mut self) -> Option<(u64, Line)> {
        loop {
            let line = self.cut_any()?;
            self.count += 1;
            match &line {
                Line::Whole(bytes) if bytes.trim_ascii().is_empty() => {}
                Line::Whole(_) | Line::TooLong => return Some((self.count, line)),
            }
        }
    }

    fn cut_any(&mut self) -> Option<Line> {
        let Some(end) = self.chunk.iter().position(|byte| *byte == b'\n') else {
            let rest = std::mem::take(&mut self.chunk);
            self.begin(&rest);
            let anything = self.is_too_long || !self.begun.is_empty();
            return (self.is_over && anything).then(|| self.take_begun());
        };
        let line = self.chunk.split_to(end);
        self.chunk.advance(1);
        if self.is_too_long || !self.begun.is_empty() {
            self.begin(&line);
            return Some(self.take_begun());
        }
        Some(if line.len() > self.longest { Line::TooLong } else { Line::Whole(line) })
    }

    fn begin(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.begun.len() + bytes.len() > self.longest;
        if self.is_too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    fn take_begun(&mut self) -> Line {
        let begun = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.is_too_long) { Line::TooLong } else { Line::Whole(begun.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_any_length_make_the_same_lines() {
        let text = b"one\n\n  \r\ntwo\r\nfar too long\nthree\nlast".as_slice();
        let whole = |text: &'static str| Line::Whole(Bytes::from_static(text.as_bytes()));
        let expected = [
            (1, whole("one")),
            (4, whole("two\r")),
            (5, Line::TooLong),
            (6, whole("three")),
            (7, whole("last")),
        ];
        for size in 1..=text.len() {
            let mut lines = Lines::new(5);
            let mut cut = Vec::new();
            for chunk in text.chunks(size) {
                lines.feed(Bytes::copy_from_slice(chunk));
                cut.extend(std::iter::from_fn(|| lines.cut()));
                assert!(lines.begun.len() <= 5, "no more is held");
            }
            lines.end();
            cut.extend(std::iter::from_fn(|| lines.cut()));
            assert_eq!(cut, expected, "chunks of {size}");
        }
    }
}
