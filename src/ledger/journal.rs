//! Contacts allowed while the ledger was away, on disk until the ledger has been told.
//!
//! A file belongs to whoever holds its lock. Each process appends to a file of its own; the files of a
//! process that died are free, and whoever finds them first tells their contacts to the ledger. Telling
//! one twice is harmless: a contact is known by its id.

mod file;
mod keeper;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

use crate::domain::contact::Contact;
use crate::domain::moment::Moment;
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
    /// When it was asked: what was told of the contact before that is no news.
    pub asked_at: Moment,
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
    remembered: Mutex<HashMap<Name, Vec<Entry>>>,
    /// How many are remembered.
    depth: AtomicUsize,
    /// Since when there were always some; meaningless while there are none.
    waiting_since: AtomicI64,
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
        Ok(Self {
            jobs,
            remembered: Mutex::default(),
            depth: AtomicUsize::new(0),
            waiting_since: AtomicI64::new(0),
        })
    }

    /// Keeps a contact, and returns once it is on disk. A contact that is on its way already is not kept
    /// again.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep(&self, entry: Entry) -> Result<(), JournalError> {
        let (done, written) = oneshot::channel();
        let bytes = file::frame(&entry);
        // Remembered first: it may be told to the ledger before this task hears that it is written.
        self.remember(&entry);
        let kept = match self.send(Job::Append { bytes, done }) {
            Ok(()) => written.await.unwrap_or(Err(JournalError::Stopped)),
            Err(error) => Err(error),
        };
        if kept.is_err() {
            self.told(&entry);
        }
        kept
    }

    fn remember(&self, entry: &Entry) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if self.depth() < MOST_REMEMBERED {
            remembered.entry(entry.customer.clone()).or_default().push(entry.clone());
            if self.depth.fetch_add(1, Ordering::Relaxed) == 0 {
                self.waiting_since.store(entry.asked_at.millis(), Ordering::Relaxed);
            }
        }
    }

    /// The customer's contacts that the ledger has not been told of, as far as this process knows.
    #[must_use]
    pub fn on_their_way(&self, customer: &str) -> Vec<Entry> {
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

    /// Since when contacts of this process wait for the ledger, without a moment at which none did.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Moment> {
        (self.depth() > 0).then(|| Moment::from_millis(self.waiting_since.load(Ordering::Relaxed)))
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
        let Some(entries) = remembered.get_mut(&*entry.customer) else { return };
        let before = entries.len();
        entries.retain(|known| known.contact.id != entry.contact.id);
        self.depth.fetch_sub(before - entries.len(), Ordering::Relaxed);
        if entries.is_empty() {
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
        dropped.await.map_err(|_| JournalError::Stopped)?
    }

    fn send(&self, job: Job) -> Result<(), JournalError> {
        self.jobs.send(job).map_err(|_| JournalError::Stopped)
    }
}
