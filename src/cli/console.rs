//! The one home of printing.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};

use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard output. A reader that has gone away is no error of ours.
pub fn say(line: impl Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// A line on standard error.
pub fn complain(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}

/// A count of lines on a terminal, nothing in a pipe.
#[must_use]
pub fn line_counter() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} lines, {per_sec}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}
