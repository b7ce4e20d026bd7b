//! Where records are kept: load a record with its revision, commit if the revision still holds.
//!
//! A ledger knows no rule and no clock. Losing a race is an ordinary outcome ([`Committed::Conflict`]);
//! the gate loads and decides again.

mod due;
pub mod embedded;
pub mod journal;
pub mod memory;
pub mod record_format;
pub mod redis;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Record;
use crate::domain::words::Name;

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
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is stored, durably as far as the ledger promises.
    Stored,
    /// Somebody else was first; nothing was written.
    Conflict,
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

    /// Stores `record` if the customer's revision is still `revision`, and answers only once it is
    /// stored. A ledger may forget the record after the time in `keep`, and need not.
    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
        keep: Keep,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>>;

    /// The campaigns halted now.
    fn halts(&self) -> Arc<Halts>;

    /// Halts a campaign as of a moment, or lifts its halt; answers once that is stored.
    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Notes when the first of a customer's follow-ups is due, or that none is open.
    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// The customers with open follow-ups, those whose first is due soonest in front, from the `skip`th on.
    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>>;

    /// Whether the ledger can be read and written, as far as it knows.
    ///
    /// # Errors
    /// What is wrong.
    fn health(&self) -> Result<(), LedgerError>;
}
