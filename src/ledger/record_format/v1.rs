//! The first stored shape.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
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

pub const VERSION: u8 = 1;

/// A name by its number in the record's table, from 1; 0 is none.
type NameNumber = u32;

#[derive(Serialize, Deserialize)]
struct StoredRecord<'b> {
    #[serde(borrow)]
    names: Vec<&'b str>,
    tag_sets: Vec<StoredTags>,
    #[serde(borrow)]
    contacts: Vec<StoredContact<'b>>,
    #[serde(borrow)]
    events: Vec<StoredEvent<'b>>,
    #[serde(borrow)]
    waiting: Vec<StoredWaiting<'b>>,
    /// Tag set, contacts.
    tallies: Vec<(u32, u32)>,
    consents: Vec<StoredConsent>,
    facts: Vec<StoredFact>,
    wishes: Option<StoredWishes>,
    suppressions: Vec<StoredSuppression>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, Clone, Copy)]
struct StoredTags {
    channel: NameNumber,
    purpose: NameNumber,
    /// The number in `Delivery::ALL`, from 1; 0 is none.
    delivery: u8,
    campaign: NameNumber,
    category: NameNumber,
    brand: NameNumber,
    subject: NameNumber,
    sender: NameNumber,
    claims: u8,
}

/// Ids that are UUIDs take 16 bytes instead of 36.
#[derive(Serialize, Deserialize)]
enum StoredId<'b> {
    Uuid([u8; 16]),
    Text(&'b str),
}

#[derive(Serialize, Deserialize)]
struct StoredContact<'b> {
    #[serde(borrow)]
    id: StoredId<'b>,
    question: Option<[u8; 8]>,
    tags: u32,
    /// Milliseconds after the contact before; the first after 1970.
    at_gap_ms: i64,
    /// Milliseconds of `reserved_at` before `at`.
    reserved_before_ms: i64,
    standing: u8,
    /// Milliseconds of `told_at` after `at`.
    told_after_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredEvent<'b> {
    key: [u8; 8],
    kind: NameNumber,
    time_gap_ms: i64,
    #[serde(borrow)]
    contact_id: Option<StoredId<'b>>,
    tags: u32,
    every_purpose: bool,
    expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredWaiting<'b> {
    #[serde(borrow)]
    contact_id: StoredId<'b>,
    standing: u8,
    time_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredConsent {
    channel: NameNumber,
    purpose: NameNumber,
    time_ms: i64,
    granted: bool,
    expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredFact {
    name: NameNumber,
    value: StoredValue,
    as_of_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
enum StoredValue {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

#[derive(Serialize, Deserialize)]
struct StoredWishes {
    /// Limit, window as the policy writes it, channels.
    at_most: Vec<(u32, String, Vec<NameNumber>)>,
    channels: Option<Vec<NameNumber>>,
    /// Weekday (0 is Monday), opening and closing minute.
    hours: Option<Vec<(u8, u16, u16)>>,
    pause_until_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredSuppression {
    channel: NameNumber,
    unsubscribed_at_ms: Option<i64>,
    unsubscribed_for_every_purpose_at_ms: Option<i64>,
    resubscribed_at_ms: Option<i64>,
}

/// The tables a record's names and tag sets stand in.
#[derive(Default)]
struct Tables<'r> {
    names: Vec<&'r str>,
    numbers: HashMap<&'r str, NameNumber>,
    tag_sets: Vec<StoredTags>,
    tag_numbers: HashMap<StoredTags, u32>,
}

impl<'r> Tables<'r> {
    fn name(&mut self, name: Option<&'r str>) -> NameNumber {
        let Some(name) = name else { return 0 };
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() as NameNumber
        })
    }

    fn tags(&mut self, tags: &'r Tags) -> u32 {
        let stored = StoredTags {
            channel: self.name(tags.channel.as_deref()),
            purpose: self.name(tags.purpose.as_deref()),
            delivery: tags.delivery.map_or(0, |delivery| delivery as u8 + 1),
            campaign: self.name(tags.campaign.as_deref()),
            category: self.name(tags.category.as_deref()),
            brand: self.name(tags.brand.as_deref()),
            subject: self.name(tags.subject.as_deref()),
            sender: self.name(tags.sender.as_deref()),
            claims: tags.claims.bits(),
        };
        *self.tag_numbers.entry(stored).or_insert_with(|| {
            self.tag_sets.push(stored);
            self.tag_sets.len() as u32 - 1
        })
    }
}

fn stored_id(id: &str) -> StoredId<'_> {
    // Only the one spelling that a UUID prints as may be shortened: the id must come back unchanged.
    match Uuid::try_parse(id) {
        Ok(uuid) if uuid.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id => {
            StoredId::Uuid(*uuid.as_bytes())
        }
        Ok(_) | Err(_) => StoredId::Text(id),
    }
}

const fn stored_standing(standing: Standing) -> u8 {
    match standing {
        Standing::Reserved => 0,
        Standing::Sent => 1,
        Standing::Cancelled => 2,
        Standing::Failed => 3,
    }
}

