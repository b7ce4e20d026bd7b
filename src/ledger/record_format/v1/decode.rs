//! From the first stored shape to a record.

use uuid::Uuid;

use crate::domain::contact::{Contact, Fingerprint, Standing};
use crate::domain::event::{Event, EventKey, EventKind};
use crate::domain::fact::{Fact, FactValue};
use crate::domain::moment::{MINUTE_MS, Moment};
use crate::domain::opening_hours::{OpenRange, OpeningHours};
use crate::domain::record::{Consent, Record, Tally, Waiting};
use crate::domain::suppression::{self, Suppressions};
use crate::domain::window::Window;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::{ClaimSet, Delivery, Name, Tags};
use crate::ledger::LedgerError;

use super::{NameNumber, StoredId, StoredRecord, StoredTags, StoredValue, StoredWishes};

fn unreadable(why: impl std::fmt::Display) -> LedgerError {
    LedgerError::Unreadable { why: why.to_string() }
}

/// A record being read: names and tag sets, each made once and shared.
struct Reading {
    names: Vec<Name>,
    tag_sets: Vec<Tags>,
}

impl Reading {
    fn name(&self, number: NameNumber) -> Result<Option<Name>, LedgerError> {
        match number.checked_sub(1) {
            None => Ok(None),
            Some(index) => self
                .names
                .get(index as usize)
                .cloned()
                .map(Some)
                .ok_or_else(|| unreadable("a name is missing")),
        }
    }

    fn named(&self, number: NameNumber) -> Result<Name, LedgerError> {
        self.name(number)?.ok_or_else(|| unreadable("a name is missing"))
    }

    fn named_each(&self, numbers: Vec<NameNumber>) -> Result<Vec<Name>, LedgerError> {
        numbers.into_iter().map(|number| self.named(number)).collect()
    }

    fn tags(&self, number: u32) -> Result<Tags, LedgerError> {
        self.tag_sets.get(number as usize).cloned().ok_or_else(|| unreadable("a tag set is missing"))
    }

    fn tag_set(&self, stored: StoredTags) -> Result<Tags, LedgerError> {
        let delivery = match stored.delivery.checked_sub(1) {
            None => None,
            Some(index) => {
                let known = Delivery::ALL.get(index as usize).copied();
                Some(known.ok_or_else(|| unreadable("an unknown delivery"))?)
            }
        };
        Ok(Tags {
            channel: self.name(stored.channel)?,
            purpose: self.name(stored.purpose)?,
            delivery,
            campaign: self.name(stored.campaign)?,
            category: self.name(stored.category)?,
            brand: self.name(stored.brand)?,
            subject: self.name(stored.subject)?,
            sender: self.name(stored.sender)?,
            claims: ClaimSet::from_bits(stored.claims),
        })
    }
}

