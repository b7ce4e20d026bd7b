//! Announce: follow-ups that opened, or were not done in time, are told to whoever listens; each once, and again
//! for as long as it could not be told.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::domain::event::Event;
use crate::domain::follow_up::{self, FollowUp, News};
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::ledger::{Appended, LedgerError};

use super::{Gate, Stored};

/// Whoever tells others of follow-ups.
pub trait Herald {
    /// By which it is remembered what it has told.
    fn name(&self) -> &'static str;

    /// Whether anybody can hear it at all.
    fn is_listened_to(&self) -> bool;

    /// Tells the news; `false`: it could not, and is to be asked again. What is told twice, after a crash, names the
    /// same id both times.
    fn tell<'a>(&'a self, news: News, follow_up: &'a FollowUp, now: Moment) -> LocalBoxFuture<'a, bool>;
}

/// How all follow-ups of one kind stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    pub open: u64,
    pub overdue: u64,
    /// For how long the one that was opened first has been open.
    pub oldest: Span,
}

/// What a look through all follow-ups has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedThrough {
    pub kinds: BTreeMap<Name, Owed>,
    /// Customers for whom some are open.
    pub customers: u64,
}

/// Customers for whom a follow-up was opened by this process, and not announced yet.
#[derive(Debug, Default)]
pub(super) struct Fresh(Mutex<HashSet<Name>>);

impl Fresh {
    pub fn add(&self, customer: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(customer.into());
    }

    fn take(&self) -> HashSet<Name> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many customers are looked at on one page of those who are owed something.
const PAGE: usize = 256;

impl Gate {
    /// Announces what this process has opened lately.
    pub async fn announce_fresh(&self, heralds: &[Box<dyn Herald>], now: Moment) {
        for customer in self.fresh.take() {
            if let Err(error) = self.announce(&customer, heralds, now).await {
                // It is found again by the look through all.
                tracing::debug!(%error, "a follow-up was not announced at once");
            }
        }
    }

    /// Looks through all that people owe: announces what was not, escalates what is overdue, and says how each kind
    /// stands.
    ///
    /// # Errors
    /// When the ledger cannot be read; what was announced by then is.
    pub async fn look_through(
        &self,
        heralds: &[Box<dyn Herald>],
        now: Moment,
    ) -> Result<LookedThrough, LedgerError> {
        let LookedThrough { mut kinds, mut customers } = LookedThrough::default();
        for duty in &self.policy().company.duties {
            kinds.insert(duty.kind.clone(), Owed::default());
        }
        let mut seen = HashSet::new();
        let mut skip = 0;
        loop {
            let page = self.within(self.ledger.due(skip, PAGE)).await?;
            if page.is_empty() {
                return Ok(LookedThrough { kinds, customers });
            }
            skip += page.len();
            for due in page {
                if !seen.insert(due.customer.clone()) {
                    continue;
                }
                let open = match self.announce(&due.customer, heralds, now).await {
                    Err(error @ LedgerError::Unreadable { .. }) => {
                        tracing::error!(%error, "a record with follow-ups cannot be read; they are left out");
                        continue;
                    }
                    open => open?,
                };
                customers += u64::from(!open.is_empty());
                for one in open {
                    let kind = kinds.entry(one.kind.clone()).or_default();
                    kind.open += 1;
                    kind.overdue += u64::from(one.is_overdue(now));
                    kind.oldest = kind.oldest.max(now - one.opened_at);
                }
            }
        }
    }

    /// Announces one customer's follow-ups, and returns those that are open.
    async fn announce(
        &self,
        customer: &Name,
        heralds: &[Box<dyn Herald>],
        now: Moment,
    ) -> Result<Vec<FollowUp>, LedgerError> {
        let record = self.record(customer).await?;
        let open = self.owed_to(customer, &record);
        for one in &open {
            if one.is_overdue(now) && one.escalated_at.is_none() {
                self.note(one, follow_up::escalation(one.id, now), now).await?;
            }
            for herald in heralds.iter().filter(|herald| herald.is_listened_to()) {
                for news in news(&record, one, herald.name(), now) {
                    if herald.tell(news, one, now).await {
                        let told = follow_up::announcement(one.id, news, herald.name(), now);
                        self.note(one, told, now).await?;
                    }
                }
            }
        }
        Ok(open)
    }

    /// Notes something of a follow-up, if it is still open: its customer may be erased by now.
    async fn note(&self, one: &FollowUp, event: Event, now: Moment) -> Result<(), LedgerError> {
        self.change(&one.handle.customer, now, |record| {
            let is_noted = self.open_one(record, &one.handle).is_some() && record.tell(event.clone());
            ((), if is_noted { Stored::Yes } else { Stored::No })
        })
        .await
    }

    /// Whether it is this process's turn to look through what all processes have opened.
    pub async fn takes_turn(&self, chore: &str, span: Span) -> bool {
        self.ledger.take_turn(chore, span).await.unwrap_or(false)
    }

    /// Whether programs beside this one can follow a stream that the ledger offers.
    #[must_use]
    pub fn offers_a_stream(&self) -> bool {
        self.ledger.offers_a_stream()
    }

    /// Appends to that stream.
    ///
    /// # Errors
    /// When it could not be appended.
    pub async fn publish(&self, entry: &[(&str, String)]) -> Result<(), LedgerError> {
        self.within(self.ledger.publish(entry)).await
    }

    /// Appends lines to the ledger's stream of decisions.
    ///
    /// # Errors
    /// When that took too long; how many were appended is not known then.
    pub async fn log_decisions(&self, lines: &[&[u8]], max_lines: usize) -> Result<Appended, LedgerError> {
        self.within(self.ledger.log_decisions(lines, max_lines).map(Ok)).await
    }
}

/// What a herald has still to tell of a follow-up.
fn news(record: &Record, one: &FollowUp, herald: &str, now: Moment) -> Vec<News> {
    let is_news = |news: &News| match news {
        News::Opened => true,
        News::Escalated => one.is_overdue(now),
    };
    let told = |news: News| follow_up::was_announced(record, one.id, news, herald);
    News::ALL.into_iter().filter(is_news).filter(|news| !told(*news)).collect()
}
