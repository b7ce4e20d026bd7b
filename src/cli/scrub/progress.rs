//! How far a scrub has come.

use serde::{Deserialize, Serialize};

use crate::cli::bookmark::Resumable;
use crate::cli::rows::Place;

use super::sums::Sums;

/// How far a scrub has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// A digest of the list's length and beginning.
    pub list: String,
    /// A digest of what else the command line said, the policy and the history.
    pub options: String,
    pub offset_bytes: u64,
    pub lines: u64,
    pub out_bytes: u64,
    pub left_out_bytes: u64,
    pub rejects_bytes: u64,
    /// When the scrub began, which is the moment its rows are judged at.
    pub begun: String,
    pub sums: Sums,
}

impl Progress {
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { offset_bytes: self.offset_bytes, lines: self.lines }
    }
}

impl Resumable for Progress {
    fn is_beginning(&self) -> bool {
        self.offset_bytes == 0
    }

    fn unlike(&self, now: &Self) -> Option<String> {
        if self.list == now.list {
            (self.options != now.options)
                .then(|| "it was begun with other options, another policy or another history".to_owned())
        } else {
            Some("the list has changed since".to_owned())
        }
    }
}