fn id(stored: &StoredId<'_>) -> Name {
    match stored {
        StoredId::Uuid(bytes) => {
            (&*Uuid::from_bytes(*bytes).as_hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
        }
        StoredId::Text(text) => (*text).into(),
    }
}

fn standing(stored: u8) -> Result<Standing, LedgerError> {
    match stored {
        0 => Ok(Standing::Reserved),
        1 => Ok(Standing::Sent),
        2 => Ok(Standing::Cancelled),
        3 => Ok(Standing::Failed),
        other => Err(unreadable(format!("standing {other} is unknown"))),
    }
}

pub fn decode(bytes: &[u8]) -> Result<Record, LedgerError> {
    let stored: StoredRecord<'_> = postcard::from_bytes(bytes).map_err(unreadable)?;
    let mut reading =
        Reading { names: stored.names.into_iter().map(Name::from).collect(), tag_sets: Vec::new() };
    reading.tag_sets =
        stored.tag_sets.into_iter().map(|tags| reading.tag_set(tags)).collect::<Result<_, _>>()?;

    let mut at_ms = 0_i64;
    let mut contacts = Vec::with_capacity(stored.contacts.len());
    for contact in stored.contacts {
        at_ms = at_ms.saturating_add(contact.at_gap_ms);
        contacts.push(Contact {
            id: id(&contact.id),
            question: contact.question.map(|bytes| Fingerprint(u64::from_le_bytes(bytes))),
            tags: reading.tags(contact.tags)?,
            at: Moment::from_millis(at_ms),
            reserved_at: Moment::from_millis(at_ms.saturating_sub(contact.reserved_before_ms)),
            standing: standing(contact.standing)?,
            told_at: contact
                .told_after_ms
                .map(|after_ms| Moment::from_millis(at_ms.saturating_add(after_ms))),
        });
    }
    let mut time_ms = 0_i64;
    let mut events = Vec::with_capacity(stored.events.len());
    for event in stored.events {
        time_ms = time_ms.saturating_add(event.time_gap_ms);
        let kind = reading.named(event.kind)?;
        events.push(Event {
            key: EventKey(u64::from_le_bytes(event.key)),
            kind: EventKind::parse(&kind).ok_or_else(|| unreadable(format!("event `{kind}` is unknown")))?,
            time: Moment::from_millis(time_ms),
            contact_id: event.contact_id.as_ref().map(id),
            tags: reading.tags(event.tags)?,
            every_purpose: event.every_purpose,
            expires_at: event.expires_at_ms.map(Moment::from_millis),
        });
    }
    let mut record = Record::default();
    for waiting in stored.waiting {
        record.waiting.push(Waiting {
            contact_id: id(&waiting.contact_id),
            standing: standing(waiting.standing)?,
            time: Moment::from_millis(waiting.time_ms),
        });
    }
    for (tags, contacts) in stored.tallies {
        record.tallies.push(Tally { tags: reading.tags(tags)?, contacts });
    }
    for consent in stored.consents {
        record.consents.push(Consent {
            channel: reading.name(consent.channel)?,
            purpose: reading.name(consent.purpose)?,
            time: Moment::from_millis(consent.time_ms),
            granted: consent.granted,
            expires_at: consent.expires_at_ms.map(Moment::from_millis),
        });
    }
    for fact in stored.facts {
        let value = Fact { value: value(fact.value), as_of: fact.as_of_ms.map(Moment::from_millis) };
        record.facts.insert(reading.named(fact.name)?, Some(value));
    }
    if let Some(wishes) = stored.wishes {
        record.wishes = self::wishes(wishes, &reading)?;
    }
    let mut standings = Vec::with_capacity(stored.suppressions.len());
    for stored in stored.suppressions {
        standings.push(suppression::Standing {
            channel: reading.name(stored.channel)?,
            unsubscribed_at: stored.unsubscribed_at_ms.map(Moment::from_millis),
            unsubscribed_for_every_purpose_at: stored
                .unsubscribed_for_every_purpose_at_ms
                .map(Moment::from_millis),
            resubscribed_at: stored.resubscribed_at_ms.map(Moment::from_millis),
        });
    }
    record.suppressions = Suppressions::from_standings(standings);
    Ok(record.with_history(contacts, events))
}

fn value(stored: StoredValue) -> FactValue {
    match stored {
        StoredValue::Bool(value) => FactValue::Bool(value),
        StoredValue::Whole(value) => FactValue::Whole(value),
        StoredValue::Number(value) => FactValue::Number(value),
        StoredValue::Text(value) => FactValue::Text(value.into()),
        StoredValue::List(values) => FactValue::List(values.into_iter().map(value).collect()),
        StoredValue::Object(members) => FactValue::Object(
            members.into_iter().map(|(name, member)| (name.into(), value(member))).collect(),
        ),
    }
}

fn wishes(stored: StoredWishes, reading: &Reading) -> Result<Wishes, LedgerError> {
    let mut at_most = Vec::with_capacity(stored.at_most.len());
    for (limit, window, channels) in stored.at_most {
        let window = Window::parse(&window).map_err(unreadable)?;
        at_most.push(WishedLimit { limit, window, channels: reading.named_each(channels)? });
    }
    let hours = stored.hours.map(|ranges| {
        let mut days: [Vec<OpenRange>; 7] = Default::default();
        for (day, open, close) in ranges {
            if let Some(day) = days.get_mut(usize::from(day)) {
                day.push(OpenRange {
                    open_ms: i64::from(open) * MINUTE_MS,
                    close_ms: i64::from(close) * MINUTE_MS,
                });
            }
        }
        OpeningHours::from_days(days)
    });
    Ok(Wishes {
        at_most,
        channels: stored.channels.map(|channels| reading.named_each(channels)).transpose()?,
        hours,
        pause_until: stored.pause_until_ms.map(Moment::from_millis),
    })
}
