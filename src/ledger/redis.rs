//! Records in Redis, for any number of instances: one key a customer, one script that commits.
//!
//! A refusal costs one round trip (`MGET`), an allow two (`MGET` and the script `redis/commit.lua`, which
//! compares revisions and replaces values); as many customers as are asked about at once share them. No rule is judged
//! in Redis. Revisions are made up anew
//! for each commit, so that one that is sent twice, by us or by the library, is harmless, and a key that
//! was deleted never comes back under an old revision.

mod breaker;
mod dues;
mod erased;
mod halted;
mod link;
mod opener;
mod refusals;
mod stream;
mod swap;
mod turns;
mod writable;

use std::sync::Arc;

use futures_util::TryFutureExt;
use futures_util::future::{BoxFuture, try_join_all};
use redis::{Cmd, RedisError, Script, Value};
use tokio::task::AbortHandle;

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::refusal::Refusal;
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::sealed::Sealer;
use crate::settings::{RedisSettings, RedisUrl};

use self::erased::{Erased, first_tombstone};
use self::halted::Halted;
use self::link::{Link, Request};
use self::opener::Opener;
use self::swap::Swap;
use self::turns::Turns;
use self::writable::Writable;

use super::keyring::Keyring;
use super::{
    Appended, Commit, Committed, Connections, Due, Ledger, LedgerError, Loaded, Revision, record_format,
};

/// The bytes of revision before a record.
const REVISION_BYTES: usize = 8;
/// What a commit is called where it fails.
const STORE: &str = "store a record";

pub struct RedisLedger {
    link: Arc<Link>,
    halted: Arc<Halted>,
    erased: Erased,
    turns: Turns,
    script: Script,
    key_prefix: String,
    /// A sorted set: customers by when the first of their follow-ups is due.
    due_key: String,
    /// A stream: what is told of follow-ups.
    stream_key: String,
    /// Another: the decision log.
    decisions_key: String,
    /// `WAIT`, where replicas must have a commit before it counts.
    wait: Option<(usize, Cmd)>,
    command_timeout_ms: u64,
    writable: Arc<Writable>,
    watchers: [AbortHandle; 2],
}

impl RedisLedger {
    /// Starts to connect, and goes on until it is; must be called within a runtime. `secrets` key the names of
    /// those who were erased, the present one first.
    ///
    /// # Errors
    /// When the settings name files that cannot be read. That Redis is away is none.
    pub fn open(
        url: &RedisUrl,
        settings: &RedisSettings,
        secrets: &[Name],
        workers: usize,
    ) -> Result<Self, LedgerError> {
        let script = Script::new(include_str!("redis/commit.lua"));
        let opener = Arc::new(Opener::new(url.clone(), settings.clone(), script.clone())?);
        let connections = if settings.connections == 0 { workers + 1 } else { settings.connections };
        let link = Arc::new(Link::new(Arc::clone(&opener), connections, settings.connect_timeout));
        let halted = Arc::new(Halted::new(Arc::clone(&link), format!("{}halts", settings.key_prefix)));
        let secrets = secrets.to_vec();
        let erased = Erased::new(Arc::clone(&link), settings.key_prefix.clone(), secrets);
        let writable = Arc::new(Writable::new(Arc::clone(&link), format!("{}try", settings.key_prefix)));
        let watchers = [
            tokio::spawn(Arc::clone(&halted).watch(opener)).abort_handle(),
            tokio::spawn(Arc::clone(&writable).watch()).abort_handle(),
        ];
        let wait = (settings.wait_replicas > 0).then(|| {
            let mut wait = redis::cmd("WAIT");
            wait.arg(settings.wait_replicas).arg(settings.wait_timeout.as_millis() as u64);
            (settings.wait_replicas, wait)
        });
        Ok(Self {
            link,
            halted,
            erased,
            turns: Turns::new(settings.key_prefix.clone()),
            script,
            key_prefix: format!("{}c:", settings.key_prefix),
            due_key: format!("{}due", settings.key_prefix),
            stream_key: format!("{}follow-ups", settings.key_prefix),
            decisions_key: format!("{}decisions", settings.key_prefix),
            wait,
            command_timeout_ms: settings.command_timeout.as_millis() as u64,
            writable,
            watchers,
        })
    }

    fn key(&self, customer: &str) -> Vec<u8> {
        [self.key_prefix.as_bytes(), customer.as_bytes()].concat()
    }

    async fn get_records(&self, customers: &[&str]) -> Result<Vec<Result<Loaded, LedgerError>>, LedgerError> {
        self.halted.ready().await.map_err(|error| self.failed("read the halted campaigns", &error))?;
        let keyring = self.keyring().await?;
        let keys: Vec<Vec<u8>> = customers
            .iter()
            .flat_map(|customer| {
                let tombstones = keyring.pseudonyms(customer);
                let tombstones = tombstones.map(|pseudonym| self.erased.tombstone_key(pseudonym));
                std::iter::once(self.key(customer)).chain(tombstones)
            })
            .collect();
        let replies = self.get_all(&keys, "read a record").await?;
        let keys_each = keys.len() / customers.len().max(1);
        Ok(replies.chunks(keys_each.max(1)).map(read).collect())
    }

