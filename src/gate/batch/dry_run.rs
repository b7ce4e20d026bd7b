//! A dry run: nothing is reserved, and each line is judged as if the earlier ones of the batch had been.
//!
//! What earlier lines would have changed is kept in mind until the batch ends, since the next line of a customer may
//! come at its very end. Only changes are kept, and of a reservation only what another line does not have as well.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::decide::Change;
use crate::domain::contact::{Contact, Fingerprint, Standing};
use crate::domain::event::Event;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question};
use crate::domain::record::Record;
use crate::domain::words::{Name, Tags};
use crate::gate::Gate;
use crate::gate::as_if::{AsIf, Earlier};
use crate::gate::ask::{self, Item, Wanted};
use crate::gate::blind;
use crate::ledger::LedgerError;

use super::Outcome;

/// The most changes all dry runs together keep in mind, each some 250 bytes: a hundred and some megabytes, in which
/// a campaign of half a million customers can be tried.
pub const MOST_IMAGINED: usize = 500_000;

/// What a dry run has changed so far.
#[derive(Debug)]
pub struct DryRun {
    changes: Mutex<Changes>,
    /// How much all dry runs have in mind.
    everywhere: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Changes {
    of: HashMap<Name, SmallVec<[Imagined; 1]>>,
    count: usize,
    /// Something could not be kept: what comes after it would be judged wrongly.
    crowded: bool,
    /// The tags of the last reservation: one campaign's lines have them in common.
    tags: Arc<Tags>,
}

/// A change nobody made.
#[derive(Clone, Debug)]
enum Imagined {
    Reserved { contact_id: Name, fingerprint: Option<Fingerprint>, at: Moment, tags: Arc<Tags> },
    HandedOver(Box<Event>),
    Released(Name),
}

impl Imagined {
    fn change(&self) -> (Change, &str) {
        match self {
            Self::Reserved { contact_id, fingerprint, at, tags } => {
                let contact = Contact {
                    id: contact_id.clone(),
                    question: *fingerprint,
                    tags: Tags::clone(tags),
                    at: *at,
                    reserved_at: *at,
                    standing: Standing::Reserved,
                    told_at: None,
                };
                (Change::Reserve(contact), contact_id)
            }
            Self::HandedOver(event) => (Change::HandOver(Event::clone(event)), ""),
            Self::Released(contact_id) => (Change::Release, contact_id),
        }
    }
}

impl DryRun {
    pub fn new(everywhere: Arc<AtomicUsize>) -> Self {
        Self { changes: Mutex::default(), everywhere }
    }
}

impl Earlier for DryRun {
    fn enter(&self, question: &Question, record: &mut Arc<Record>) {
        let changes = lock(&self.changes);
        for imagined in changes.of.get(&question.customer).into_iter().flatten() {
            let (change, contact_id) = imagined.change();
            ask::enter(record, change, contact_id);
        }
    }

    fn keep(&self, question: &Question, change: &Change) -> bool {
        let mut changes = lock(&self.changes);
        if changes.crowded {
            return false;
        }
        let imagined = match change {
            Change::Nothing | Change::Confirm => return true,
            Change::Reserve(contact) => {
                if *changes.tags != contact.tags {
                    changes.tags = Arc::new(contact.tags.clone());
                }
                Imagined::Reserved {
                    contact_id: contact.id.clone(),
                    fingerprint: contact.question,
                    at: contact.at,
                    tags: Arc::clone(&changes.tags),
                }
            }
            Change::HandOver(event) => Imagined::HandedOver(Box::new(event.clone())),
            Change::Release => Imagined::Released(question.contact_id.clone()),
        };
        if self.everywhere.fetch_add(1, Ordering::Relaxed) >= MOST_IMAGINED {
            self.everywhere.fetch_sub(1, Ordering::Relaxed);
            changes.crowded = true;
            return false;
        }
        changes.count += 1;
        changes.of.entry(question.customer.clone()).or_default().push(imagined);
        true
    }
}

fn lock(changes: &Mutex<Changes>) -> MutexGuard<'_, Changes> {
    changes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for DryRun {
    fn drop(&mut self) {
        let count = self.changes.get_mut().unwrap_or_else(PoisonError::into_inner).count;
        self.everywhere.fetch_sub(count, Ordering::Relaxed);
    }
}

impl Gate {
    /// Judges as [`Gate::ask`] does, on records as the batch would have left them, and stores nothing.
    pub(super) async fn ask_dry<P>(
        &self,
        dry_run: &DryRun,
        block: &[Item],
        wanted: Wanted,
    ) -> Vec<Outcome<P>> {
        let outcomes = self.ask_as_if(dry_run, block, wanted).await.into_iter();
        let placed = outcomes.zip(block).map(|(outcome, Item { question, now })| match outcome {
            AsIf::Answered(answer) => Outcome::Answered(answer),
            AsIf::Misused(misuses) => Outcome::Misused(misuses),
            AsIf::Crowded => Outcome::Crowded,
            AsIf::Failed(error) => self.blind_dry(question, *now, &error),
        });
        placed.collect()
    }

    /// What the purpose's `when_blind` would answer; no journal is kept of it.
    fn blind_dry<P>(&self, question: &Question, now: Moment, error: &LedgerError) -> Outcome<P> {
        tracing::debug!(%error, "a dry run is answered blind");
        let misuses: Vec<Misuse> = question.misplaced(now).collect();
        if !misuses.is_empty() {
            return Outcome::Misused(misuses);
        }
        Outcome::Answered(Box::new(blind::answer(&self.policy(), &self.ledger.halts(), question, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_small_as_the_bound_says() {
        // Beside it stand the ids of contact and customer, and the place of the customer in the map.
        assert!(size_of::<Imagined>() <= 56, "{}", size_of::<Imagined>());
    }
}
