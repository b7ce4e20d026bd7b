//! Writing all that lives into a new generation, a little at a time: what was deleted stays in the files of the
//! old one until they are removed, and erased is to mean erased.
//!
//! Keys are copied in their order. A change to a key that has been copied is made in both generations; one to a
//! key that has not is found when its turn comes.

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::ledger::LedgerError;

use super::generation;
use super::store::{Change, Store};

/// So many keys at a time: some milliseconds, for which writes wait.
const SLICE: usize = 1_000;

/// Somebody waits for it to be done.
pub type Done = oneshot::Sender<Result<(), LedgerError>>;

pub struct Rewrite {
    next: Store,
    folder: PathBuf,
    /// The last key copied.
    copied: Option<Vec<u8>>,
    pub waiting: Vec<Done>,
}

fn failed(error: &std::io::Error) -> LedgerError {
    LedgerError::Unavailable { operation: "write itself anew", why: error.to_string() }
}

impl Rewrite {
    pub fn begin(root: &Path, waiting: Vec<Done>) -> Result<Self, (LedgerError, Vec<Done>)> {
        let opened = generation::next(root)
            .map_err(|error| failed(&error))
            .and_then(|folder| Ok((Store::open_in(root, &folder)?, folder)));
        match opened {
            Ok((next, folder)) => Ok(Self { next, folder, copied: None, waiting }),
            Err(error) => Err((error, waiting)),
        }
    }

    /// Copies the next keys; `true` once there are none.
    pub fn step(&mut self, from: &Store) -> Result<bool, LedgerError> {
        let slice = from.after(self.copied.as_deref(), SLICE)?;
        let Some((last, _)) = slice.last() else { return Ok(true) };
        self.copied = Some(last.clone());
        self.next.change(slice, false)?;
        Ok(false)
    }

    /// Makes changes that were made in the old generation here, too, where it is their time.
    pub fn follow(&self, changes: &[Change]) -> Result<(), LedgerError> {
        let copied = changes.iter().filter(|(key, _)| self.copied.as_ref().is_some_and(|last| key <= last));
        self.next.change(copied.cloned(), false)
    }

    /// The new generation is the store. The old one is closed by its last reader, and its files are removed.
    pub fn finish(self, root: &Path) -> (Result<Store, LedgerError>, Vec<Done>) {
        let Self { next, folder, waiting, .. } = self;
        let made = next
            .sync()
            .and_then(|()| generation::make_current(root, &folder).map_err(|error| failed(&error)));
        (made.map(|()| next), waiting)
    }
}
