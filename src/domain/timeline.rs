//! What happened to one customer, as they lived it: contacts with their outcome, events, and waits.
//!
//! Derived from the record; nothing of it is stored.

use std::collections::{HashMap, HashSet};

use super::contact::{Contact, Standing};
use super::event::{Event, EventKind};
use super::moment::{Moment, Span};
use super::record::Record;
use super::words::Name;

/// What became of a contact, as the customer noticed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Reserved, and its moment is still ahead.
    Planned,
    /// Reserved, its moment is past, and nobody has told what became of it.
    Unknown,
    Sent,
    Delivered,
    Bounced,
    /// The customer answered.
    Answered,
    Cancelled,
    Failed,
}

impl Outcome {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Answered => "answered",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// Somebody waited for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    pub since: Moment,
    /// `None`: they still wait.
    pub until: Option<Moment>,
    /// What they did: wrote or called, or complained.
    pub after: EventKind,
    pub channel: Option<Name>,
}

impl Wait {
    /// How long, up to `now` if they still wait.
    #[must_use]
    pub fn length(&self, now: Moment) -> Span {
        self.until.unwrap_or(now) - self.since
    }
}

/// One thing on the timeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening<'r> {
    Contact(&'r Contact, Outcome),
    Event(&'r Event),
    Wait(Wait),
}

/// The kinds of thing, by their words.
pub const KINDS: [&str; 3] = ["contact", "event", "wait"];

impl Happening<'_> {
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Contact(..) => "contact",
            Self::Event(_) => "event",
            Self::Wait(_) => "wait",
        }
    }

    /// Where it stands: a wait where it ended, or where it began if it has not.
    #[must_use]
    pub fn at(&self) -> Moment {
        match self {
            Self::Contact(contact, _) => contact.at,
            Self::Event(event) => event.time,
            Self::Wait(wait) => wait.until.unwrap_or(wait.since),
        }
    }

    #[must_use]
    pub fn channel(&self) -> Option<&Name> {
        match self {
            Self::Contact(contact, _) => contact.tags.channel.as_ref(),
            Self::Event(event) => event.tags.channel.as_ref(),
            Self::Wait(wait) => wait.channel.as_ref(),
        }
    }
}

/// Everything that happened, newest first. What was told of a contact (sent, delivered, …) is part of
/// it, and no event besides.
#[must_use]
pub fn timeline(record: &Record, now: Moment) -> Vec<Happening<'_>> {
    let known: HashSet<&str> = record.contacts().iter().map(|contact| &*contact.id).collect();
    let (of_contacts, events): (Vec<&Event>, Vec<&Event>) = record.events().iter().partition(|event| {
        is_about_a_contact(&event.kind) && event.contact_id.as_deref().is_some_and(|id| known.contains(id))
    });
    let mut told: HashMap<&str, Outcome> = HashMap::new();
    for event in of_contacts {
        if let (Some(id), Some(outcome)) = (event.contact_id.as_deref(), told_outcome(&event.kind)) {
            let latest = told.entry(id).or_insert(outcome);
            // An answer says more than that it came back, and that more than that it arrived.
            *latest = (*latest).max(outcome);
        }
    }
    let outcome = |contact: &Contact| outcome(contact, told.get(&*contact.id).copied(), now);
    let contacts = record.contacts().iter().map(|contact| Happening::Contact(contact, outcome(contact)));
    let events = events.into_iter().map(Happening::Event);
    let mut all: Vec<_> =
        contacts.chain(events).chain(waits(record).into_iter().map(Happening::Wait)).collect();
    all.sort_by_key(|happening| std::cmp::Reverse(happening.at()));
    all
}

const fn is_about_a_contact(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::ContactSent
            | EventKind::ContactCancelled
            | EventKind::ContactFailed
            | EventKind::ContactDelivered
            | EventKind::ContactBounced
            | EventKind::ContactAnswered
    )
}

/// What an event says became of its contact, beyond whether it was sent.
const fn told_outcome(kind: &EventKind) -> Option<Outcome> {
    match kind {
        EventKind::ContactDelivered => Some(Outcome::Delivered),
        EventKind::ContactBounced => Some(Outcome::Bounced),
        EventKind::ContactAnswered => Some(Outcome::Answered),
        _ => None,
    }
}

fn outcome(contact: &Contact, told: Option<Outcome>, now: Moment) -> Outcome {
    match (contact.standing, told) {
        (Standing::Cancelled, _) => Outcome::Cancelled,
        (Standing::Failed, _) => Outcome::Failed,
        (Standing::Reserved | Standing::Sent, Some(told)) => told,
        (Standing::Sent, None) => Outcome::Sent,
        (Standing::Reserved, None) if contact.at > now => Outcome::Planned,
        (Standing::Reserved, None) => Outcome::Unknown,
    }
}

/// From a word of the customer's to the first answer by a person. Who writes again before being answered
/// goes on waiting.
fn waits(record: &Record) -> Vec<Wait> {
    let mut waits: Vec<Wait> = Vec::new();
    for event in record.events() {
        match event.kind {
            EventKind::ConversationOpened | EventKind::CustomerComplained => {
                if waits.last().is_none_or(|wait| wait.until.is_some()) {
                    let (since, after) = (event.time, event.kind.clone());
                    waits.push(Wait { since, until: None, after, channel: event.tags.channel.clone() });
                }
            }
            EventKind::ConversationAnswered | EventKind::HumanReplied => {
                if let Some(wait) = waits.last_mut().filter(|wait| wait.until.is_none()) {
                    wait.until = Some(event.time);
                }
            }
            EventKind::ContactSent
            | EventKind::ContactCancelled
            | EventKind::ContactFailed
            | EventKind::ContactDelivered
            | EventKind::ContactBounced
            | EventKind::ContactAnswered
            | EventKind::CustomerUnsubscribed
            | EventKind::CustomerResubscribed
            | EventKind::CustomerThanked
            | EventKind::ConsentGranted
            | EventKind::ConsentWithdrawn
            | EventKind::ConversationHeld
            | EventKind::Own(_) => {}
        }
    }
    waits
}
