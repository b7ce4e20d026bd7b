//! Erase: everything known of a customer goes, but that they want to be left alone.

use std::sync::Arc;

use crate::domain::moment::Moment;
use crate::domain::tombstone::Tombstone;
use crate::ledger::{Committed, LedgerError};

use super::Gate;
use super::losing::Losses;
use super::settle::SettleError;

impl Gate {
    /// Erases a customer and returns what is kept under a keyed hash of their id. Answers once all of it is gone.
    ///
    /// # Errors
    /// When the ledger cannot do all of it; what is done stays done, and another call does the rest.
    pub async fn erase(&self, customer: &str, now: Moment) -> Result<Tombstone, LedgerError> {
        self.settle_first(customer, now).await?;
        let mut losses = Losses::default();
        let tombstone = loop {
            let loaded = self.within(self.load(customer)).await?;
            let tombstone = Arc::new(Tombstone::of(&loaded.record, now));
            // No bound on the wait: a ledger on disk writes all of itself anew.
            match self.ledger.erase(customer, loaded.revision, Arc::clone(&tombstone)).await? {
                Committed::Stored => break tombstone,
                Committed::Conflict => losses.one_more().await?,
            }
        };
        if let Some(queue) = &self.terms.refusals {
            queue.forget(customer);
        }
        self.shadowing.forget(customer);
        Ok(Arc::unwrap_or_clone(tombstone))
    }

    /// Contacts allowed blind stand in the journal's files with their customer's id until the ledger has them.
    async fn settle_first(&self, customer: &str, now: Moment) -> Result<(), LedgerError> {
        let waits = |journal: &crate::ledger::journal::Journal| !journal.on_their_way(customer).is_empty();
        if !self.terms.journal.as_deref().is_some_and(waits) {
            return Ok(());
        }
        self.settle(now).await.map(drop).map_err(|error| match error {
            SettleError::Ledger(error) => error,
            SettleError::Journal(error) => {
                LedgerError::Unavailable { operation: "read the journal", why: error.to_string() }
            }
        })
    }
}
