//! From a record to the second stored shape.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::account::Account;
use crate::domain::consent::{Consent, ConsentWord};
use crate::domain::contact::{Contact, Standing};
use crate::domain::event::Event;
use crate::domain::fact::FactValue;
use crate::domain::moment::{MINUTE_MS, Moment};
use crate::domain::record::{Record, Waiting};
use crate::domain::suppression::{Scope, Suppression};
use crate::domain::wishes::Wishes;
use crate::domain::words::{Name, Tags};
use crate::ledger::record_format::v1::{
    NameNumber, StoredContact, StoredFact, StoredId, StoredTags, StoredValue, StoredWaiting, StoredWishes,
};

use super::{
    EVERY_PURPOSE, PENDING, StoredAccount, StoredConsent, StoredEvent, StoredLift, StoredProvenance,
    StoredRecord, StoredScope, StoredSuppression,
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

    fn named(&mut self, name: Option<&'r Name>) -> NameNumber {
        self.name(name.map(|name| &**name))
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
    let contacts = contacts(record.contacts(), &mut tables);
    let events = events(record.events(), &mut tables);
    let waiting = record.waiting.iter().map(waiting).collect();
    let tallies = record.tallies.iter().map(|tally| (tables.tags(&tally.tags), tally.contacts)).collect();
    let consents = record.consents.all().iter().map(|one| consent(one, &mut tables)).collect();
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
    let wishes_set = record.wishes_set.as_ref().map(|set| StoredProvenance {
        at_ms: set.at.millis(),
        by: tables.named(set.by.as_ref()),
        through: tables.named(set.through.as_ref()),
    });
    let suppressions = record.suppressions.all().iter().map(|one| suppression(one, &mut tables)).collect();
    let lifts = record.suppressions.lifts().iter().map(|lift| StoredLift {
        channel: tables.named(lift.channel.as_ref()),
        purpose: tables.named(lift.purpose.as_ref()),
        at_ms: lift.at.millis(),
    });
    let lifts = lifts.collect();
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
        wishes_set,
        suppressions,
        lifts,
    };
    // Writing plain data to a vector cannot fail.
    postcard::to_extend(&stored, bytes).unwrap_or_default()
}

fn contacts<'r>(contacts: &'r [Contact], tables: &mut Tables<'r>) -> Vec<StoredContact<'r>> {
    let mut before_ms = 0;
    let stored = contacts.iter().map(|contact| {
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
    });
    stored.collect()
}

fn events<'r>(events: &'r [Event], tables: &mut Tables<'r>) -> Vec<StoredEvent<'r>> {
    let mut before_ms = 0;
    let stored = events.iter().map(|event| {
        let time_ms = event.time.millis();
        let every_purpose = if event.every_purpose { EVERY_PURPOSE } else { 0 };
        let pending = if event.pending { PENDING } else { 0 };
        let stored = StoredEvent {
            key: event.key.0.to_le_bytes(),
            kind: tables.name(Some(event.kind.name())),
            time_gap_ms: time_ms - before_ms,
            contact_id: event.contact_id.as_deref().map(stored_id),
            tags: tables.tags(&event.tags),
            flags: every_purpose | pending,
            purposes: event.purposes.iter().map(|purpose| tables.name(Some(purpose))).collect(),
            expires_at_ms: event.expires_at.map(Moment::millis),
            account: event.account.as_deref().map(|account| stored_account(account, tables)),
        };
        before_ms = time_ms;
        stored
    });
    stored.collect()
}

fn stored_account<'r>(account: &'r Account, tables: &mut Tables<'r>) -> StoredAccount {
    StoredAccount {
        by: tables.named(account.by.as_ref()),
        through: tables.named(account.through.as_ref()),
        reason: tables.named(account.reason.as_ref()),
        source: tables.named(account.source.as_ref()),
        evidence: tables.named(account.evidence.as_ref()),
        text: tables.named(account.text.as_ref()),
    }
}

fn waiting(waiting: &Waiting) -> StoredWaiting<'_> {
    StoredWaiting {
        contact_id: stored_id(&waiting.contact_id),
        standing: stored_standing(waiting.standing),
        time_ms: waiting.time.millis(),
    }
}

fn consent<'r>(consent: &'r Consent, tables: &mut Tables<'r>) -> StoredConsent {
    StoredConsent {
        channel: tables.named(consent.channel.as_ref()),
        purpose: tables.named(consent.purpose.as_ref()),
        time_ms: consent.time.millis(),
        word: match consent.word {
            ConsentWord::Pending => 0,
            ConsentWord::Granted => 1,
            ConsentWord::Withdrawn => 2,
        },
        expires_at_ms: consent.expires_at.map(Moment::millis),
        evidence: tables.named(consent.evidence.as_ref()),
        source: tables.named(consent.source.as_ref()),
    }
}

fn suppression<'r>(one: &'r Suppression, tables: &mut Tables<'r>) -> StoredSuppression {
    StoredSuppression {
        channel: tables.named(one.channel.as_ref()),
        scope: match &one.scope {
            Scope::Ordinary => StoredScope::Ordinary,
            Scope::Purpose(purpose) => StoredScope::Purpose(tables.name(Some(purpose))),
            Scope::EveryPurpose => StoredScope::EveryPurpose,
        },
        since_ms: one.since.millis(),
        until_ms: one.until.map(Moment::millis),
        reason: tables.named(one.reason.as_ref()),
        source: tables.named(one.source.as_ref()),
    }
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