pub fn encode(record: &Record, bytes: Vec<u8>) -> Vec<u8> {
    let mut tables = Tables::default();
    let mut before_ms = 0;
    let contacts = record
        .contacts()
        .iter()
        .map(|contact| {
            let at_ms = contact.at.millis();
            let stored = StoredContact {
                id: stored_id(&contact.id),
                question: contact.question.map(|question| question.0.to_le_bytes()),
                tags: tables.tags(&contact.tags),
                at_gap_ms: at_ms - before_ms,
                reserved_before_ms: at_ms - contact.reserved_at.millis(),
                standing: stored_standing(contact.standing),
                told_after_ms: contact.told_at.map(|told_at| told_at.millis() - at_ms),
            };
            before_ms = at_ms;
            stored
        })
        .collect();
    let mut before_ms = 0;
    let events = record
        .events()
        .iter()
        .map(|event| {
            let time_ms = event.time.millis();
            let stored = StoredEvent {
                key: event.key.0.to_le_bytes(),
                kind: tables.name(Some(event.kind.name())),
                time_gap_ms: time_ms - before_ms,
                contact_id: event.contact_id.as_deref().map(stored_id),
                tags: tables.tags(&event.tags),
                every_purpose: event.every_purpose,
                expires_at_ms: event.expires_at.map(Moment::millis),
            };
            before_ms = time_ms;
            stored
        })
        .collect();
    let waiting = record.waiting.iter().map(|waiting| StoredWaiting {
        contact_id: stored_id(&waiting.contact_id),
        standing: stored_standing(waiting.standing),
        time_ms: waiting.time.millis(),
    });
    let waiting = waiting.collect();
    let tallies = record.tallies.iter().map(|tally| (tables.tags(&tally.tags), tally.contacts)).collect();
    let consents = record.consents.iter().map(|consent| StoredConsent {
        channel: tables.name(consent.channel.as_deref()),
        purpose: tables.name(consent.purpose.as_deref()),
        time_ms: consent.time.millis(),
        granted: consent.granted,
        expires_at_ms: consent.expires_at.map(Moment::millis),
    });
    let consents = consents.collect();
    let facts = record.facts.iter().filter_map(|(name, fact)| {
        let fact = fact.as_ref()?;
        Some(StoredFact {
            name: tables.name(Some(name)),
            value: stored_value(&fact.value),
            as_of_ms: fact.as_of.map(Moment::millis),
        })
    });
    let facts = facts.collect();
    let wishes = (record.wishes != Wishes::default()).then(|| stored_wishes(&record.wishes, &mut tables));
    let suppressions = record.suppressions.standings().iter().map(|standing| StoredSuppression {
        channel: tables.name(standing.channel.as_deref()),
        unsubscribed_at_ms: standing.unsubscribed_at.map(Moment::millis),
        unsubscribed_for_every_purpose_at_ms: standing.unsubscribed_for_every_purpose_at.map(Moment::millis),
        resubscribed_at_ms: standing.resubscribed_at.map(Moment::millis),
    });
    let suppressions = suppressions.collect();
    let Tables { names, tag_sets, .. } = tables;
    let stored = StoredRecord {
        names,
        tag_sets,
        contacts,
        events,
        waiting,
        tallies,
        consents,
        facts,
        wishes,
        suppressions,
    };
    // Writing plain data to a vector cannot fail.
    postcard::to_extend(&stored, bytes).unwrap_or_default()
}

fn stored_value(value: &FactValue) -> StoredValue {
    match value {
        FactValue::Bool(value) => StoredValue::Bool(*value),
        FactValue::Whole(value) => StoredValue::Whole(*value),
        FactValue::Number(value) => StoredValue::Number(*value),
        FactValue::Text(value) => StoredValue::Text(value.to_string()),
        FactValue::List(values) => StoredValue::List(values.iter().map(stored_value).collect()),
        FactValue::Object(members) => StoredValue::Object(
            members.iter().map(|(name, value)| (name.to_string(), stored_value(value))).collect(),
        ),
    }
}

fn stored_wishes<'r>(wishes: &'r Wishes, tables: &mut Tables<'r>) -> StoredWishes {
    let mut numbers =
        |names: &'r [Name]| names.iter().map(|name| tables.name(Some(name))).collect::<Vec<_>>();
    let at_most = wishes
        .at_most
        .iter()
        .map(|wished| (wished.limit, wished.window.to_string(), numbers(&wished.channels)))
        .collect();
    let channels = wishes.channels.as_deref().map(numbers);
    let minutes = |time_ms: i64| (time_ms / MINUTE_MS) as u16;
    let hours = wishes.hours.as_ref().map(|hours| {
        let days = hours.days().iter().enumerate();
        days.flat_map(|(day, ranges)| {
            ranges.iter().map(move |range| (day as u8, minutes(range.open_ms), minutes(range.close_ms)))
        })
        .collect()
    });
    StoredWishes { at_most, channels, hours, pause_until_ms: wishes.pause_until.map(Moment::millis) }
}

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

fn id(stored: StoredId<'_>) -> Name {
    match stored {
        StoredId::Uuid(bytes) => {
            (&*Uuid::from_bytes(bytes).as_hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
        }
        StoredId::Text(text) => text.into(),
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
            id: id(contact.id),
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
            contact_id: event.contact_id.map(id),
            tags: reading.tags(event.tags)?,
            every_purpose: event.every_purpose,
            expires_at: event.expires_at_ms.map(Moment::from_millis),
        });
    }
    let mut record = Record::default();
    for waiting in stored.waiting {
        record.waiting.push(Waiting {
            contact_id: id(waiting.contact_id),
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
