//! Records in one directory of this machine: fjall, with group commit.
//!
//! A commit checks the revision and queues the record under a lock of its customer's shard; one writer
//! thread takes all that has queued while the last sync ran, writes it as one batch, syncs, and only
//! then answers. Until a record is on disk, loads see it in the shard, so order is kept and nobody
//! decides on an old state; an `allow` that rests on it waits for it. Records read or written lately stay
//! in the shard for a while, which spares reading them again.
//!
//! When a write fails, what was queued is forgotten, everybody waiting is told, and the directory is
//! opened anew, once a second, until it can be written again.

mod erased;
mod generation;
mod rewrite;
mod shard;
mod store;
mod writer;

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};

use futures_util::future::{BoxFuture, FutureExt, ready};
use smallvec::smallvec;
use tokio::sync::oneshot;

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::refusal::{self, Refusal};
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::sealed::Sealer;

use super::due::{DueIndex, Note};
use super::{Commit, Committed, Due, Ledger, LedgerError, Loaded, Revision, record_format, refusal_format};
use erased::Erased;
use shard::{Latest, Shard};
use store::{Change, Store, cannot_open};
use writer::{Changes, Order, Write, Writer};

/// Enough that two of many concurrent customers rarely share one.
const SHARDS: usize = 64;
const CUSTOMER_PREFIX: u8 = b'c';
const HALT_PREFIX: u8 = b'h';
const DUE_PREFIX: u8 = b'd';

/// What the ledger and its writer thread share.
struct Shared {
    directory: PathBuf,
    /// `None` while the directory cannot be used.
    store: RwLock<Result<Store, LedgerError>>,
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// What is on disk of it.
    due: Mutex<DueIndex>,
    /// The directory is this process's for as long as this is open.
    _owner: File,
}

pub struct EmbeddedLedger {
    shared: Arc<Shared>,
    next_revision: AtomicU64,
    halts: RwLock<Arc<Halts>>,
    erased: Erased,
    /// Taken and dropped first, so that the writer thread ends.
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(prefix: u8, rest: &[u8]) -> Vec<u8> {
    std::iter::once(prefix).chain(rest.iter().copied()).collect()
}

/// The note of when a customer is owed something first.
fn due_change((customer, due_at): &Note) -> Change {
    (key(DUE_PREFIX, customer.as_bytes()), due_at.map(|at| at.millis().to_le_bytes().to_vec()))
}

fn customer_key(customer: &str) -> Vec<u8> {
    key(CUSTOMER_PREFIX, customer.as_bytes())
}

impl Shared {
    fn store(&self) -> Result<Store, LedgerError> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
    fn shard(&self, customer: &str) -> MutexGuard<'_, Shard> {
        lock(&self.shards[self.hasher.hash_one(customer) as usize % SHARDS])
    }
}

