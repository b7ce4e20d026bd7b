//! Where records are kept: load a record with its revision, commit if the revision still holds.
//!
//! A ledger knows no rule and no clock. Losing a race is an ordinary outcome ([`Committed::Conflict`]);
//! the gate loads and decides again.

mod due;
pub mod embedded;
pub mod journal;
pub mod keyring;
pub mod memory;
pub mod record_format;
pub mod redis;
mod refusal_format;
mod tombstone_format;
pub mod watched;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, ready};

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Record;
use crate::domain::refusal::Refusal;
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::sealed::Sealer;

/// Identifies one state of one record. Never used twice for one customer, not even after the record
/// was deleted; [`Revision::ABSENT`] is that of a record that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

impl Revision {
    pub const ABSENT: Self = Self(0);
}

/// A record as it stands; an unknown customer's is empty.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub record: Arc<Record>,
    pub revision: Revision,
    /// What outlived an erasure, whether or not there is a record again.
    pub tombstone: Option<Arc<Tombstone>>,
}

impl Loaded {
    /// What is found of somebody nobody knows.
    #[must_use]
    pub fn absent() -> Self {
        Self { record: Arc::default(), revision: Revision::ABSENT, tombstone: None }
    }
}

/// What became of lines that were to be appended.
#[derive(Debug, Default)]
pub struct Appended {
    /// So many are known to be there.
    pub lines: u64,
    /// Why the others are not.
    pub failure: Option<LedgerError>,
}

/// How many connections a ledger on the network has, of those it has wanted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    pub open: usize,
    pub opening: usize,
    pub lost: usize,
    /// Requests that were sent once more since the program began, their connection having been cut.
    pub retries: u64,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is stored, durably as far as the ledger promises.
    Stored,
    /// Somebody else was first; nothing was written.
    Conflict,
}

/// A record to be stored if its customer's revision still holds.
#[derive(Clone, Debug)]
pub struct Commit {
    pub customer: Name,
    /// What the record was read at.
    pub revision: Revision,
    pub record: Arc<Record>,
    pub keep: Keep,
    pub due: DueNote,
}

/// What becomes, with a record, of the note of when the first of its customer's follow-ups is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueNote {
    Unchanged,
    At(Moment),
    /// Nothing is owed.
    Gone,
}

/// A customer somebody owes something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at: Moment,
    pub customer: Name,
}

/// For how long a record is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Forever,
    /// From now; nothing in it can matter to any answer afterwards.
    For(Span),
}

/// Why a ledger could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot open the ledger in `{directory}`: {why}")]
    Open { directory: String, why: String },
    #[error("another process already uses the ledger in `{directory}`; one process owns it at a time")]
    Owned { directory: String },
    #[error("the ledger cannot {operation}: {why}")]
    Unavailable { operation: &'static str, why: String },
    #[error("the stored record is unreadable: {why}")]
    Unreadable { why: String },
    #[error("the ledger did not answer within {limit_ms} ms")]
    Slow { limit_ms: u64 },
    #[error("too many others wrote the same record at once; gave up after {attempts} attempts")]
    Contended { attempts: u32 },
}

/// A store of records, one a customer, and of the campaigns that are halted.
pub trait Ledger: Send + Sync {
    /// The customer's record and its revision.
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>>;

    /// Stores a record if its customer's revision still holds, and answers only once it is stored. A ledger may
    /// forget the record after the time in `keep`, and need not.
    ///
    /// With the record goes what it says of the note of when a follow-up is due, so that no crash hides one: whoever is
    /// owed something is found by [`Ledger::due`], no later than it is due. Where a ledger cannot do both at once it may
    /// leave a note that is too early, or of somebody who is owed nothing; [`Ledger::set_due`] mends those.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>>;

    /// The records of several customers, in their order: what a ledger has to wait for it waits for once.
    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        join_all(customers.iter().map(|customer| self.load(customer))).boxed()
    }

    /// Commits the records of several customers, each for itself, and says in their order what became of them.
    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        join_all(commits.into_iter().map(|commit| self.commit(commit))).boxed()
    }

    /// Leaves nothing of a customer but the tombstone, if their revision is still `revision`: record, refusals and
    /// what is noted of follow-ups. Answers only once all of it is gone from what is stored.
    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>>;

    /// What was lately refused about a customer, oldest first.
    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>>;

    /// Adds to what was refused about some customers, but for what is older than an erasure. Beside the records and
    /// not part of them: a refusal that is lost in a crash harms nobody.
    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>>;

    /// The campaigns halted now.
    fn halts(&self) -> Arc<Halts>;

    /// Halts a campaign as of a moment, or lifts its halt; answers once that is stored.
    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Mends the note of when the first of a customer's follow-ups is due; `None`: none is open.
    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// The customers with open follow-ups, those whose first is due soonest in front, from the `skip`th on.
    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>>;

    /// What makes the names by which follow-ups are known outside; `None` until the ledger's keys are known, which
    /// they are once anything was loaded.
    fn sealer(&self) -> Option<&Sealer>;

    /// Whether it is this process's turn to do a chore that one of all suffices for, for so long from now.
    fn take_turn<'a>(&'a self, _chore: &'a str, _span: Span) -> BoxFuture<'a, Result<bool, LedgerError>> {
        Box::pin(ready(Ok(true)))
    }

    /// Whether there is a stream that programs beside this one may follow.
    fn offers_a_stream(&self) -> bool {
        false
    }

    /// Appends an entry to that stream, if there is one.
    fn publish<'a>(&'a self, _entry: &'a [(&'a str, String)]) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(ready(Ok(())))
    }

    /// Appends lines to a stream of decisions of about `max_lines`, where there is one.
    fn log_decisions<'a>(&'a self, _lines: &'a [&'a [u8]], _max_lines: usize) -> BoxFuture<'a, Appended> {
        Box::pin(ready(Appended::default()))
    }

    /// How its connections are; `None`: it needs none.
    fn connections(&self) -> Option<Connections> {
        None
    }

    /// Whether the ledger can be read and written, as far as it knows.
    ///
    /// # Errors
    /// What is wrong.
    fn health(&self) -> Result<(), LedgerError>;
}
