//! What happened to one customer, as they lived it: contacts with their outcome, events, waits, and what was
//! refused.
//!
//! Derived from the record; nothing of it is stored.

use std::collections::{HashMap, HashSet};

use super::consent::Consent;
use super::contact::{Contact, Standing};
use super::event::{Event, EventKind};
use super::moment::{Moment, Span};
use super::note::ANNOUNCED;
use super::record::Record;
use super::refusal::Refusal;
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
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Unknown,
        Self::Sent,
        Self::Delivered,
        Self::Bounced,
        Self::Answered,
        Self::Cancelled,
        Self::Failed,
    ];

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
    /// Kept for longer than events are.
    Consent(&'r Consent),
    Wait(Wait),
    Refusal(&'r Refusal),
}

/// The kinds of thing, by their words.
pub const KINDS: [&str; 4] = ["contact", "event", "refusal", "wait"];

impl Happening<'_> {
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Contact(..) => "contact",
            Self::Event(_) | Self::Consent(_) => "event",
            Self::Wait(_) => "wait",
            Self::Refusal(_) => "refusal",
        }
    }

    /// Where it stands: a wait where it ended, or where it began if it has not.
    #[must_use]
    pub fn at(&self) -> Moment {
        match self {
            Self::Contact(contact, _) => contact.at,
            Self::Event(event) => event.time,
            Self::Consent(consent) => consent.time,
            Self::Wait(wait) => wait.until.unwrap_or(wait.since),
            Self::Refusal(refusal) => refusal.at,
        }
    }

    #[must_use]
    pub fn channel(&self) -> Option<&Name> {
        match self {
            Self::Contact(contact, _) => contact.tags.channel.as_ref(),
            Self::Event(event) => event.tags.channel.as_ref(),
            Self::Consent(consent) => consent.channel.as_ref(),
            Self::Wait(wait) => wait.channel.as_ref(),
            Self::Refusal(refusal) => refusal.tags.channel.as_ref(),
        }
    }
}

/// Everything that happened, newest first, and what did not: `refusals`, each once. What was told of a contact
/// (sent, delivered, …) is part of it, and no event besides.
#[must_use]
pub fn timeline<'r>(record: &'r Record, refusals: &'r [Refusal], now: Moment) -> Vec<Happening<'r>> {
    let known: HashSet<&str> = record.contacts().iter().map(|contact| &*contact.id).collect();
    let mut told: HashMap<&str, Outcome> = HashMap::new();
    let mut events = Vec::new();
    for event in record.events() {
        let contact = event.contact_id.as_deref().filter(|id| known.contains(id));
        match (contact, told_outcome(&event.kind)) {
            (Some(id), Some(outcome)) => {
                let latest = told.entry(id).or_insert(outcome);
                // An answer says more than that it came back, and that more than that it arrived.
                *latest = (*latest).max(outcome);
            }
            _ if is_shown(event, contact.is_some()) => events.push(Happening::Event(event)),
            _ => {}
        }
    }
    let outcome = |contact: &Contact| outcome(contact, told.get(&*contact.id).copied(), now);
    let contacts = record.contacts().iter().map(|contact| Happening::Contact(contact, outcome(contact)));
    let mut all: Vec<Happening<'r>> = contacts.chain(events).collect();
    all.extend(record.consents.all().iter().map(Happening::Consent));
    all.extend(waits(record).into_iter().map(Happening::Wait));
    all.extend(refusals.iter().map(Happening::Refusal));
    all.sort_by_key(|happening| std::cmp::Reverse(happening.at()));
    all
}

/// Whether an event stands on the timeline by itself: not where its contact says it, nor its consent, nor where
/// it is a note between programs.
fn is_shown(event: &Event, of_a_contact: bool) -> bool {
    match &event.kind {
        EventKind::ConsentGranted | EventKind::ConsentWithdrawn => false,
        EventKind::Own(name) => **name != *ANNOUNCED,
        EventKind::ContactSent => !of_a_contact,
        kind => !(of_a_contact && kind.is_what_became_of_a_contact()),
    }
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
