//! Lines of bounded length, from anywhere.

use std::io::{self, BufRead};

/// The longest line of any line-wise input, in bytes.
pub const LONGEST_LINE_BYTES: usize = 1024 * 1024;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(Vec<u8>),
    /// Longer than [`LONGEST_LINE_BYTES`]; it was read past.
    TooLong,
}

/// Reads the next line, without its end; `None` at the end of the input.
///
/// # Errors
/// When the input cannot be read.
pub fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    let mut anything = false;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        anything = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let (taken, used) = match end {
            Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1),
            None => (chunk, chunk.len()),
        };
        too_long |= line.len() + taken.len() > LONGEST_LINE_BYTES;
        if !too_long {
            line.extend_from_slice(taken);
        }
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    let line = if too_long { Line::TooLong } else { Line::Whole(line) };
    Ok(anything.then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_read_past() {
        let long = "x".repeat(LONGEST_LINE_BYTES + 1);
        let text = format!("one\n{long}\n\nlast");
        let mut input = io::BufReader::with_capacity(7, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).expect("text") {
            lines.push(line);
        }
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines, [whole("one"), Line::TooLong, whole(""), whole("last")]);
    }
}
