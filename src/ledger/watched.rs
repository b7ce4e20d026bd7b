//! A ledger that is watched: whoever listens hears of each operation how long it took and how it ended.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant;

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::refusal::Refusal;
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::sealed::Sealer;

use super::{Appended, Commit, Committed, Connections, Due, Ledger, LedgerError, Loaded, Revision};

/// What a ledger is asked for, as metrics and spans call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Load,
    Commit,
    /// Of a block of a batch, as [`Operation::CommitMany`].
    LoadMany,
    CommitMany,
    Erase,
    Refusals,
    AddRefusals,
    SetHalt,
    SetDue,
    Due,
}

impl Operation {
    /// In the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::Load,
        Self::Commit,
        Self::LoadMany,
        Self::CommitMany,
        Self::Erase,
        Self::Refusals,
        Self::AddRefusals,
        Self::SetHalt,
        Self::SetDue,
        Self::Due,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Commit => "commit",
            Self::LoadMany => "load_many",
            Self::CommitMany => "commit_many",
            Self::Erase => "erase",
            Self::Refusals => "refusals",
            Self::AddRefusals => "add_refusals",
            Self::SetHalt => "set_halt",
            Self::SetDue => "set_due",
            Self::Due => "due",
        }
    }
}

/// How an operation ended; of several customers, for how many of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    pub failed: u64,
    /// Commits that lost their race.
    pub conflicts: u64,
}

/// Hears of each operation once it has ended, on the thread and within the task that waited for it.
pub trait Listener: Send + Sync {
    fn ended(&self, operation: Operation, took: Duration, ended: Ended);
}

/// What an operation returns, as far as listeners hear of it.
trait Outcome {
    fn ended(&self) -> Ended;
}

impl<T: Returned> Outcome for Result<T, LedgerError> {
    fn ended(&self) -> Ended {
        match self {
            Ok(outcome) => Ended { failed: 0, conflicts: u64::from(outcome.is_conflict()) },
            Err(_) => Ended { failed: 1, conflicts: 0 },
        }
    }
}

impl<T: Returned> Outcome for Vec<Result<T, LedgerError>> {
    fn ended(&self) -> Ended {
        self.iter().map(Outcome::ended).fold(Ended::default(), |sum, one| Ended {
            failed: sum.failed + one.failed,
            conflicts: sum.conflicts + one.conflicts,
        })
    }
}

/// What an operation that did not fail returns.
trait Returned {
    fn is_conflict(&self) -> bool {
        false
    }
}

impl Returned for Committed {
    fn is_conflict(&self) -> bool {
        *self == Self::Conflict
    }
}

impl Returned for Loaded {}
impl Returned for Vec<Refusal> {}
impl Returned for Vec<Due> {}
impl Returned for () {}

/// A ledger that is watched.
pub struct WatchedLedger {
    ledger: Arc<dyn Ledger>,
    listeners: Vec<Arc<dyn Listener>>,
}

impl WatchedLedger {
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, listeners: Vec<Arc<dyn Listener>>) -> Self {
        Self { ledger, listeners }
    }

    fn watched<'a, T: Outcome>(
        &'a self,
        operation: Operation,
        work: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        async move {
            let began = Instant::now();
            let outcome = work.await;
            let (took, ended) = (began.elapsed(), outcome.ended());
            self.listeners.iter().for_each(|listener| listener.ended(operation, took, ended));
            outcome
        }
        .boxed()
    }
}

impl Ledger for WatchedLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        self.watched(Operation::Load, self.ledger.load(customer))
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        self.watched(Operation::Commit, self.ledger.commit(commit))
    }

    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        self.watched(Operation::LoadMany, self.ledger.load_all(customers))
    }

    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        self.watched(Operation::CommitMany, self.ledger.commit_all(commits))
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.watched(Operation::Erase, self.ledger.erase(customer, revision, tombstone))
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        self.watched(Operation::Refusals, self.ledger.refusals(customer))
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.watched(Operation::AddRefusals, self.ledger.add_refusals(refused))
    }

    fn halts(&self) -> Arc<Halts> {
        self.ledger.halts()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.watched(Operation::SetHalt, self.ledger.set_halt(campaign, halted_at))
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.watched(Operation::SetDue, self.ledger.set_due(customer, due_at))
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        self.watched(Operation::Due, self.ledger.due(skip, limit))
    }

    fn sealer(&self) -> Option<&Sealer> {
        self.ledger.sealer()
    }

    fn take_turn<'a>(&'a self, chore: &'a str, span: Span) -> BoxFuture<'a, Result<bool, LedgerError>> {
        self.ledger.take_turn(chore, span)
    }

    fn offers_a_stream(&self) -> bool {
        self.ledger.offers_a_stream()
    }

    fn publish<'a>(&'a self, entry: &'a [(&'a str, String)]) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.ledger.publish(entry)
    }

    fn log_decisions<'a>(&'a self, lines: &'a [&'a [u8]], max_lines: usize) -> BoxFuture<'a, Appended> {
        self.ledger.log_decisions(lines, max_lines)
    }

    fn connections(&self) -> Option<Connections> {
        self.ledger.connections()
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.ledger.health()
    }
}
