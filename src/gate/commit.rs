//! Committing: a record is stored if nobody else was first, and whoever is owed something by it is found again.

use std::sync::Arc;

use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::ledger::{Commit, Committed, LedgerError, Revision};

use super::Gate;
use super::owing::Owing;

/// A record on its way to the ledger.
#[derive(Debug)]
pub struct Storing {
    commit: Commit,
    owed: Owed,
}

/// What is owed to a customer before a commit and after it.
#[derive(Debug)]
struct Owed {
    customer: Name,
    before: Owing,
    after: Owing,
}

impl Gate {
    /// A record that is to take the place of the one read at `revision`. `before` is what was owed before the change.
    pub(super) fn storing(
        &self,
        customer: &str,
        revision: Revision,
        record: Arc<Record>,
        before: Owing,
        now: Moment,
    ) -> Storing {
        let (keep, after) = (self.keep(&record, now), self.owing(customer, &record));
        let (customer, due) = (Name::from(customer), after.note_since(&before));
        let owed = Owed { customer: customer.clone(), before, after };
        Storing { commit: Commit { customer, revision, record, keep, due }, owed }
    }

    /// Commits a record; who is owed something by it is found among those with follow-ups.
    pub(super) async fn commit(&self, storing: Storing, now: Moment) -> Result<Committed, LedgerError> {
        let Storing { commit, owed } = storing;
        let committed = self.ledger.commit(commit).await?;
        self.tell_of(&owed, committed, now);
        Ok(committed)
    }

    /// The same of several, each for itself; what became of them, in their order.
    pub(super) async fn commit_all(
        &self,
        storing: Vec<Storing>,
        now: Moment,
    ) -> Vec<Result<Committed, LedgerError>> {
        let (commits, owed): (Vec<_>, Vec<_>) =
            storing.into_iter().map(|Storing { commit, owed }| (commit, owed)).unzip();
        let outcomes = self.ledger.commit_all(commits).await;
        for (owed, outcome) in owed.iter().zip(&outcomes) {
            if let Ok(committed) = outcome {
                self.tell_of(owed, *committed, now);
            }
        }
        outcomes
    }

    /// Whoever waits for news of follow-ups hears what a commit opened and ended.
    fn tell_of(&self, Owed { customer, before, after }: &Owed, committed: Committed, now: Moment) {
        if committed == Committed::Conflict {
            return;
        }
        if self.terms.announces && after.has_opened_since(before) {
            self.fresh.add(customer);
        }
        if let Some(witness) = &self.terms.witness {
            after.ended_since(before, now).for_each(|(kind, span)| witness.waited(kind, span));
        }
    }

    /// Mends the note of when the customer's first follow-up is due; where none is, looks once more, since somebody
    /// may have opened one meanwhile.
    pub(super) async fn mend_note(&self, customer: &str, due: Option<Moment>) -> Result<(), LedgerError> {
        self.ledger.set_due(customer, due).await?;
        if due.is_none() {
            let record = self.ledger.load(customer).await?.record;
            if let Some(due) = self.owing(customer, &record).first_due() {
                self.ledger.set_due(customer, Some(due)).await?;
            }
        }
        Ok(())
    }
}
