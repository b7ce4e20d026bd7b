//! What one customer is owed, before a change and after it: what opened, what ended, and what is due first.

use crate::domain::follow_up::{self, Duty, FollowUp};
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::ledger::DueNote;

use super::Gate;

/// What is open, those due first in front.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owing {
    open: Vec<FollowUp>,
    /// Nobody knows whether it was ever noted when the first is due.
    is_unnoted: bool,
}

impl Owing {
    pub fn of(customer: &str, record: &Record, duties: &[Duty]) -> Self {
        if duties.is_empty() || record.events().is_empty() {
            return Self::default();
        }
        Self { open: follow_up::open(&customer.into(), record, duties), is_unnoted: false }
    }

    /// When the first of them is due.
    pub fn first_due(&self) -> Option<Moment> {
        self.open.first().map(|first| first.due_at)
    }

    /// The same where nobody knows whether it was ever noted when the first is due.
    pub fn unnoted(self) -> Self {
        Self { is_unnoted: true, ..self }
    }

    /// What is to be noted of when the first is due, after a change from `before` to this.
    pub fn note_since(&self, before: &Self) -> DueNote {
        let due = self.first_due();
        match due {
            Some(at) if before.is_unnoted || due != before.first_due() => DueNote::At(at),
            None if before.first_due().is_some() => DueNote::Gone,
            Some(_) | None => DueNote::Unchanged,
        }
    }

    fn lacks(&self, one: &FollowUp) -> bool {
        self.open.iter().all(|other| other.id != one.id)
    }

    pub fn has_opened_since(&self, before: &Self) -> bool {
        self.open.iter().any(|one| before.lacks(one))
    }

    /// What is over since `before`, and how long it took.
    pub fn ended_since<'b>(&self, before: &'b Self, now: Moment) -> impl Iterator<Item = (&'b Name, Span)> {
        let ended = before.open.iter().filter(|one| self.lacks(one));
        ended.map(move |one| (&one.kind, now - one.opened_at))
    }
}

impl Gate {
    pub(super) fn owing(&self, customer: &str, record: &Record) -> Owing {
        Owing::of(customer, record, &self.policy().company.duties)
    }
}
