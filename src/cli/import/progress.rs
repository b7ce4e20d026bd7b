//! How far an import has come.

use serde::{Deserialize, Serialize};

use crate::cli::bookmark::Resumable;
use crate::cli::rows::Place;

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    pub kind: String,
    /// A digest of the file's length and beginning.
    pub file: String,
    /// A digest of what else the command line said.
    pub options: String,
    pub offset_bytes: u64,
    pub lines: u64,
    pub rows_stored: u64,
    pub rows_rejected: u64,
    /// How long the rejects file was.
    pub rejects_bytes: u64,
    /// When the import began.
    pub begun: String,
}

impl Resumable for Progress {
    fn is_beginning(&self) -> bool {
        self.offset_bytes == 0
    }

    fn unlike(&self, now: &Self) -> Option<String> {
        if self.kind != now.kind {
            Some(format!("it was an import of {}", self.kind))
        } else if self.file != now.file {
            Some("the file has changed since".to_owned())
        } else {
            (self.options != now.options)
                .then(|| "it was begun with other options, or for another ledger".to_owned())
        }
    }
}

impl Progress {
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { offset_bytes: self.offset_bytes, lines: self.lines }
    }
}
