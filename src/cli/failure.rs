//! Why a command over a file did not take place, or stopped.

use std::io;
use std::path::Path;

use super::Exit;

pub struct Failure {
    pub exit: Exit,
    pub why: String,
}

#[must_use]
pub fn misused(why: impl Into<String>) -> Failure {
    Failure { exit: Exit::Misused, why: why.into() }
}

#[must_use]
pub fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure { exit: Exit::Refused, why: format!("cannot {doing} `{}`: {error}", path.display()) }
}

/// The error of the file beneath a CSV writer, which would else be hidden: a pipe that nobody reads any more is to be
/// known as one.
#[must_use]
pub fn unwrapped(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
