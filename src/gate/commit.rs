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

impl Owed {
    fn needs_a_note(&self) -> bool {
        self.after.needs_a_note(&self.before)
    }
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
        let customer = Name::from(customer);
        let owed = Owed { customer: customer.clone(), before, after };
        Storing { commit: Commit { customer, revision, record, keep }, owed }
    }

    /// Commits a record, and sees that it is found among those with follow-ups.
    pub(super) async fn commit(&self, storing: Storing, now: Moment) -> Result<Committed, LedgerError> {
        let Storing { commit, owed } = storing;
        self.note_before(&owed).await?;
        let Commit { customer, revision, record, keep } = commit;
        let committed = self.ledger.commit(&customer, revision, record, keep).await?;
        self.note_after(&owed, committed, now).await;
        Ok(committed)
    }

    /// The same of several, each for itself; what became of them, in their order.
    pub(super) async fn commit_all(
        &self,
        storing: Vec<Storing>,
        now: Moment,
    ) -> Vec<Result<Committed, LedgerError>> {
        let mut owed = Vec::with_capacity(storing.len());
        let mut commits = Vec::with_capacity(storing.len());
        for Storing { commit, owed: one } in storing {
            let noted = self.note_before(&one).await;
            if noted.is_ok() {
                commits.push(commit);
            }
            owed.push(noted.map(|()| one));
        }
        let mut committed = self.ledger.commit_all(commits).await.into_iter();
        let mut outcomes = Vec::with_capacity(owed.len());
        for owed in owed {
            outcomes.push(match (owed, &mut committed) {
                (Err(error), _) => Err(error),
                (Ok(owed), committed) => match committed.next() {
                    Some(Ok(committed)) => {
                        self.note_after(&owed, committed, now).await;
                        Ok(committed)
                    }
                    Some(Err(error)) => Err(error),
                    None => Err(LedgerError::Unavailable {
                        operation: "store a record",
                        why: "nothing was said of it".to_owned(),
                    }),
                },
            });
        }
        outcomes
    }

    /// Notes what is due before it is stored, so that no crash hides it.
    async fn note_before(&self, owed: &Owed) -> Result<(), LedgerError> {
        match owed.after.first_due() {
            Some(due) if owed.needs_a_note() => self.ledger.set_due(&owed.customer, Some(due)).await,
            Some(_) | None => Ok(()),
        }
    }

    /// And after, for whoever looked in between and found nothing open.
    async fn note_after(&self, owed: &Owed, committed: Committed, now: Moment) {
        if committed == Committed::Conflict {
            return;
        }
        let Owed { customer, before, after } = owed;
        if owed.needs_a_note()
            && let Err(error) = self.note_due(customer, after.first_due()).await
        {
            // What is stored is stored; whoever lists follow-ups mends the note.
            tracing::warn!(%error, "a follow-up is stored, and the note of when it is due is not");
        }
        if self.terms.announces && after.has_opened_since(before) {
            self.fresh.add(customer);
        }
        if let Some(witness) = &self.terms.witness {
            after.ended_since(before, now).for_each(|(kind, span)| witness.waited(kind, span));
        }
    }

    /// Notes when the customer's first follow-up is due; where none is, looks once more, since somebody
    /// may have opened one meanwhile.
    pub(super) async fn note_due(&self, customer: &str, due: Option<Moment>) -> Result<(), LedgerError> {
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
