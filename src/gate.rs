//! The application's verbs: ask (one by one or in batches), explain, tell, put, halt. Gather, decide purely, commit.
//!
//! The gate is told the moment of every call; it reads no clock. What it does about a lost race (again)
//! and about a ledger that is away (the purpose's `when_blind`) is decided here, once for every ledger.

pub mod announce;
pub mod as_if;
pub mod ask;
pub mod batch;
pub mod blind;
mod block;
mod commit;
mod erase;
pub mod explain;
pub mod follow_up;
pub mod force;
mod losing;
pub mod outlook;
mod owing;
pub mod put;
pub mod refusals;
pub mod settle;
pub mod shadow;
pub mod tell;
pub mod witness;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::domain::moment::{Moment, Span};
use crate::domain::record::{Entry, KEPT, LONG_RECORD, LONGEST_RECORD, Record};
use crate::domain::window::Window;
use crate::ledger::journal::Journal;
use crate::ledger::{Committed, Connections, Keep, Ledger, LedgerError, Loaded, Revision};
use crate::rules::RuleKind;

use force::Force;
use refusals::RefusalQueue;
use witness::Witness;

/// The verbs, over the policy in force and one ledger.
pub struct Gate {
    force: ArcSwap<Force>,
    ledger: Arc<dyn Ledger>,
    terms: Terms,
    spell: blind::Spell,
    fresh: announce::Fresh,
    batches: batch::Shared,
    shadowing: shadow::Shadowing,
}

/// On what terms the ledger is used.
#[derive(Clone, Default)]
pub struct Terms {
    /// Shortens how long records keep contacts and events; `None` keeps what policies may look back on.
    pub retention: Option<Span>,
    /// How long one verb may wait for the ledger, all in all; `None` waits for ever.
    pub patience: Option<Duration>,
    /// Where contacts allowed blind wait for the ledger.
    pub journal: Option<Arc<Journal>>,
    /// Where refusals wait for it; `None`: nobody will ask what was refused.
    pub refusals: Option<Arc<RefusalQueue>>,
    /// Whether somebody announces follow-ups.
    pub announces: bool,
    /// Keeps only what the policy and the customer's wishes can look back on, and what is no older than this:
    /// where nobody else will ever look at the records.
    pub keeps_only: Option<Span>,
    /// Who counts what passes.
    pub witness: Option<Arc<dyn Witness>>,
}

/// How long after the longest look-back a record may still be wanted: clocks differ, and so do zones.
const KEPT_LONGER: Span = Span::from_days(30);

/// What is added to how far back anything can look.
const SPARE: Span = Span::from_days(2);

impl Gate {
    #[must_use]
    pub fn new(force: impl Into<Force>, ledger: Arc<dyn Ledger>, terms: Terms) -> Self {
        Self {
            force: ArcSwap::from_pointee(force.into()),
            ledger,
            terms,
            spell: blind::Spell::default(),
            fresh: announce::Fresh::default(),
            batches: batch::Shared::default(),
            shadowing: shadow::Shadowing::default(),
        }
    }

