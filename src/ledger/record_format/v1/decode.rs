//! From the first stored shape to a record.

use crate::domain::consent::{Consent, ConsentWord};
use crate::domain::event::{Event, EventKey};
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::suppression::{Lift, Scope, Suppression, Suppressions};
use crate::ledger::LedgerError;
use crate::ledger::record_format::reading::{Reading, id, unreadable, waiting};

use super::{StoredConsent, StoredEvent, StoredRecord, StoredSuppression};

pub fn decode(bytes: &[u8]) -> Result<Record, LedgerError> {
    let stored: StoredRecord<'_> = postcard::from_bytes(bytes).map_err(unreadable)?;
    let reading = Reading::new(stored.names, stored.tag_sets)?;
    let contacts = reading.contacts(stored.contacts)?;
    let mut record = Record::default();
    record.waiting = waiting(stored.waiting)?;
    record.tallies = reading.tallies(stored.tallies)?;
    record.consents =
        stored.consents.into_iter().map(|one| consent(&one, &reading)).collect::<Result<_, _>>()?;
    record.facts = reading.facts(stored.facts)?;
    record.wishes = reading.wishes(stored.wishes)?;
    record.suppressions = suppressions(stored.suppressions, &reading)?;
    Ok(record.with_history(contacts, events(stored.events, &reading)?))
}

fn events(stored: Vec<StoredEvent<'_>>, reading: &Reading) -> Result<Vec<Event>, LedgerError> {
    let mut time_ms = 0_i64;
    let mut events = Vec::with_capacity(stored.len());
    for event in stored {
        time_ms = time_ms.saturating_add(event.time_gap_ms);
        let key = EventKey(u64::from_le_bytes(event.key));
        events.push(Event {
            contact_id: event.contact_id.as_ref().map(id),
            tags: reading.tags(event.tags)?,
            every_purpose: event.every_purpose,
            expires_at: event.expires_at_ms.map(Moment::from_millis),
            ..Event::plain(key, reading.kind(event.kind)?, Moment::from_millis(time_ms))
        });
    }
    Ok(events)
}

fn consent(stored: &StoredConsent, reading: &Reading) -> Result<Consent, LedgerError> {
    Ok(Consent {
        channel: reading.name(stored.channel)?,
        purpose: reading.name(stored.purpose)?,
        time: Moment::from_millis(stored.time_ms),
        word: if stored.granted { ConsentWord::Granted } else { ConsentWord::Withdrawn },
        expires_at: stored.expires_at_ms.map(Moment::from_millis),
        evidence: None,
        source: None,
    })
}

/// The first version kept the latest moments of each channel.
fn suppressions(stored: Vec<StoredSuppression>, reading: &Reading) -> Result<Suppressions, LedgerError> {
    let mut all = Suppressions::default();
    for stored in stored {
        let channel = reading.name(stored.channel)?;
        let since = [
            (Scope::Ordinary, stored.unsubscribed_at_ms),
            (Scope::EveryPurpose, stored.unsubscribed_for_every_purpose_at_ms),
        ];
        for (scope, since_ms) in since {
            if let Some(since_ms) = since_ms {
                let since = Moment::from_millis(since_ms);
                all.suppress(Suppression {
                    channel: channel.clone(),
                    scope,
                    since,
                    until: None,
                    reason: None,
                    source: None,
                });
            }
        }
        if let Some(at_ms) = stored.resubscribed_at_ms {
            all.lift(Lift { channel, purpose: None, at: Moment::from_millis(at_ms) });
        }
    }
    Ok(all)
}