    /// What stands under some keys, in one round trip: one command, or in a cluster one to each key's node at once.
    async fn get_all(&self, keys: &[Vec<u8>], operation: &'static str) -> Result<Vec<Value>, LedgerError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let failed = |error: RedisError| self.failed(operation, &error);
        if self.link.is_cluster() || keys.len() == 1 {
            let gets = keys.iter().map(|key| async move {
                let mut get = Cmd::with_capacity(2, key.len() + 3);
                get.arg("GET").arg(key);
                self.link.send(key, &Request::Command(get)).await
            });
            return try_join_all(gets).await.map_err(failed);
        }
        let mut get = Cmd::with_capacity(1 + keys.len(), keys.iter().map(Vec::len).sum::<usize>() + 4);
        get.arg("MGET").arg(keys);
        match self.link.send(first, &Request::Command(get)).await.map_err(failed)? {
            Value::Array(replies) => Ok(replies),
            other => Err(unreadable(&format!("{other:?}"))),
        }
    }

    async fn keyring(&self) -> Result<&Keyring, LedgerError> {
        self.erased.keyring().await.map_err(|error| self.failed("read its key", &error))
    }

    fn swap_of(&self, Commit { customer, revision, record, keep, due }: Commit) -> Swap {
        let value = record_format::append(fresh_revision().0.to_le_bytes().to_vec(), &record);
        Swap { key: self.key(&customer), expected: revision, value, keep, note: due.of(&customer) }
    }

    fn failed(&self, operation: &'static str, error: &RedisError) -> LedgerError {
        if error.is_timeout() {
            LedgerError::Slow { limit_ms: self.command_timeout_ms }
        } else {
            LedgerError::Unavailable { operation, why: error.to_string() }
        }
    }
}

/// A record, and the tombstones that may stand beside it.
fn read(replies: &[Value]) -> Result<Loaded, LedgerError> {
    let (record, tombstones) = replies.split_first().ok_or_else(|| unreadable("nothing"))?;
    let tombstone = first_tombstone(tombstones)?;
    match record {
        Value::Nil => Ok(Loaded { tombstone, ..Loaded::absent() }),
        Value::BulkString(bytes) => {
            let (revision, record) = split_revision(bytes)?;
            Ok(Loaded { record: Arc::new(record_format::decode(record)?), revision, tombstone })
        }
        other => Err(unreadable(&format!("{other:?}"))),
    }
}

fn unreadable(what: &str) -> LedgerError {
    LedgerError::Unreadable { why: format!("{what} is no record") }
}

fn split_revision(value: &[u8]) -> Result<(Revision, &[u8]), LedgerError> {
    let (revision, rest) = value
        .split_first_chunk::<REVISION_BYTES>()
        .ok_or_else(|| LedgerError::Unreadable { why: "its revision is missing".to_owned() })?;
    Ok((Revision(u64::from_le_bytes(*revision)), rest))
}

/// Sixty random bits and more: no commit of one customer's has had it before.
fn fresh_revision() -> Revision {
    Revision(uuid::Uuid::new_v4().as_u64_pair().0)
}

impl Drop for RedisLedger {
    fn drop(&mut self) {
        self.watchers.iter().for_each(AbortHandle::abort);
    }
}

impl Ledger for RedisLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        Box::pin(async move {
            let mut records = self.get_records(&[customer]).await?;
            records.pop().unwrap_or_else(|| Err(unreadable("nothing")))
        })
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        Box::pin(async move {
            let committed = self.swap(self.swap_of(commit), STORE).await;
            self.writable.note(committed.as_ref().err());
            committed
        })
    }

    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        Box::pin(async move {
            let records = self.get_records(customers).await;
            records.unwrap_or_else(|error| vec![Err(error); customers.len()])
        })
    }

    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        Box::pin(async move {
            let swaps: Vec<Swap> = commits.into_iter().map(|commit| self.swap_of(commit)).collect();
            let committed = self.swap_all(swaps, STORE).await;
            for committed in &committed {
                self.writable.note(committed.as_ref().err());
            }
            committed
        })
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        Box::pin(async move {
            let erased = self.bury(customer, revision, &tombstone).await;
            self.writable.note(erased.as_ref().err());
            erased
        })
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        Box::pin(self.stored_refusals(customer))
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(self.store_refusals(refused))
    }

    fn halts(&self) -> Arc<Halts> {
        self.halted.known()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            let set = self.halted.set(campaign, halted_at).await;
            set.map_err(|error| self.failed("store a halt", &error))
        })
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.mend_due(customer, due_at))
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        Box::pin(self.list_due(skip, limit))
    }

    fn sealer(&self) -> Option<&Sealer> {
        self.erased.sealer()
    }

    fn take_turn<'a>(&'a self, chore: &'a str, span: Span) -> BoxFuture<'a, Result<bool, LedgerError>> {
        Box::pin(self.turns.take(&self.link, chore, span).map_err(|error| self.failed("take a turn", &error)))
    }

    fn offers_a_stream(&self) -> bool {
        true
    }

    fn publish<'a>(&'a self, entry: &'a [(&'a str, String)]) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move {
            let added = stream::add(&self.link, &self.stream_key, entry).await;
            added.map_err(|error| self.failed("append to the stream", &error))
        })
    }

    fn log_decisions<'a>(&'a self, lines: &'a [&'a [u8]], max_lines: usize) -> BoxFuture<'a, Appended> {
        Box::pin(async move {
            let (added, failure) =
                stream::add_decisions(&self.link, &self.decisions_key, lines, max_lines).await;
            Appended {
                lines: added,
                failure: failure.map(|error| self.failed("append to the decision log", &error)),
            }
        })
    }

    fn connections(&self) -> Option<Connections> {
        Some(self.link.connections())
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.link.health()?;
        self.writable.health()
    }
}
