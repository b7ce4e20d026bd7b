//! Put: wishes, facts, suppressions, halts: what is set rather than told.

use crate::domain::account::{Account, Provenance};
use crate::domain::event::{Event, EventKey};
use crate::domain::fact::{Fact, Facts};
use crate::domain::moment::Moment;
use crate::domain::note::{SUPPRESSED, UNSUPPRESSED, WISHED, derived, note};
use crate::domain::record::Record;
use crate::domain::suppression::{Lift, Scope, Suppression};
use crate::domain::wall_clock::Zone;
use crate::domain::wishes::Wishes;
use crate::domain::words::Name;
use crate::ledger::LedgerError;

use super::{Gate, Stored};

/// What is set about one customer; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Put {
    /// Replaces all wishes.
    pub wishes: Option<Wishes>,
    /// Merged by name; `None` forgets.
    pub facts: Facts,
    pub suppressions: Vec<SuppressionPut>,
    /// Who set it, and through what they did: a channel, a page, a desk.
    pub by: Option<Name>,
    pub through: Option<Name>,
}

/// One channel (`None`: all) to be left alone, or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuppressionPut {
    Suppress {
        channel: Option<Name>,
        /// At least one.
        scopes: Vec<Scope>,
        until: Option<Moment>,
        reason: Option<Name>,
        source: Option<Name>,
    },
    Lift {
        channel: Option<Name>,
        /// Empty: all.
        purposes: Vec<Name>,
    },
}

impl SuppressionPut {
    /// Everything the policy does not exempt, for ever.
    #[must_use]
    pub fn plain(channel: Option<Name>) -> Self {
        Self::Suppress { channel, scopes: vec![Scope::Ordinary], until: None, reason: None, source: None }
    }

    /// Everything on that channel is taken back.
    #[must_use]
    pub const fn taken_back(channel: Option<Name>) -> Self {
        Self::Lift { channel, purposes: Vec::new() }
    }
}

/// The most facts kept about one customer.
pub const MOST_FACTS: usize = 500;

/// Why nothing was set.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error("at most {MOST_FACTS} facts are kept about one customer; forget some by setting them to null")]
    TooManyFacts,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Gate {
    /// Sets what `put` says, all of it or nothing.
    ///
    /// # Errors
    /// When there would be too many facts, or the ledger cannot store it.
    pub async fn put(&self, customer: &str, put: &Put, now: Moment) -> Result<(), PutError> {
        self.change(customer, now, |record| {
            for (name, fact) in &put.facts {
                match fact {
                    // Without `as_of` a fact is of the moment it was told.
                    Some(fact) => {
                        let fact = Fact { value: fact.value.clone(), as_of: fact.as_of.or(Some(now)) };
                        record.facts.insert(name.clone(), Some(fact));
                    }
                    None => {
                        record.facts.remove(name);
                    }
                }
            }
            if record.facts.len() > MOST_FACTS {
                return (Err(PutError::TooManyFacts), Stored::No);
            }
            if let Some(wishes) = &put.wishes {
                let zone = self.policy().company.zone_of(record);
                wish(record, wishes, put, &zone, now);
            }
            for suppression in &put.suppressions {
                set_suppression(record, suppression, put, now);
            }
            (Ok(()), Stored::Yes)
        })
        .await?
    }

    /// Halts a campaign for every customer, or lifts its halt.
    ///
    /// # Errors
    /// When the ledger cannot store it.
    pub async fn set_halt(&self, campaign: &str, halted: bool, now: Moment) -> Result<(), LedgerError> {
        self.within(self.ledger.set_halt(campaign, halted.then_some(now))).await
    }
}

/// A note of what was set, once for each moment and what it says.
fn noted(kind: &str, what: &str, account: Account, now: Moment) -> Event {
    let key = EventKey(derived(derived(now.millis() as u64, kind), what));
    Event { account: account.boxed(), ..note(key, kind, now) }
}

fn account(put: &Put) -> Account {
    Account { by: put.by.clone(), through: put.through.clone(), ..Account::default() }
}

fn wish(record: &mut Record, wishes: &Wishes, put: &Put, zone: &Zone, now: Moment) {
    if record.wishes != *wishes {
        let words = wishes.in_words(zone);
        let account = Account { text: Some(words.as_str().into()), ..account(put) };
        record.tell(noted(WISHED, &words, account, now));
    }
    record.wishes = wishes.clone();
    record.wishes_set = Some(Provenance { at: now, by: put.by.clone(), through: put.through.clone() });
}

fn set_suppression(record: &mut Record, what: &SuppressionPut, put: &Put, now: Moment) {
    let is_news = match what {
        SuppressionPut::Suppress { channel, scopes, until, reason, source } => {
            let mut is_news = false;
            for scope in scopes {
                let suppression = Suppression {
                    channel: channel.clone(),
                    scope: scope.clone(),
                    since: now,
                    until: *until,
                    reason: reason.clone(),
                    source: source.clone(),
                };
                is_news |= !record.suppressions.says(&suppression);
                record.suppressions.suppress(suppression);
            }
            is_news
        }
        SuppressionPut::Lift { channel, purposes } => {
            let is_news = !record.suppressions.all().is_empty();
            let named = purposes.iter().cloned().map(Some);
            for purpose in named.chain(purposes.is_empty().then_some(None)) {
                record.suppressions.lift(Lift { channel: channel.clone(), purpose, at: now });
            }
            is_news
        }
    };
    if is_news {
        record.tell(suppression_note(what, put, now));
    }
}

fn suppression_note(what: &SuppressionPut, put: &Put, now: Moment) -> Event {
    let mut account = account(put);
    match what {
        SuppressionPut::Suppress { channel, scopes, until, reason, source } => {
            (account.reason, account.source) = (reason.clone(), source.clone());
            let mut event = noted(SUPPRESSED, &format!("{channel:?} {scopes:?} {until:?}"), account, now);
            event.tags.channel.clone_from(channel);
            event.every_purpose = scopes.contains(&Scope::EveryPurpose);
            event.purposes = scopes.iter().filter_map(Scope::purpose).cloned().collect();
            event.expires_at = *until;
            event
        }
        SuppressionPut::Lift { channel, purposes } => {
            let mut event = noted(UNSUPPRESSED, &format!("{channel:?} {purposes:?}"), account, now);
            event.tags.channel.clone_from(channel);
            event.purposes.clone_from(purposes);
            event
        }
    }
}
