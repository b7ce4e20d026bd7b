//! Contacts allowed while the ledger was away, on disk until the ledger has been told.
//!
//! A file belongs to whoever holds its lock. Each process appends to a file of its own; the files of a
//! process that died are free, and whoever finds them first tells their contacts to the ledger. Telling
//! one twice is harmless: a contact is known by its id.

mod file;
mod keeper;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

use crate::domain::contact::Contact;
use crate::domain::words::Name;

pub use file::FileId;
use keeper::{Job, Keeper};

/// The most contacts remembered in memory as on their way; what is beyond is on disk alone, and then
/// counts only once the ledger has it.
const MOST_REMEMBERED: usize = 1_000_000;

/// A contact that was allowed blind.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub customer: Name,
    pub contact: Contact,
}

/// What a file held when it was closed.
#[derive(Debug)]
pub struct Batch {
    pub file: FileId,
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot {operation} the journal in `{directory}`: {why}")]
    Io { operation: &'static str, directory: String, why: String },
    #[error("the journal has stopped")]
    Stopped,
}

/// The journal of one process.
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    remembered: Mutex<HashMap<Name, Vec<Contact>>>,
    depth: AtomicUsize,
}

impl Journal {
    /// Starts the journal. The directory is made when it is first needed.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn open(directory: PathBuf) -> Result<Self, JournalError> {
        let (jobs, queue) = mpsc::channel();
        let name = directory.display().to_string();
        let keeper = Keeper::new(directory);
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || keeper.work(&queue)).map_err(
            |error| JournalError::Io { operation: "start", directory: name, why: error.to_string() },
        )?;
        Ok(Self { jobs, remembered: Mutex::default(), depth: AtomicUsize::new(0) })
    }

    /// Keeps a contact, and returns once it is on disk. A contact that is on its way already is not kept
    /// again.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep(&self, entry: Entry) -> Result<(), JournalError> {
        let (done, written) = oneshot::channel();
        self.send(Job::Append { bytes: file::frame(&entry), done })?;
        written.await.map_err(|_| JournalError::Stopped)??;
        self.remember(entry);
        Ok(())
    }

    fn remember(&self, entry: Entry) {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        if depth < MOST_REMEMBERED {
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.entry(entry.customer).or_default().push(entry.contact);
        }
    }

    /// The customer's contacts that the ledger has not been told of, as far as this process knows.
    #[must_use]
    pub fn on_their_way(&self, customer: &str) -> Vec<Contact> {
        if self.depth() == 0 {
            return Vec::new();
        }
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(customer).cloned().unwrap_or_default()
    }

    /// How many contacts of this process wait for the ledger.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Closes the file in use and returns what the oldest closed one holds, this process's or one left
    /// by a process that is gone; `None` when nothing waits. It is returned again until it is dropped.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn oldest(&self) -> Result<Option<Batch>, JournalError> {
        let (done, oldest) = oneshot::channel();
        self.send(Job::Oldest { done })?;
        oldest.await.map_err(|_| JournalError::Stopped)?
    }

    /// The ledger has been told of the contact.
    pub fn told(&self, entry: &Entry) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(contacts) = remembered.get_mut(&*entry.customer) else { return };
        contacts.retain(|contact| contact.id != entry.contact.id);
        if contacts.is_empty() {
            remembered.remove(&*entry.customer);
        }
    }

    /// The ledger has been told of everything in the file; it is deleted.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn drop_file(&self, batch: &Batch) -> Result<(), JournalError> {
        let (done, dropped) = oneshot::channel();
        self.send(Job::Drop { file: batch.file.clone(), done })?;
        let own = dropped.await.map_err(|_| JournalError::Stopped)??;
        if own {
            self.depth.fetch_sub(batch.entries.len().min(self.depth()), Ordering::Relaxed);
        }
        Ok(())
    }

    fn send(&self, job: Job) -> Result<(), JournalError> {
        self.jobs.send(job).map_err(|_| JournalError::Stopped)
    }
}
