//! The one home of printing.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

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

/// How far a file has been read, how many rows a second that is and how long it will take yet, on a
/// terminal; nothing in a pipe. The rows are counted by whoever reads them.
#[must_use]
pub fn file_bar(length_bytes: u64, rows: Arc<AtomicU64>) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let rows = rows.load(Ordering::Relaxed) as f64 / state.elapsed().as_secs_f64().max(0.001);
        let _ = write!(out, "{}", HumanCount(rows as u64));
    };
    let style = ProgressStyle::with_template(
        "{wide_bar} {bytes} of {total_bytes}, {rows_per_sec} rows/s, {eta} left",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length_bytes).with_style(style.with_key("rows_per_sec", rate))
}
