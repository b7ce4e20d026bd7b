//! The application's verbs: ask, explain, tell, put, halt. Gather, decide purely, commit.
//!
//! The gate is told the moment of every call; it reads no clock. What it does about a lost race (again)
//! and about a ledger that is away (the purpose's `when_blind`) is decided here, once for every ledger.

pub mod ask;
pub mod blind;
pub mod explain;
pub mod put;
pub mod tell;

use std::sync::Arc;

use crate::domain::moment::{Moment, Span};
use crate::domain::record::{Entry, KEPT, LONG_RECORD, LONGEST_RECORD, Record};
use crate::ledger::{Committed, Ledger, LedgerError};
use crate::policy::Policy;
use crate::rules::RuleKind;

/// How often a lost race is run again. Each loss means that somebody else has stored something, so
/// this many losses in a row mean as many asks for one customer at once.
const MOST_ATTEMPTS: u32 = 128;

/// The verbs, over one policy and one ledger.
pub struct Gate {
    policy: Arc<Policy>,
    ledger: Arc<dyn Ledger>,
    /// How long records keep contacts and events; at most [`KEPT`].
    kept: Span,
}

impl Gate {
    /// `retention` shortens how long records are kept; `None` keeps what policies may look back on.
    #[must_use]
    pub fn new(policy: Arc<Policy>, ledger: Arc<dyn Ledger>, retention: Option<Span>) -> Self {
        Self { policy, ledger, kept: retention.map_or(KEPT, |retention| retention.min(KEPT)) }
    }

    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether the ledger can be used.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn health(&self) -> Result<(), LedgerError> {
        self.ledger.health()
    }

    /// One customer's record.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn record(&self, customer: &str) -> Result<Arc<Record>, LedgerError> {
        Ok(self.ledger.load(customer).await?.record)
    }

    /// Loads a record, changes it and commits it, again for as long as others are first. `change` says
    /// what the call returns and whether there is anything to store.
    async fn change<T>(
        &self,
        customer: &str,
        now: Moment,
        mut change: impl FnMut(&mut Record) -> (T, Stored),
    ) -> Result<T, LedgerError> {
        for _ in 0..MOST_ATTEMPTS {
            let loaded = self.ledger.load(customer).await?;
            let mut record = Arc::unwrap_or_clone(loaded.record);
            let (outcome, stored) = change(&mut record);
            if stored == Stored::No {
                return Ok(outcome);
            }
            self.compact(&mut record, now);
            match self.ledger.commit(customer, loaded.revision, Arc::new(record)).await? {
                Committed::Stored => return Ok(outcome),
                Committed::Conflict => {}
            }
        }
        Err(LedgerError::Contended { attempts: MOST_ATTEMPTS })
    }

    /// Keeps records bounded: drops what is too old for any policy, and of a long record what is too
    /// old for this one. What still starts a hold without an end stays.
    fn compact(&self, record: &mut Record, now: Moment) {
        let entries = record.contacts().len().max(record.events().len());
        let kept =
            if entries > LONG_RECORD { self.kept.min(self.policy.longest_look_back()) } else { self.kept };
        let horizon = now - kept;
        let is_old = record.contacts().first().is_some_and(|contact| contact.at < horizon)
            || record.events().first().is_some_and(|event| event.time < horizon);
        if !is_old && entries <= LONGEST_RECORD {
            return;
        }
        let company = &self.policy.company;
        let counts = |contact: &crate::domain::contact::Contact| {
            contact.standing.counts()
                && contact.lapses_at(company.lapse_after).is_none_or(|lapse| now < lapse)
        };
        let needed = |entry: Entry<'_>| {
            self.policy.rules.iter().any(|rule| match &rule.kind {
                RuleKind::Hold(hold) => hold.may_look_back_on(entry),
                RuleKind::Cap(_) | RuleKind::ContactHours(_) | RuleKind::Requirement(_) => false,
            })
        };
        record.compact(horizon, counts, needed);
    }
}

/// Whether a change is worth a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Yes,
    No,
}
