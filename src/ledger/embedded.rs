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

mod shard;
mod writer;

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::sync::oneshot;

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::words::Name;

use super::due::DueIndex;
use super::{Committed, Due, Keep, Ledger, LedgerError, Loaded, Revision, record_format};
use shard::{Latest, Shard};
use writer::{Write, Writer};

/// Enough that two of many concurrent customers rarely share one.
const SHARDS: usize = 64;
/// Journal files are kept until their contents are in tables; a small journal opens quickly.
const JOURNAL_BYTES: u64 = 128 * 1024 * 1024;
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

const CUSTOMER_PREFIX: u8 = b'c';
const HALT_PREFIX: u8 = b'h';
const DUE_PREFIX: u8 = b'd';

/// The open directory. All keys live in one keyspace: an idle second one would hold journals for ever.
#[derive(Clone)]
struct Store {
    database: Database,
    keyspace: Keyspace,
}

/// What the ledger and its writer thread share.
struct Shared {
    directory: PathBuf,
    /// `None` while the directory cannot be used.
    store: RwLock<Result<Store, LedgerError>>,
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

pub struct EmbeddedLedger {
    shared: Arc<Shared>,
    next_revision: AtomicU64,
    halts: RwLock<Arc<Halts>>,
    due: Mutex<DueIndex>,
    /// Taken and dropped first, so that the writer thread ends.
    writes: Option<mpsc::Sender<Write>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn customer_key(customer: &str) -> Vec<u8> {
    std::iter::once(CUSTOMER_PREFIX).chain(customer.bytes()).collect()
}

impl Store {
    fn open(directory: &Path) -> Result<Self, LedgerError> {
        let error = |why: fjall::Error| match why {
            fjall::Error::Locked => LedgerError::Owned { directory: directory.display().to_string() },
            why => LedgerError::Open { directory: directory.display().to_string(), why: plain(&why) },
        };
        let database = Database::builder(directory)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(error)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = database.keyspace("records", options).map_err(error)?;
        Ok(Self { database, keyspace })
    }

    fn get(&self, key: &[u8]) -> Result<Option<fjall::UserValue>, LedgerError> {
        self.keyspace
            .get(key)
            .map_err(|error| LedgerError::Unavailable { operation: "read", why: plain(&error) })
    }

