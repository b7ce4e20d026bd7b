//! What is wrong with a policy, each with its place in the file.

use std::fmt;
use std::ops::Range;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub message: String,
}

/// Every mistake of one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// What the file is called in messages.
    pub file: String,
    pub list: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{}:{}:{}: {}", self.file, mistake.line, mistake.column, mistake.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Collects mistakes while a file is read.
#[derive(Debug)]
pub struct Collector<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
}

impl<'t> Collector<'t> {
    #[must_use]
    pub const fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    pub fn add(&mut self, place: &Range<usize>, message: impl Into<String>) {
        self.found.push((place.start, message.into()));
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All that was found, in the order of the file, nothing twice.
    #[must_use]
    pub fn into_mistakes(mut self, file: &str) -> Mistakes {
        self.found.sort();
        self.found.dedup();
        let list = self
            .found
            .into_iter()
            .map(|(offset, message)| {
                let before = self.text.get(..offset).unwrap_or(self.text);
                let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
                let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
                Mistake { line: before.matches('\n').count() + 1, column, message }
            })
            .collect();
        Mistakes { file: file.to_owned(), list }
    }
}