    /// Whether the ledger can be used.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn health(&self) -> Result<(), LedgerError> {
        self.ledger.health()
    }

    /// How the ledger's connections are; `None`: it needs none.
    #[must_use]
    pub fn ledger_connections(&self) -> Option<Connections> {
        self.ledger.connections()
    }

    /// One customer's record.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn record(&self, customer: &str) -> Result<Arc<Record>, LedgerError> {
        Ok(self.within(self.load(customer)).await?.record)
    }

    /// A record with what is still on its way to the ledger.
    async fn load(&self, customer: &str) -> Result<Loaded, LedgerError> {
        Ok(self.completed(customer, self.ledger.load(customer).await?))
    }

    /// The same of several customers, in their order.
    async fn load_all(&self, customers: &[&str]) -> Vec<Result<Loaded, LedgerError>> {
        let loads = self.ledger.load_all(customers).await.into_iter();
        let each = loads.zip(customers);
        each.map(|(loaded, customer)| loaded.map(|loaded| self.completed(customer, loaded))).collect()
    }

    fn completed(&self, customer: &str, mut loaded: Loaded) -> Loaded {
        if let Some(tombstone) = &loaded.tombstone {
            Arc::make_mut(&mut loaded.record).remember(tombstone);
        }
        if let Some(journal) = &self.terms.journal {
            for entry in journal.on_their_way(customer) {
                settle::enter(Arc::make_mut(&mut loaded.record), &entry);
            }
        }
        loaded
    }

    /// Bounds how long a verb waits for the ledger.
    async fn within<T>(&self, work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
        let done = match self.terms.patience {
            None => work.await,
            Some(limit) => {
                let slow = Err(LedgerError::Slow { limit_ms: limit.as_millis() as u64 });
                tokio::time::timeout(limit, work).await.unwrap_or(slow)
            }
        };
        if let (Err(LedgerError::Contended { .. }), Some(witness)) = (&done, &self.terms.witness) {
            witness.gave_up();
        }
        done
    }

    /// Loads a record, changes it and commits it, again for as long as others are first. `change` says
    /// what the call returns and whether there is anything to store.
    async fn change<T>(
        &self,
        customer: &str,
        now: Moment,
        mut change: impl FnMut(&mut Record) -> (T, Stored),
    ) -> Result<T, LedgerError> {
        self.within(async {
            let mut losses = losing::Losses::default();
            loop {
                let loaded = self.load(customer).await?;
                let before = self.owing(customer, &loaded.record);
                let mut record = Arc::unwrap_or_clone(loaded.record);
                let events = record.events().len();
                let (outcome, stored) = change(&mut record);
                // Of whom nothing is known and nothing is to be known, no record is made.
                if loaded.revision == Revision::ABSENT && record == Record::of(loaded.tombstone.as_deref()) {
                    return Ok(outcome);
                }
                // What is open and was never noted, under a policy that is new, is noted with the next event.
                let before = if record.events().len() == events { before } else { before.unnoted() };
                if stored == Stored::No {
                    return Ok(outcome);
                }
                self.compact(&mut record, now);
                let storing = self.storing(customer, loaded.revision, Arc::new(record), before, now);
                match self.commit(storing, now).await? {
                    Committed::Stored => return Ok(outcome),
                    Committed::Conflict => losses.one_more().await?,
                }
            }
        })
        .await
    }

    /// Keeps records bounded: drops what is too old for any policy, and of a long record what is too
    /// old for this one. What still starts a hold without an end stays.
    fn compact(&self, record: &mut Record, now: Moment) {
        let entries = record.contacts().len().max(record.events().len());
        let kept = self.terms.retention.map_or(KEPT, |retention| retention.min(KEPT));
        let kept = if entries > LONG_RECORD { kept.min(self.policy().longest_look_back()) } else { kept };
        let kept = self.terms.keeps_only.map_or(kept, |least| self.looks_back(record).max(least).min(kept));
        let horizon = now - kept;
        let is_old = record.contacts().first().is_some_and(|contact| contact.at < horizon)
            || record.events().first().is_some_and(|event| event.time < horizon);
        if !is_old && entries <= LONGEST_RECORD {
            return;
        }
        let policy = self.policy();
        let company = &policy.company;
        let counts = |contact: &crate::domain::contact::Contact| {
            contact.standing.counts()
                && contact.lapses_at(company.lapse_after).is_none_or(|lapse| now < lapse)
        };
        record.compact(horizon, counts, |entry| self.may_hold_for_ever(entry));
    }

    /// How far back anything can look that judges this customer's contacts, with a little to spare: a question may
    /// be about a moment that is just over, and days begin elsewhere earlier.
    fn looks_back(&self, record: &Record) -> Span {
        let wished = record.wishes.at_most.iter().map(|wished| wished.window.reach()).max();
        let longest = wished.unwrap_or_default().max(self.policy().longest_look_back());
        Span::from_millis(longest.millis() + SPARE.millis())
    }

    /// Whether anything in a record may matter to an answer at `now` or later, to a gate that keeps only such.
    #[must_use]
    pub fn may_matter(&self, record: &Record, now: Moment) -> bool {
        let kept = self.terms.keeps_only.map_or(KEPT, |least| self.looks_back(record).max(least));
        self.forgettable_since(record).is_none_or(|latest| latest >= now - kept)
    }

    /// Whether a hold without an end may rest on it.
    fn may_hold_for_ever(&self, entry: Entry<'_>) -> bool {
        self.policy().rules.iter().any(|rule| match &rule.kind {
            RuleKind::Hold(hold) => hold.may_look_back_on(entry),
            RuleKind::Cap(_) | RuleKind::ContactHours(_) | RuleKind::Requirement(_) => false,
        })
    }

    /// For how long the record matters: what people have said for ever, contacts and events until no
    /// window, lifetime counts and endless holds apart, can reach them.
    fn keep(&self, record: &Record, now: Moment) -> Keep {
        match self.forgettable_since(record) {
            Some(latest) => Keep::For(latest.max(now) + KEPT + KEPT_LONGER - now),
            None => Keep::Forever,
        }
    }

    /// The latest entry of a record in which nothing matters for ever.
    fn forgettable_since(&self, record: &Record) -> Option<Moment> {
        let counts_lifetimes = self.policy().rules.iter().any(|rule| match &rule.kind {
            RuleKind::Cap(cap) => matches!(cap.window, Window::Lifetime),
            RuleKind::Hold(_) | RuleKind::ContactHours(_) | RuleKind::Requirement(_) => false,
        });
        let holds_for_ever = || {
            record.contacts().iter().any(|contact| self.may_hold_for_ever(Entry::Contact(contact)))
                || record.events().iter().any(|event| self.may_hold_for_ever(Entry::Event(event)))
        };
        record.latest().filter(|_| !record.has_a_say() && !counts_lifetimes && !holds_for_ever())
    }
}

/// Whether a change is worth a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Yes,
    No,
}
