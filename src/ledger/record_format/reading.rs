//! What every version reads alike: names and tag sets, ids, contacts, facts, wishes.

use uuid::Uuid;

use crate::domain::contact::{Contact, Fingerprint, Standing};
use crate::domain::event::EventKind;
use crate::domain::fact::{Fact, FactValue, Facts};
use crate::domain::moment::{MINUTE_MS, Moment};
use crate::domain::opening_hours::{OpenRange, OpeningHours};
use crate::domain::record::{Tally, Waiting};
use crate::domain::window::Window;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::{ClaimSet, Delivery, Name, Tags};
use crate::ledger::LedgerError;

use super::v1::{
    NameNumber, StoredContact, StoredFact, StoredId, StoredTags, StoredValue, StoredWaiting, StoredWishes,
};

pub fn unreadable(why: impl std::fmt::Display) -> LedgerError {
    LedgerError::Unreadable { why: why.to_string() }
}

/// A record being read: names and tag sets, each made once and shared.
pub struct Reading {
    names: Vec<Name>,
    tag_sets: Vec<Tags>,
}

impl Reading {
    pub fn new(names: Vec<&str>, tag_sets: Vec<StoredTags>) -> Result<Self, LedgerError> {
        let mut reading = Self { names: names.into_iter().map(Name::from).collect(), tag_sets: Vec::new() };
        reading.tag_sets =
            tag_sets.into_iter().map(|tags| reading.tag_set(tags)).collect::<Result<_, _>>()?;
        Ok(reading)
    }

    pub fn name(&self, number: NameNumber) -> Result<Option<Name>, LedgerError> {
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

    pub fn named(&self, number: NameNumber) -> Result<Name, LedgerError> {
        self.name(number)?.ok_or_else(|| unreadable("a name is missing"))
    }

    pub fn named_each(&self, numbers: Vec<NameNumber>) -> Result<Vec<Name>, LedgerError> {
        numbers.into_iter().map(|number| self.named(number)).collect()
    }

    pub fn tags(&self, number: u32) -> Result<Tags, LedgerError> {
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

    /// Kinds of any name: the governor's own notes are none that can be told.
    pub fn kind(&self, number: NameNumber) -> Result<EventKind, LedgerError> {
        let name = self.named(number)?;
        Ok(EventKind::parse(&name).unwrap_or(EventKind::Own(name)))
    }

    pub fn contacts(&self, stored: Vec<StoredContact<'_>>) -> Result<Vec<Contact>, LedgerError> {
        let mut at_ms = 0_i64;
        let mut contacts = Vec::with_capacity(stored.len());
        for contact in stored {
            at_ms = at_ms.saturating_add(contact.at_gap_ms);
            contacts.push(Contact {
                id: id(&contact.id),
                question: contact.question.map(|bytes| Fingerprint(u64::from_le_bytes(bytes))),
                tags: self.tags(contact.tags)?,
                at: Moment::from_millis(at_ms),
                reserved_at: Moment::from_millis(at_ms.saturating_sub(contact.reserved_before_ms)),
                standing: standing(contact.standing)?,
                told_at: contact
                    .told_after_ms
                    .map(|after_ms| Moment::from_millis(at_ms.saturating_add(after_ms))),
            });
        }
        Ok(contacts)
    }

    pub fn tallies(&self, stored: Vec<(u32, u32)>) -> Result<Vec<Tally>, LedgerError> {
        stored.into_iter().map(|(tags, contacts)| Ok(Tally { tags: self.tags(tags)?, contacts })).collect()
    }

    pub fn facts(&self, stored: Vec<StoredFact>) -> Result<Facts, LedgerError> {
        let read = |fact: StoredFact| {
            let value = Fact { value: value(fact.value), as_of: fact.as_of_ms.map(Moment::from_millis) };
            Ok((self.named(fact.name)?, Some(value)))
        };
        stored.into_iter().map(read).collect()
    }

    pub fn wishes(&self, stored: Option<StoredWishes>) -> Result<Wishes, LedgerError> {
        stored.map_or_else(|| Ok(Wishes::default()), |stored| wishes(stored, self))
    }
}

pub fn id(stored: &StoredId<'_>) -> Name {
    match stored {
        StoredId::Uuid(bytes) => {
            (&*Uuid::from_bytes(*bytes).as_hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()
        }
        StoredId::Text(text) => (*text).into(),
    }
}

pub fn standing(stored: u8) -> Result<Standing, LedgerError> {
    match stored {
        0 => Ok(Standing::Reserved),
        1 => Ok(Standing::Sent),
        2 => Ok(Standing::Cancelled),
        3 => Ok(Standing::Failed),
        other => Err(unreadable(format!("standing {other} is unknown"))),
    }
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

pub fn waiting(stored: Vec<StoredWaiting<'_>>) -> Result<Vec<Waiting>, LedgerError> {
    let read = |waiting: StoredWaiting<'_>| {
        Ok(Waiting {
            contact_id: id(&waiting.contact_id),
            standing: standing(waiting.standing)?,
            time: Moment::from_millis(waiting.time_ms),
        })
    };
    stored.into_iter().map(read).collect()
}
