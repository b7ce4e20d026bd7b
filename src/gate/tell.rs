//! Tell: what really happened. Told twice, it counts once.

use crate::domain::event::Event;
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::ledger::LedgerError;

use super::{Gate, Stored};

/// An event and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub customer: Name,
    pub event: Event,
}

/// Who sent the contact that an event is about, as the event says or the record knows.
fn sender(record: &Record, event: &Event) -> Option<Name> {
    let known = || {
        let id = event.contact_id.as_ref()?;
        record.contacts().iter().rev().find(|contact| contact.id == *id)?.tags.sender.clone()
    };
    event.tags.sender.clone().or_else(known)
}

impl Gate {
    /// Enters events into their customers' records, in the order told, and returns once they are
    /// stored. After an error some may be stored; telling all again is harmless.
    ///
    /// # Errors
    /// When the ledger cannot store them.
    pub async fn tell(&self, told: &[Told], now: Moment) -> Result<(), LedgerError> {
        let mut rest = told;
        while let Some(first) = rest.first() {
            // Neighbours of one customer share a commit.
            let together = rest.iter().take_while(|told| told.customer == first.customer).count();
            let (batch, later) = rest.split_at(together);
            let senders = self.change(&first.customer, now, |record| {
                for told in batch {
                    record.tell(told.event.clone());
                }
                let senders: Vec<Option<Name>> =
                    batch.iter().map(|told| sender(record, &told.event)).collect();
                // Also where all of it was known: it may be on its way to the disk, and is confirmed so.
                (senders, Stored::Yes)
            });
            let senders = senders.await?;
            if let Some(witness) = &self.terms.witness {
                for (Told { event, .. }, sender) in batch.iter().zip(senders) {
                    witness.told(event, sender.as_deref(), now);
                }
            }
            rest = later;
        }
        Ok(())
    }
}
