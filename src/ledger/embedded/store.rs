//! The open directory: keys and values, durable when they are said to be.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::domain::moment::Moment;
use crate::domain::words::Name;
use crate::ledger::LedgerError;

use super::generation;

/// Journal files are kept until their contents are in tables; a small journal opens quickly.
const JOURNAL_BYTES: u64 = 128 * 1024 * 1024;
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// A key, and what it is to be; `None` deletes it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// All keys live in one keyspace: an idle second one would hold journals for ever.
#[derive(Clone)]
pub struct Store {
    database: Database,
    keyspace: Keyspace,
}

/// The cause in the words of the operating system, where there is one.
fn plain(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Why a directory cannot be used.
pub fn cannot_open(root: &Path, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Open { directory: root.display().to_string(), why: why.to_string() }
}

impl Store {
    /// Opens the current generation.
    pub fn open(root: &Path) -> Result<Self, LedgerError> {
        let folder = generation::current(root).map_err(|error| cannot_open(root, &error))?;
        Self::open_in(root, &folder)
    }

    /// Opens the store in one folder of the ledger's directory.
    pub fn open_in(root: &Path, folder: &Path) -> Result<Self, LedgerError> {
        let error = |why: fjall::Error| match why {
            fjall::Error::Locked => LedgerError::Owned { directory: root.display().to_string() },
            why => cannot_open(root, &plain(&why)),
        };
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(error)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = database.keyspace("records", options).map_err(error)?;
        Ok(Self { database, keyspace })
    }

    pub fn get(&self, key: &[u8]) -> Result<Option<fjall::UserValue>, LedgerError> {
        self.keyspace
            .get(key)
            .map_err(|error| LedgerError::Unavailable { operation: "read", why: plain(&error) })
    }

    /// Makes all of the changes, or none; durably if they are to be `synced`.
    pub fn change(&self, changes: impl IntoIterator<Item = Change>, synced: bool) -> Result<(), LedgerError> {
        let mut batch = self.database.batch().durability(synced.then_some(PersistMode::SyncData));
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(&self.keyspace, key, value),
                None => batch.remove(&self.keyspace, key),
            }
        }
        batch.commit().map_err(|error| cannot_write(&error))
    }

    /// Everything written so far is on disk.
    pub fn sync(&self) -> Result<(), LedgerError> {
        self.database.persist(PersistMode::SyncAll).map_err(|error| cannot_write(&error))
    }

    /// The keys after `after` with their values, in order, so many at most.
    pub fn after(&self, after: Option<&[u8]>, most: usize) -> Result<Vec<Change>, LedgerError> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = self.keyspace.range::<&[u8], _>((from, std::ops::Bound::Unbounded));
        range.take(most).map(|entry| self::entry(entry).map(|(key, value)| (key, Some(value)))).collect()
    }

    /// What stands under a prefix, which is cut off the keys.
    pub fn under(&self, prefix: u8) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), LedgerError>> {
        self.keyspace.prefix([prefix]).map(|entry| {
            let (key, value) = self::entry(entry)?;
            Ok((key.get(1..).unwrap_or_default().to_vec(), value))
        })
    }

    /// The names under a prefix, each with its moment: halted campaigns, customers owed something.
    pub fn moments<C: FromIterator<(Name, Moment)>>(&self, prefix: u8) -> Result<C, LedgerError> {
        let unreadable = |why: &dyn std::fmt::Display| LedgerError::Unreadable { why: why.to_string() };
        self.under(prefix)
            .map(|entry| {
                let (key, value) = entry?;
                let name = String::from_utf8(key).map_err(|error| unreadable(&error))?;
                let at_ms = <[u8; 8]>::try_from(value.as_slice()).map_err(|error| unreadable(&error))?;
                Ok((name.into(), Moment::from_millis(i64::from_le_bytes(at_ms))))
            })
            .collect()
    }
}

fn entry(entry: fjall::Guard) -> Result<(Vec<u8>, Vec<u8>), LedgerError> {
    let entry = entry.into_inner();
    let (key, value) =
        entry.map_err(|error| LedgerError::Unavailable { operation: "read", why: plain(&error) })?;
    Ok((key.to_vec(), value.to_vec()))
}

fn cannot_write(error: &fjall::Error) -> LedgerError {
    LedgerError::Unavailable { operation: "write", why: plain(error) }
}