impl EmbeddedLedger {
    /// Opens the directory, making it if need be. `epoch` seeds the revisions and must grow from one
    /// opening to the next: the moment of opening. `secrets` key the names of those who were erased, the present
    /// one first; where there is none, the ledger makes and keeps one.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process uses it.
    pub fn open(directory: &Path, epoch: Moment, secrets: &[Name]) -> Result<Self, LedgerError> {
        let error = |error: std::io::Error| cannot_open(directory, &error);
        let owner = generation::own(directory)
            .map_err(error)?
            .ok_or_else(|| LedgerError::Owned { directory: directory.display().to_string() })?;
        let store = Store::open(directory)?;
        generation::remove_others(directory).map_err(error)?;
        let halts: Halts = store.moments(HALT_PREFIX)?;
        let due: DueIndex = store.moments(DUE_PREFIX)?;
        let erased = Erased::open(&store, secrets)?;
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            store: RwLock::new(Ok(store)),
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            due: Mutex::new(due),
            _owner: owner,
        });
        let (orders, queue) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), queue);
        let writer = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(error)?;
        Ok(Self {
            shared,
            // A million commits a millisecond would be needed to overtake the next opening.
            next_revision: AtomicU64::new((epoch.millis().max(1) as u64) << 20),
            halts: RwLock::new(Arc::new(halts)),
            erased,
            orders: Some(orders),
            writer: Some(writer),
        })
    }

    fn read(&self, customer: &str) -> Result<Loaded, LedgerError> {
        let mut loaded = self.read_record(customer)?;
        // After the record: it is there before the record goes.
        loaded.tombstone = self.erased.tombstone(customer);
        Ok(loaded)
    }

    fn read_record(&self, customer: &str) -> Result<Loaded, LedgerError> {
        let epoch = {
            let shard = self.shared.shard(customer);
            if let Some(latest) = shard.get(customer) {
                let Latest { record, revision } = latest.clone();
                return Ok(Loaded { record, revision, tombstone: None });
            }
            shard.epoch()
        };
        let loaded = match self.shared.store()?.get(&customer_key(customer))? {
            None => Loaded::absent(),
            Some(value) => {
                let (revision, bytes) = split_revision(&value)?;
                Loaded { record: Arc::new(record_format::decode(bytes)?), revision, tombstone: None }
            }
        };
        self.shared.shard(customer).remember(customer, &loaded, epoch);
        Ok(loaded)
    }

    /// The customer's shard, locked, if their revision holds.
    fn lock_at(
        &self,
        customer: &str,
        revision: Revision,
    ) -> Result<Option<MutexGuard<'_, Shard>>, LedgerError> {
        let store = self.shared.store()?;
        let shard = self.shared.shard(customer);
        let current = match shard.get(customer) {
            Some(latest) => latest.revision,
            None => match store.get(&customer_key(customer))? {
                None => Revision::ABSENT,
                Some(value) => split_revision(&value)?.0,
            },
        };
        Ok((current == revision).then_some(shard))
    }

    /// Queues the record if the revision holds; what is returned tells when it is on disk.
    fn queue(&self, commit: Commit) -> Result<Option<Durable>, LedgerError> {
        let Commit { customer, revision, record, due, keep: _ } = commit;
        let next = Revision(self.next_revision.fetch_add(1, Ordering::Relaxed));
        let value = record_format::append(next.0.to_le_bytes().to_vec(), &record);
        let Some(mut shard) = self.lock_at(&customer, revision)? else { return Ok(None) };
        let mut changes: Changes = smallvec![(customer_key(&customer), Some(value))];
        let due = due.of(&customer);
        changes.extend(due.as_ref().map(due_change));
        // Queued under the lock: two commits of one customer reach the writer in their order.
        let durable = self.write(changes, Some((customer.clone(), next)), due)?;
        shard.queue(customer, Latest { revision: next, record });
        Ok(Some(durable))
    }

    /// Queues that everything about a customer goes but the tombstone, if the revision holds.
    fn queue_erasure(
        &self,
        customer: &Name,
        revision: Revision,
        tombstone: &Arc<Tombstone>,
    ) -> Result<Option<Durable>, LedgerError> {
        let Some(mut shard) = self.lock_at(customer, revision)? else { return Ok(None) };
        let mut changes = self.erased.bury(customer, tombstone);
        let (gone, due) = ((customer.clone(), Revision::ABSENT), (customer.clone(), None));
        changes.extend([(customer_key(customer), None), due_change(&due)]);
        let durable = self.write(changes.into(), Some(gone), Some(due))?;
        shard.queue(customer.clone(), Latest { revision: Revision::ABSENT, record: Arc::default() });
        Ok(Some(durable))
    }

    fn stored_refusals(&self, customer: &str) -> Result<Vec<Refusal>, LedgerError> {
        let store = self.shared.store()?;
        let mut refusals = Vec::new();
        for key in self.erased.refusals_keys(customer) {
            if let Some(bytes) = store.get(&key)? {
                refusal_format::decode(&bytes)?.into_iter().for_each(|one| refusal::add(&mut refusals, one));
            }
        }
        Ok(refusals)
    }

    fn queue_refusals(&self, customer: &str, new: Vec<Refusal>) -> Result<Durable, LedgerError> {
        let mut refusals = self.stored_refusals(customer)?;
        // An erasure comes before, and is seen, or after, and deletes this.
        let _shard = self.shared.shard(customer);
        refusal::add_all(&mut refusals, new, self.erased.tombstone(customer).as_deref());
        let value = (!refusals.is_empty()).then(|| refusal_format::append(Vec::new(), &refusals));
        let key = self.erased.refusals_keys(customer).into_iter().next().unwrap_or_default();
        self.write(smallvec![(key, value)], None, None)
    }

    fn write(
        &self,
        changes: Changes,
        record: Option<(Name, Revision)>,
        due: Option<Note>,
    ) -> Result<Durable, LedgerError> {
        let (done, durable) = oneshot::channel();
        self.order(Order::Write(Write { changes, record, due, done }))?;
        Ok(durable)
    }

    fn order(&self, order: Order) -> Result<(), LedgerError> {
        let gone =
            || LedgerError::Unavailable { operation: "write", why: "the ledger is closing".to_owned() };
        // While the directory cannot be used nothing is queued: the writer tries it again when idle.
        self.shared.store()?;
        self.orders.as_ref().ok_or_else(gone)?.send(order).map_err(|_| gone())
    }
}

