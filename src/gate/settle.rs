//! Settling: what was allowed blind is told to the ledger, in order, as soon as it is back.

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

    /// Since when some were, without a moment at which there were none.
    #[must_use]
    pub fn unsettled_since(&self) -> Option<Moment> {
        self.terms.journal.as_ref().and_then(|journal| journal.waiting_since())
    }

    async fn enter(&self, entry: &Entry, now: Moment) -> Result<(), LedgerError> {
        let entered = self
            .change(&entry.customer, now, |record| {
                enter(record, entry);
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

/// Enters a contact that was allowed blind. Where the record knows it already, only what it does not know
/// is added; where it was given back before it was asked again, it is reserved again. What was asked before its
/// customer was erased is erased as well.
pub fn enter(record: &mut Record, entry: &Entry) {
    let contact = &entry.contact;
    if record.erased_at.is_some_and(|erased_at| entry.asked_at <= erased_at) {
        return;
    }
    match record.contact(&contact.id) {
        None => record.reserve(contact.clone()),
        Some(known) if known.question.is_none() => record.recognise(contact),
        Some(known)
            if !known.standing.counts() && known.told_at.is_none_or(|told| told <= entry.asked_at) =>
        {
            record.reserve(contact.clone());
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::{Contact, Fingerprint, Standing};
    use crate::domain::words::Tags;

    fn minute(number: i64) -> Moment {
        Moment::from_millis(number * 60_000)
    }

    fn contact(at: Moment) -> Contact {
        Contact {
            id: "m-1".into(),
            question: Some(Fingerprint(1)),
            tags: Tags { channel: Some("email".into()), ..Tags::default() },
            at,
            reserved_at: at,
            standing: Standing::Reserved,
            told_at: None,
        }
    }

    fn entry(minutes: i64) -> Entry {
        Entry { customer: "c".into(), contact: contact(minute(minutes)), asked_at: minute(minutes) }
    }

    #[test]
    fn told_twice_it_counts_once() {
        let mut record = Record::default();
        enter(&mut record, &entry(5));
        enter(&mut record, &entry(9));
        assert_eq!(record.contacts(), [contact(minute(5))]);
    }

    #[test]
    fn what_failed_before_it_was_asked_again_counts_again_and_what_failed_after_does_not() {
        for (failed, standing) in [(3, Standing::Reserved), (7, Standing::Failed)] {
            let mut known = contact(minute(1));
            (known.standing, known.told_at) = (Standing::Failed, Some(minute(failed)));
            let mut record = Record::default().with_history(vec![known], Vec::new());
            enter(&mut record, &entry(5));
            assert_eq!(
                record.contact("m-1").map(|known| known.standing),
                Some(standing),
                "failed at {failed}"
            );
        }
    }

    #[test]
    fn what_was_told_as_sent_meanwhile_gets_its_tags_and_its_question() {
        let mut sent = contact(minute(6));
        (sent.question, sent.tags, sent.standing) = (None, Tags::default(), Standing::Sent);
        sent.told_at = Some(minute(6));
        let mut record = Record::default().with_history(vec![sent], Vec::new());
        enter(&mut record, &entry(5));
        let known = record.contact("m-1").expect("known");
        assert_eq!((known.question, known.standing), (Some(Fingerprint(1)), Standing::Sent));
        assert_eq!(
            (known.tags.channel.as_deref(), known.at, known.reserved_at),
            (Some("email"), minute(6), minute(5))
        );
    }
}
