//! Refusals on their way to the ledger: noted after the answer, told later, so that no ask ever waits for them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::refusal::{self, Refusal};
use crate::domain::words::{Name, Verdict};
use crate::ledger::LedgerError;

use super::Gate;

/// The most customers whose refusals wait: some tens of megabytes. What comes on top is counted, and not kept.
const MOST_WAITING: usize = 65_536;
/// Of so many customers a batch tells the ledger when it finds no room: one group commit.
const ROOM: usize = 1_024;
/// So many customers' refusals are told at once.
const AT_ONCE: usize = 128;

/// What was refused and is not told to the ledger yet.
#[derive(Debug, Default)]
pub struct RefusalQueue {
    waiting: Mutex<HashMap<Name, Vec<Refusal>>>,
    dropped: AtomicU64,
    /// One at a time makes room; the others wait for it to be made.
    making_room: tokio::sync::Mutex<()>,
}

impl RefusalQueue {
    /// Notes what an answer refused, if it did.
    pub fn note(&self, question: &Question, answer: &Answer, now: Moment) {
        if answer.verdict == Verdict::Allow {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = waiting.get_mut(&question.customer)
            && refusal::count_again(known, question, answer, now)
        {
            return;
        }
        let Some(refused) = Refusal::of(question, answer, now) else { return };
        let is_full = waiting.len() >= MOST_WAITING;
        match waiting.entry(question.customer.clone()) {
            Entry::Occupied(mut known) => refusal::add(known.get_mut(), refused),
            Entry::Vacant(_) if is_full => drop(self.dropped.fetch_add(1, Ordering::Relaxed)),
            Entry::Vacant(free) => drop(free.insert(vec![refused])),
        }
    }

    /// Whether what is refused about another customer would be dropped.
    fn is_full(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len() >= MOST_WAITING
    }

    fn take(&self, most: usize) -> Vec<(Name, Vec<Refusal>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() <= most {
            return std::mem::take(&mut *waiting).into_iter().collect();
        }
        let customers: Vec<Name> = waiting.keys().take(most).cloned().collect();
        customers.into_iter().filter_map(|customer| waiting.remove_entry(&customer)).collect()
    }

    /// What waits for one customer.
    fn of(&self, customer: &str) -> Vec<Refusal> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(customer).cloned().unwrap_or_default()
    }

    pub(super) fn forget(&self, customer: &str) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(customer);
    }
}

impl Gate {
    /// Refusals that no timeline will show, since too many came at once.
    #[must_use]
    pub fn refusals_dropped(&self) -> u64 {
        self.terms.refusals.as_ref().map_or(0, |queue| queue.dropped.load(Ordering::Relaxed))
    }

    /// What was lately refused about a customer, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn refusals(&self, customer: &str) -> Result<Vec<Refusal>, LedgerError> {
        let mut known = self.within(self.ledger.refusals(customer)).await?;
        if let Some(queue) = &self.terms.refusals {
            queue.of(customer).into_iter().for_each(|one| refusal::add(&mut known, one));
        }
        Ok(known)
    }

    /// Notes what an answer of a batch refused. Nobody waits for that answer alone, so where there is no room this
    /// makes some, rather than drop what was refused; a ledger that is away is not waited for.
    pub(super) async fn note_with_room(&self, question: &Question, answer: &Answer, now: Moment) {
        let Some(refusals) = self.terms.refusals.as_ref().filter(|_| answer.verdict != Verdict::Allow) else {
            return;
        };
        if refusals.is_full() {
            let _turn = refusals.making_room.lock().await;
            if refusals.is_full() && self.health().is_ok() {
                self.tell_refusals(ROOM).await;
            }
        }
        refusals.note(question, answer, now);
    }

    /// Tells the ledger the refusals of at most so many customers; returns of how many. What cannot be told is
    /// lost, as a crash would lose it.
    pub async fn tell_refusals(&self, most: usize) -> usize {
        let Some(queue) = &self.terms.refusals else { return 0 };
        let taken = queue.take(most);
        let customers = taken.len();
        let mut taken = taken.into_iter().peekable();
        while taken.peek().is_some() {
            let together = taken.by_ref().take(AT_ONCE).collect();
            if let Err(error) = self.within(self.ledger.add_refusals(together)).await {
                tracing::debug!(%error, "refusals were not noted");
            }
        }
        customers
    }
}
