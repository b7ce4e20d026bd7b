//! Settling: what was allowed blind is told to the ledger, in order, as soon as it is back.

use crate::domain::contact::Contact;
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::ledger::LedgerError;
use crate::ledger::journal::{Entry, JournalError};

use super::{Gate, Stored};

/// Why what was allowed blind still waits.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Gate {
    /// Tells the ledger everything that waits for it, also what a process that is gone has left;
    /// returns how much that was. Nothing is lost by an error, and nothing counted twice by another try.
    ///
    /// # Errors
    /// When the ledger is still away, or the journal cannot be read.
    pub async fn settle(&self, now: Moment) -> Result<usize, SettleError> {
        let Some(journal) = &self.terms.journal else { return Ok(0) };
        let mut told = 0;
        while let Some(batch) = journal.oldest().await? {
            for entry in &batch.entries {
                self.enter(entry, now).await?;
                journal.told(entry);
                told += 1;
            }
            journal.drop_file(&batch).await?;
        }
        Ok(told)
    }

    /// Notices the end of a time of blind answers; called now and then.
    pub fn look_for_the_end_of_blindness(&self) {
        self.spell.look();
    }

    /// Contacts of this process that were allowed blind and not told to the ledger yet.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.terms.journal.as_ref().map_or(0, |journal| journal.depth())
    }

    async fn enter(&self, entry: &Entry, now: Moment) -> Result<(), LedgerError> {
        let entered = self
            .change(&entry.customer, now, |record| {
                enter(record, entry.contact.clone());
                ((), Stored::Yes)
            })
            .await;
        match entered {
            // Waiting would help nobody, and keep the others waiting.
            Err(error @ LedgerError::Unreadable { .. }) => {
                tracing::error!(%error, "a contact allowed blind cannot be counted: its customer's record is unreadable");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Enters a contact that was allowed blind, unless the record knows it.
pub fn enter(record: &mut Record, contact: Contact) {
    if record.contact(&contact.id).is_none() {
        record.reserve(contact);
    }
}
