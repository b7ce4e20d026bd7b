//! Put: wishes, facts, suppressions, halts: what is set rather than told.

use crate::domain::fact::{Fact, Facts};
use crate::domain::moment::Moment;
use crate::domain::suppression::Reach;
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
    /// For each channel (`None`: all), whether it is suppressed.
    pub suppressions: Vec<(Option<Name>, bool)>,
    /// Who set it, and through what they did: a channel, a page, a desk.
    pub by: Option<Name>,
    pub through: Option<Name>,
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
            if let Some(wishes) = &put.wishes {
                record.wishes = wishes.clone();
            }
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
            for (channel, suppressed) in &put.suppressions {
                if *suppressed {
                    record.suppressions.unsubscribe(channel.clone(), Reach::Ordinary, now);
                } else {
                    record.suppressions.resubscribe(channel.clone(), now);
                }
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
