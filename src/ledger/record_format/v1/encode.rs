//! From a record to the first stored shape.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::contact::Standing;
use crate::domain::fact::FactValue;
use crate::domain::moment::{MINUTE_MS, Moment};
use crate::domain::record::Record;
use crate::domain::wishes::Wishes;
use crate::domain::words::{Name, Tags};

use super::{
    NameNumber, StoredConsent, StoredContact, StoredEvent, StoredFact, StoredId, StoredRecord,
    StoredSuppression, StoredTags, StoredValue, StoredWaiting, StoredWishes,
};

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