/// Tells when a write is on disk.
type Durable = oneshot::Receiver<Result<(), LedgerError>>;

fn split_revision(value: &[u8]) -> Result<(Revision, &[u8]), LedgerError> {
    let (revision, bytes) = value
        .split_first_chunk::<8>()
        .ok_or_else(|| LedgerError::Unreadable { why: "too short for a revision".to_owned() })?;
    Ok((Revision(u64::from_le_bytes(*revision)), bytes))
}

async fn settled(durable: Durable) -> Result<(), LedgerError> {
    let stopped = LedgerError::Unavailable { operation: "write", why: "the writer has stopped".to_owned() };
    durable.await.unwrap_or(Err(stopped))
}

/// What became of a commit that was queued, or was not.
async fn committed(queued: Result<Option<Durable>, LedgerError>) -> Result<Committed, LedgerError> {
    match queued? {
        None => Ok(Committed::Conflict),
        Some(durable) => settled(durable).await.map(|()| Committed::Stored),
    }
}

impl Ledger for EmbeddedLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        ready(self.read(customer)).boxed()
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        committed(self.queue(commit)).boxed()
    }

    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        ready(customers.iter().map(|customer| self.read(customer)).collect()).boxed()
    }

    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        let queued: Vec<_> = commits.into_iter().map(|commit| self.queue(commit)).collect();
        async move {
            let mut outcomes = Vec::with_capacity(queued.len());
            // One after the other: they are on disk together, and whoever waits for the first is woken once.
            for queued in queued {
                outcomes.push(committed(queued).await);
            }
            outcomes
        }
        .boxed()
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        async move {
            let Some(durable) = self.queue_erasure(&customer.into(), revision, &tombstone)? else {
                return Ok(Committed::Conflict);
            };
            settled(durable).await?;
            let (done, purged) = oneshot::channel();
            self.order(Order::Purge(done))?;
            settled(purged).await?;
            Ok(Committed::Stored)
        }
        .boxed()
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        ready(self.stored_refusals(customer)).boxed()
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        let queued = refused.into_iter().map(|(customer, refusals)| self.queue_refusals(&customer, refusals));
        let queued: Vec<_> = queued.collect();
        async move {
            let mut outcome = Ok(());
            for queued in queued {
                let noted = match queued {
                    Ok(durable) => settled(durable).await,
                    Err(error) => Err(error),
                };
                outcome = outcome.and(noted);
            }
            outcome
        }
        .boxed()
    }

    fn halts(&self) -> Arc<Halts> {
        Arc::clone(&self.halts.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        async move {
            // The first moment stands for a campaign that is halted already.
            let halted_at = halted_at.map(|at| self.halts().since(campaign).unwrap_or(at));
            let value = halted_at.map(|at| at.millis().to_le_bytes().to_vec());
            let change = (key(HALT_PREFIX, campaign.as_bytes()), value);
            settled(self.write(smallvec![change], None, None)?).await?;
            let mut halts = self.halts.write().unwrap_or_else(PoisonError::into_inner);
            let halts = Arc::make_mut(&mut halts);
            match halted_at {
                Some(at) => halts.halt(campaign.into(), at),
                None => halts.lift(campaign),
            }
            Ok(())
        }
        .boxed()
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        async move {
            let note = (customer.into(), due_at);
            settled(self.write(smallvec![due_change(&note)], None, Some(note))?).await
        }
        .boxed()
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        ready(Ok(lock(&self.shared.due).page(skip, limit))).boxed()
    }

    fn sealer(&self) -> Option<&Sealer> {
        Some(self.erased.sealer())
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.shared.store().map(drop)
    }
}

/// Lets the writer finish what was queued.
impl Drop for EmbeddedLedger {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the ledger's writer thread ended in a panic");
        }
    }
}