    /// The names under a prefix, each with its moment: halted campaigns, customers owed something.
    fn moments<C: FromIterator<(Name, Moment)>>(&self, prefix: u8) -> Result<C, LedgerError> {
        let unreadable = |why: &dyn std::fmt::Display| LedgerError::Unreadable { why: why.to_string() };
        self.keyspace
            .prefix([prefix])
            .map(|entry| {
                let (key, value) = entry.into_inner().map_err(|error| unreadable(&error))?;
                let name = std::str::from_utf8(key.get(1..).unwrap_or_default())
                    .map_err(|error| unreadable(&error))?;
                let at_ms = <[u8; 8]>::try_from(&*value).map_err(|error| unreadable(&error))?;
                Ok((name.into(), Moment::from_millis(i64::from_le_bytes(at_ms))))
            })
            .collect()
    }
}

/// The cause in the words of the operating system, where there is one.
fn plain(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
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
    /// opening to the next: the moment of opening.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process uses it.
    pub fn open(directory: &Path, epoch: Moment) -> Result<Self, LedgerError> {
        let store = Store::open(directory)?;
        let halts: Halts = store.moments(HALT_PREFIX)?;
        let due: DueIndex = store.moments(DUE_PREFIX)?;
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            store: RwLock::new(Ok(store)),
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        });
        let (writes, queue) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), queue);
        let open_error = |why: std::io::Error| LedgerError::Open {
            directory: directory.display().to_string(),
            why: why.to_string(),
        };
        let writer = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(open_error)?;
        Ok(Self {
            shared,
            // A million commits a millisecond would be needed to overtake the next opening.
            next_revision: AtomicU64::new((epoch.millis().max(1) as u64) << 20),
            halts: RwLock::new(Arc::new(halts)),
            due: Mutex::new(due),
            writes: Some(writes),
            writer: Some(writer),
        })
    }

    fn read(&self, customer: &str) -> Result<Loaded, LedgerError> {
        let epoch = {
            let shard = self.shared.shard(customer);
            if let Some(latest) = shard.get(customer) {
                return Ok(Loaded { record: Arc::clone(&latest.record), revision: latest.revision });
            }
            shard.epoch()
        };
        let loaded = match self.shared.store()?.get(&customer_key(customer))? {
            None => Loaded { record: Arc::default(), revision: Revision::ABSENT },
            Some(value) => {
                let (revision, bytes) = split_revision(&value)?;
                Loaded { record: Arc::new(record_format::decode(bytes)?), revision }
            }
        };
        self.shared.shard(customer).remember(customer, &loaded, epoch);
        Ok(loaded)
    }

    /// Queues the record if the revision holds; what is returned tells when it is on disk.
    fn queue(
        &self,
        customer: &str,
        revision: Revision,
        record: Arc<Record>,
    ) -> Result<Option<oneshot::Receiver<Result<(), LedgerError>>>, LedgerError> {
        let key = customer_key(customer);
        let next = Revision(self.next_revision.fetch_add(1, Ordering::Relaxed));
        let value = record_format::append(next.0.to_le_bytes().to_vec(), &record);

        let store = self.shared.store()?;
        let mut shard = self.shared.shard(customer);
        let current = match shard.get(customer) {
            Some(latest) => latest.revision,
            None => match store.get(&key)? {
                None => Revision::ABSENT,
                Some(value) => split_revision(&value)?.0,
            },
        };
        if current != revision {
            return Ok(None);
        }
        let (done, durable) = oneshot::channel();
        let write = Write { key, value: Some(value), customer: Some((customer.into(), next)), done };
        // Queued under the lock: two commits of one customer reach the writer in their order.
        self.send(write)?;
        shard.queue(customer, Latest { revision: next, record });
        Ok(Some(durable))
    }

    fn send(&self, write: Write) -> Result<(), LedgerError> {
        let gone =
            || LedgerError::Unavailable { operation: "write", why: "the ledger is closing".to_owned() };
        // While the directory cannot be used nothing is queued: the writer tries it again when idle.
        self.shared.store()?;
        self.writes.as_ref().ok_or_else(gone)?.send(write).map_err(|_| gone())
    }
}

fn split_revision(value: &[u8]) -> Result<(Revision, &[u8]), LedgerError> {
    let (revision, bytes) = value
        .split_first_chunk::<8>()
        .ok_or_else(|| LedgerError::Unreadable { why: "too short for a revision".to_owned() })?;
    Ok((Revision(u64::from_le_bytes(*revision)), bytes))
}

async fn settled(durable: oneshot::Receiver<Result<(), LedgerError>>) -> Result<(), LedgerError> {
    let stopped = LedgerError::Unavailable { operation: "write", why: "the writer has stopped".to_owned() };
    durable.await.unwrap_or(Err(stopped))
}

impl Ledger for EmbeddedLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        ready(self.read(customer)).boxed()
    }

    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
        _keep: Keep,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        let queued = self.queue(customer, revision, record);
        async move {
            match queued? {
                None => Ok(Committed::Conflict),
                Some(durable) => settled(durable).await.map(|()| Committed::Stored),
            }
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
            let (done, durable) = oneshot::channel();
            self.send(Write {
                key: std::iter::once(HALT_PREFIX).chain(campaign.bytes()).collect(),
                value: halted_at.map(|at| at.millis().to_le_bytes().to_vec()),
                customer: None,
                done,
            })?;
            settled(durable).await?;
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
            let (done, durable) = oneshot::channel();
            self.send(Write {
                key: std::iter::once(DUE_PREFIX).chain(customer.bytes()).collect(),
                value: due_at.map(|at| at.millis().to_le_bytes().to_vec()),
                customer: None,
                done,
            })?;
            settled(durable).await?;
            lock(&self.due).set(customer, due_at);
            Ok(())
        }
        .boxed()
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        ready(Ok(lock(&self.due).page(skip, limit))).boxed()
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.shared.store().map(drop)
    }
}

/// Lets the writer finish what was queued.
impl Drop for EmbeddedLedger {
    fn drop(&mut self) {
        self.writes = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the ledger's writer thread ended in a panic");
        }
    }
}
