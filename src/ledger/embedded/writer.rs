//! The one thread that writes: everything that has queued becomes one batch and one sync.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{LedgerError, PersistMode, Revision, Shared, Store, plain};

/// The most writes in one batch: beyond this a batch gains nothing and only makes the first wait.
const LARGEST_BATCH: usize = 1_024;
/// How often a directory that failed is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// One key to be written, and whom to tell.
pub struct Write {
    pub key: Vec<u8>,
    /// `None` deletes.
    pub value: Option<Vec<u8>>,
    /// Whose record it is and the revision it gets; `None` for what is no record.
    pub customer: Option<(Box<str>, Revision)>,
    pub done: oneshot::Sender<Result<(), LedgerError>>,
}

pub struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Write>,
}

impl Writer {
    pub const fn new(shared: Arc<Shared>, queue: Receiver<Write>) -> Self {
        Self { shared, queue }
    }

    /// Writes until the ledger is dropped.
    pub fn run(self) {
        let mut batch: Vec<Write> = Vec::with_capacity(LARGEST_BATCH);
        loop {
            match self.queue.recv_timeout(REOPEN_EVERY) {
                Ok(write) => batch.push(write),
                Err(RecvTimeoutError::Timeout) => {
                    self.reopen_if_broken();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            batch.extend(self.queue.try_iter().take(LARGEST_BATCH - 1));
            let outcome = self.shared.store().and_then(|store| write(&store, &mut batch));
            if let Err(error) = &outcome {
                self.give_up(error);
            }
            for write in batch.drain(..) {
                self.settle(write, &outcome);
            }
        }
    }

    fn settle(&self, write: Write, outcome: &Result<(), LedgerError>) {
        if let Some((customer, revision)) = write.customer {
            let mut shard = self.shared.shard(&customer);
            match outcome {
                Ok(()) => shard.settle(customer, revision),
                Err(_) => shard.lose(&customer),
            }
        }
        // Whoever asked may have gone away meanwhile.
        let _ = write.done.send(outcome.clone());
    }

    /// After a failed write nothing the store says can be relied on.
    fn give_up(&self, error: &LedgerError) {
        let mut store = self.shared.store.write().unwrap_or_else(PoisonError::into_inner);
        if store.is_ok() {
            tracing::error!(%error, "the ledger is unavailable; trying to open it again every second");
        }
        *store = Err(error.clone());
    }

    fn reopen_if_broken(&self) {
        if self.shared.store().is_ok() {
            return;
        }
        match Store::open(&self.shared.directory) {
            Ok(reopened) => {
                tracing::info!("the ledger is available again");
                *self.shared.store.write().unwrap_or_else(PoisonError::into_inner) = Ok(reopened);
            }
            Err(error) => tracing::debug!(%error, "the ledger is still unavailable"),
        }
    }
}

fn write(store: &Store, batch: &mut [Write]) -> Result<(), LedgerError> {
    let mut writes = store.database.batch().durability(Some(PersistMode::SyncData));
    for write in batch {
        let key = std::mem::take(&mut write.key);
        match write.value.take() {
            Some(value) => writes.insert(&store.keyspace, key, value),
            None => writes.remove(&store.keyspace, key),
        }
    }
    writes.commit().map_err(|error| LedgerError::Unavailable { operation: "write", why: plain(&error) })
}
