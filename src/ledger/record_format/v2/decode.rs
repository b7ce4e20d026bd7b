//! From the second stored shape to a record.

use crate::domain::account::{Account, Provenance};
use crate::domain::consent::{Consent, ConsentWord};
use crate::domain::event::{Event, EventKey};
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::suppression::{Lift, Scope, Suppression, Suppressions};
use crate::ledger::LedgerError;
use crate::ledger::record_format::reading::{Reading, id, unreadable, waiting};

use super::{
    EVERY_PURPOSE, PENDING, StoredAccount, StoredConsent, StoredEvent, StoredLift, StoredProvenance,
    StoredRecord, StoredScope, StoredSuppression,
};

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
    record.wishes_set = stored.wishes_set.map(|set| provenance(&set, &reading)).transpose()?;
    record.suppressions = suppressions(stored.suppressions, stored.lifts, &reading)?;
    Ok(record.with_history(contacts, events(stored.events, &reading)?))
}

fn events(stored: Vec<StoredEvent<'_>>, reading: &Reading) -> Result<Vec<Event>, LedgerError> {
    let mut time_ms = 0_i64;
    let mut events = Vec::with_capacity(stored.len());
    for event in stored {
        time_ms = time_ms.saturating_add(event.time_gap_ms);
        events.push(Event {
            key: EventKey(u64::from_le_bytes(event.key)),
            kind: reading.kind(event.kind)?,
            time: Moment::from_millis(time_ms),
            contact_id: event.contact_id.as_ref().map(id),
            tags: reading.tags(event.tags)?,
            every_purpose: event.flags & EVERY_PURPOSE != 0,
            purposes: reading.named_each(event.purposes)?,
            expires_at: event.expires_at_ms.map(Moment::from_millis),
            pending: event.flags & PENDING != 0,
            account: event.account.map(|stored| account(&stored, reading)).transpose()?.map(Box::new),
        });
    }
    Ok(events)
}

fn account(stored: &StoredAccount, reading: &Reading) -> Result<Account, LedgerError> {
    Ok(Account {
        by: reading.name(stored.by)?,
        through: reading.name(stored.through)?,
        reason: reading.name(stored.reason)?,
        source: reading.name(stored.source)?,
        evidence: reading.name(stored.evidence)?,
        text: reading.name(stored.text)?,
    })
}

fn consent(stored: &StoredConsent, reading: &Reading) -> Result<Consent, LedgerError> {
    let word = match stored.word {
        0 => ConsentWord::Pending,
        1 => ConsentWord::Granted,
        2 => ConsentWord::Withdrawn,
        other => return Err(unreadable(format!("a word {other} on consent is unknown"))),
    };
    Ok(Consent {
        channel: reading.name(stored.channel)?,
        purpose: reading.name(stored.purpose)?,
        time: Moment::from_millis(stored.time_ms),
        word,
        expires_at: stored.expires_at_ms.map(Moment::from_millis),
        evidence: reading.name(stored.evidence)?,
        source: reading.name(stored.source)?,
    })
}

fn provenance(stored: &StoredProvenance, reading: &Reading) -> Result<Provenance, LedgerError> {
    Ok(Provenance {
        at: Moment::from_millis(stored.at_ms),
        by: reading.name(stored.by)?,
        through: reading.name(stored.through)?,
    })
}

fn suppressions(
    suppressions: Vec<StoredSuppression>,
    lifts: Vec<StoredLift>,
    reading: &Reading,
) -> Result<Suppressions, LedgerError> {
    let lift = |stored: StoredLift| {
        Ok(Lift {
            channel: reading.name(stored.channel)?,
            purpose: reading.name(stored.purpose)?,
            at: Moment::from_millis(stored.at_ms),
        })
    };
    let suppression = |stored: StoredSuppression| {
        let scope = match stored.scope {
            StoredScope::Ordinary => Scope::Ordinary,
            StoredScope::Purpose(purpose) => Scope::Purpose(reading.named(purpose)?),
            StoredScope::EveryPurpose => Scope::EveryPurpose,
        };
        Ok(Suppression {
            channel: reading.name(stored.channel)?,
            scope,
            since: Moment::from_millis(stored.since_ms),
            until: stored.until_ms.map(Moment::from_millis),
            reason: reading.name(stored.reason)?,
            source: reading.name(stored.source)?,
        })
    };
    let lifts: Vec<Lift> = lifts.into_iter().map(lift).collect::<Result<_, LedgerError>>()?;
    let suppressions: Vec<Suppression> =
        suppressions.into_iter().map(suppression).collect::<Result<_, LedgerError>>()?;
    Ok(Suppressions::of(suppressions, lifts))
}
