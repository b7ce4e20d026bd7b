//! The one thread that writes: everything that has queued becomes one batch and one sync.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::sync::oneshot;

use crate::domain::words::Name;
use crate::ledger::due::Note;

use super::rewrite::{Done, Rewrite};
use super::store::{Change, Store};
use super::{LedgerError, Revision, Shared, generation, lock};

/// The most writes in one batch: beyond this a batch gains nothing and only makes the first wait.
const LARGEST_BATCH: usize = 1_024;
/// How often a directory that failed is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

/// What is to be written together, and whom to tell.
pub struct Write {
    pub changes: Changes,
    /// Whose record is among it, and the revision it gets.
    pub record: Option<(Name, Revision)>,
    /// Who is owed something first when, if that changes with it.
    pub due: Option<Note>,
    pub done: oneshot::Sender<Result<(), LedgerError>>,
}

/// Mostly one.
pub type Changes = SmallVec<[Change; 1]>;

/// What the writer is asked for.
pub enum Order {
    Write(Write),
    /// Leave nothing on disk of what was deleted before this.
    Purge(Done),
}

pub struct Writer {
    shared: Arc<Shared>,
    queue: Receiver<Order>,
    rewrite: Option<Rewrite>,
    /// Purges asked for since the rewriting under way began: it may have copied what they are about.
    purges: Vec<Done>,
}

impl Writer {
    pub const fn new(shared: Arc<Shared>, queue: Receiver<Order>) -> Self {
        Self { shared, queue, rewrite: None, purges: Vec::new() }
    }

    /// Writes until the ledger is dropped.
    pub fn run(mut self) {
        let mut batch: Vec<Write> = Vec::with_capacity(LARGEST_BATCH);
        loop {
            let is_rewriting = self.rewrite.is_some() || !self.purges.is_empty();
            let patience = if is_rewriting { Duration::ZERO } else { REOPEN_EVERY };
            match self.queue.recv_timeout(patience) {
                Ok(order) => self.take(order, &mut batch),
                Err(RecvTimeoutError::Timeout) if is_rewriting => {}
                Err(RecvTimeoutError::Timeout) => {
                    self.reopen_if_broken();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while batch.len() < LARGEST_BATCH
                && let Ok(order) = self.queue.try_recv()
            {
                self.take(order, &mut batch);
            }
            self.write(&mut batch);
            self.rewrite_a_little();
        }
    }

    fn take(&mut self, order: Order, batch: &mut Vec<Write>) {
        match order {
            Order::Write(write) => batch.push(write),
            Order::Purge(done) => self.purges.push(done),
        }
    }

    fn write(&mut self, batch: &mut Vec<Write>) {
        if batch.is_empty() {
            return;
        }
        let changes: Vec<Change> =
            batch.iter_mut().flat_map(|write| std::mem::take(&mut write.changes)).collect();
        let followed = self.rewrite.is_some().then(|| changes.clone());
        let outcome = self.shared.store().and_then(|store| store.change(changes, true));
        if let Err(error) = &outcome {
            self.give_up(error);
        }
        for write in batch.drain(..) {
            self.settle(write, &outcome);
        }
        if let (Some(rewrite), Some(changes)) = (&self.rewrite, followed)
            && let Err(error) = outcome.and_then(|()| rewrite.follow(&changes))
        {
            self.abandon(&error);
        }
    }

    fn settle(&self, write: Write, outcome: &Result<(), LedgerError>) {
        if let Some((customer, revision)) = write.record {
            let mut shard = self.shared.shard(&customer);
            match outcome {
                Ok(()) => shard.settle(customer, revision),
                Err(_) => shard.lose(&customer),
            }
        }
        if let (Ok(()), Some((customer, due_at))) = (outcome, write.due) {
            lock(&self.shared.due).set(&customer, due_at);
        }
        // Whoever asked may have gone away meanwhile.
        let _ = write.done.send(outcome.clone());
    }

    /// Goes on with the new generation, or begins one.
    fn rewrite_a_little(&mut self) {
        if self.rewrite.is_none() && !self.purges.is_empty() {
            match Rewrite::begin(&self.shared.directory, std::mem::take(&mut self.purges)) {
                Ok(rewrite) => self.rewrite = Some(rewrite),
                Err((error, waiting)) => return tell(waiting, &Err(error)),
            }
        }
        let Some(rewrite) = &mut self.rewrite else { return };
        match self.shared.store().and_then(|store| rewrite.step(&store)) {
            Ok(false) => {}
            Ok(true) => self.change_over(),
            Err(error) => self.abandon(&error),
        }
    }

    /// The new generation takes the place of the old one.
    fn change_over(&mut self) {
        let Some(rewrite) = self.rewrite.take() else { return };
        let (next, waiting) = rewrite.finish(&self.shared.directory);
        let outcome = next.and_then(|next| {
            drop(self.put(Ok(next)));
            generation::remove_others(&self.shared.directory).map_err(|error| LedgerError::Unavailable {
                operation: "remove what was erased",
                why: error.to_string(),
            })
        });
        tell(waiting, &outcome);
    }

    /// Nothing is erased from the disk yet; whoever wants it so must ask again.
    fn abandon(&mut self, error: &LedgerError) {
        if let Some(rewrite) = self.rewrite.take() {
            tell(rewrite.waiting, &Err(error.clone()));
        }
    }

    fn put(&self, store: Result<Store, LedgerError>) -> Result<Store, LedgerError> {
        std::mem::replace(&mut *self.shared.store.write().unwrap_or_else(PoisonError::into_inner), store)
    }

    /// After a failed write nothing the store says can be relied on.
    fn give_up(&self, error: &LedgerError) {
        if self.put(Err(error.clone())).is_ok() {
            tracing::error!(%error, "the ledger is unavailable; trying to open it again every second");
        }
    }

    fn reopen_if_broken(&self) {
        if self.shared.store().is_ok() {
            return;
        }
        match Store::open(&self.shared.directory) {
            Ok(reopened) => {
                tracing::info!("the ledger is available again");
                drop(self.put(Ok(reopened)));
            }
            Err(error) => tracing::debug!(%error, "the ledger is still unavailable"),
        }
    }
}

fn tell(waiting: Vec<Done>, outcome: &Result<(), LedgerError>) {
    for done in waiting {
        // Whoever asked may have gone away meanwhile.
        let _ = done.send(outcome.clone());
    }
}
