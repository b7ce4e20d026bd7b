//! One customer's record: contacts and events, oldest first, and what follows from them.
//!
//! All changes are pure: a record goes in, a record comes out, whatever ledger keeps it.

use super::account::Provenance;
use super::consent::{Consent, ConsentWord, Consents};
use super::contact::{Contact, Standing};
use super::event::{Event, EventKey, EventKind};
use super::fact::Facts;
use super::moment::{Moment, Span};
use super::suppression::{Lift, Scope, Suppression, Suppressions};
use super::tombstone::Tombstone;
use super::wishes::Wishes;
use super::words::{Name, Tags};

/// How long records keep contacts and events: the longest window, and a margin for zones.
pub const KEPT: Span = Span::from_days(402);
/// A record longer than this is cut back to what the policy can still look at.
pub const LONG_RECORD: usize = 2_000;
/// No record grows beyond this many contacts, or events; the oldest go first (contacts into the
/// lifetime counts). Twenty-five a day for the 400 days kept.
pub const LONGEST_RECORD: usize = 10_000;

/// A cancellation or failure told of a contact nobody knows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub contact_id: Name,
    pub standing: Standing,
    pub time: Moment,
}

/// Contacts that were compacted away, by their tags: what lifetime caps still count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub tags: Tags,
    pub contacts: u32,
}

/// Everything kept about one customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    contacts: Vec<Contact>,
    events: Vec<Event>,
    pub waiting: Vec<Waiting>,
    pub tallies: Vec<Tally>,
    pub consents: Consents,
    pub facts: Facts,
    pub wishes: Wishes,
    /// Who wished so, the last time anything was wished.
    pub wishes_set: Option<Provenance>,
    pub suppressions: Suppressions,
    /// When everything known until then was erased. Not part of what is stored: the tombstone says it.
    pub erased_at: Option<Moment>,
}

impl Record {
    /// Puts a record together from its parts, in any order.
    #[must_use]
    pub fn with_history(mut self, mut contacts: Vec<Contact>, mut events: Vec<Event>) -> Self {
        contacts.sort_by_key(|contact| contact.at);
        events.sort_by_key(|event| event.time);
        self.contacts = contacts;
        self.events = events;
        self
    }

    /// Gives back the room for entries that may never come: most records have one or two.
    pub fn trim(&mut self) {
        self.contacts.shrink_to_fit();
        self.events.shrink_to_fit();
        self.waiting.shrink_to_fit();
        self.tallies.shrink_to_fit();
    }

    /// Oldest first.
    #[must_use]
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// Oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    #[must_use]
    pub fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.iter().rev().find(|contact| &*contact.id == id)
    }

    /// The record as if that contact had never been.
    #[must_use]
    pub fn without_contact(&self, id: &str) -> Self {
        let mut record = self.clone();
        record.contacts.retain(|contact| &*contact.id != id);
        record
    }

    /// The latest moment anything in the record took place or will; `None` when nothing is in it.
    #[must_use]
    pub fn latest(&self) -> Option<Moment> {
        let waiting = self.waiting.iter().map(|waiting| waiting.time).max();
        let contact = self.contacts.last().map(|contact| contact.at);
        let event = self.events.last().map(|event| event.time);
        [waiting, contact, event].into_iter().flatten().max()
    }

    /// Whether it holds what the customer has said, or what is known of them: that never grows old.
    #[must_use]
    pub fn has_a_say(&self) -> bool {
        !(self.consents.is_empty()
            && self.facts.is_empty()
            && self.wishes == Wishes::default()
            && self.suppressions.is_empty())
    }

    /// Whether a contact of that id will be cancelled as soon as it is entered.
    #[must_use]
    pub fn awaits_cancelling(&self, id: &str) -> bool {
        self.waiting.iter().any(|waiting| &*waiting.contact_id == id)
    }

    /// Whether the event was told before.
    #[must_use]
    pub fn knows(&self, key: EventKey) -> bool {
        self.events.iter().any(|event| event.key == key)
    }

    /// Enters an allowed contact. A cancellation that waited for it takes effect at once.
    pub fn reserve(&mut self, contact: Contact) {
        let known = self.take_contact(&contact.id);
        let mut contact = contact;
        // A later word than the one that freed the slot is needed to free it again.
        contact.told_at = known.and_then(|known| known.told_at);
        self.enter(contact);
    }

    /// Adds to a contact that was told of before it was known what it was asked as.
    pub fn recognise(&mut self, asked: &Contact) {
        if let Some(known) = self.contacts.iter_mut().find(|known| known.id == asked.id) {
            known.question = asked.question;
            known.reserved_at = asked.reserved_at;
            known.tags.fill_from(&asked.tags);
        }
    }

    /// Gives back the slot of a reservation that was never told as sent.
    pub fn release(&mut self, id: &str) {
        if let Some(contact) = self.contacts.iter_mut().rev().find(|contact| &*contact.id == id)
            && contact.standing == Standing::Reserved
        {
            contact.standing = Standing::Cancelled;
        }
    }

    /// What is known of somebody of whom there is no more than a tombstone, or not even that.
    #[must_use]
    pub fn of(tombstone: Option<&Tombstone>) -> Self {
        let mut record = Self::default();
        if let Some(tombstone) = tombstone {
            record.remember(tombstone);
        }
        record
    }

    /// What outlived an erasure binds again.
    pub fn remember(&mut self, tombstone: &Tombstone) {
        self.suppressions.join(&tombstone.suppressions);
        self.erased_at = self.erased_at.max(Some(tombstone.erased_at));
    }

    /// Enters an event in its place. Told twice, it counts once: `false` says it was known. What happened
    /// before an erasure is erased as well, but for a customer's wish to be left alone.
    pub fn tell(&mut self, mut event: Event) -> bool {
        if self.knows(event.key) {
            return false;
        }
        if self.is_of_before_the_erasure(&event) {
            if event.kind == EventKind::CustomerUnsubscribed {
                self.take_effect(&event);
            }
            return false;
        }
        if let Some(contact) = event.contact_id.as_deref().and_then(|id| self.contact(id)) {
            event.tags.fill_from(&contact.tags);
        }
        self.take_effect(&event);
        let place = self.events.partition_point(|other| other.time <= event.time);
        self.events.insert(place, event);
        true
    }

    /// Whether it happened before an erasure, or is about a contact of that time: providers go on telling what
    /// became of those.
    fn is_of_before_the_erasure(&self, event: &Event) -> bool {
        let Some(erased_at) = self.erased_at else { return false };
        let unknown = event.contact_id.as_deref().is_some_and(|id| self.contact(id).is_none());
        event.time <= erased_at || (unknown && event.kind.is_what_became_of_a_contact())
    }

    fn take_effect(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ContactSent => self.stand(event, Standing::Sent),
            EventKind::ContactCancelled => self.stand(event, Standing::Cancelled),
            EventKind::ContactFailed => self.stand(event, Standing::Failed),
            EventKind::CustomerUnsubscribed => self.suppress(event),
            EventKind::CustomerResubscribed => self.lift(event),
            EventKind::ConsentGranted if event.pending => self.consent(event, ConsentWord::Pending),
            EventKind::ConsentGranted => self.consent(event, ConsentWord::Granted),
            EventKind::ConsentWithdrawn => self.consent(event, ConsentWord::Withdrawn),
            EventKind::ContactDelivered
            | EventKind::ContactBounced
            | EventKind::ContactAnswered
            | EventKind::CustomerComplained
            | EventKind::CustomerThanked
            | EventKind::ConversationOpened
            | EventKind::ConversationAnswered
            | EventKind::ConversationHeld
            | EventKind::HumanReplied
            | EventKind::Own(_) => {}
        }
    }

    /// The latest by `time` of sent, cancelled and failed decides; at the same instant, sent.
    fn stand(&mut self, event: &Event, standing: Standing) {
        let Some(id) = &event.contact_id else { return };
        let Some(mut contact) = self.take_contact(id) else {
            if standing == Standing::Sent {
                let contact = Contact {
                    id: id.clone(),
                    question: None,
                    tags: event.tags.clone(),
                    at: event.time,
                    reserved_at: event.time,
                    standing,
                    told_at: Some(event.time),
                };
                return self.enter(contact);
            }
            let waiting = Waiting { contact_id: id.clone(), standing, time: event.time };
            return self.waiting.push(waiting);
        };
        let sent = standing == Standing::Sent;
        if contact.told_at.is_none_or(|told_at| event.time > told_at || (sent && event.time == told_at)) {
            contact.standing = standing;
            contact.told_at = Some(event.time);
            if sent {
                contact.at = event.time;
                if event.tags.channel.is_some() {
                    contact.tags.channel.clone_from(&event.tags.channel);
                }
            }
        }
        self.put_contact(contact);
    }

    fn consent(&mut self, event: &Event, word: ConsentWord) {
        let account = event.accounted();
        self.consents.add(Consent {
            channel: event.tags.channel.clone(),
            purpose: event.tags.purpose.clone(),
            time: event.time,
            word,
            expires_at: event.expires_at,
            evidence: account.evidence,
            source: account.source,
        });
    }

    fn suppress(&mut self, event: &Event) {
        let account = event.accounted();
        for scope in Scope::of(event.every_purpose, &event.purposes) {
            self.suppressions.suppress(Suppression {
                channel: event.tags.channel.clone(),
                scope,
                since: event.time,
                until: event.expires_at,
                reason: account.reason.clone(),
                source: account.source.clone(),
            });
        }
    }

    fn lift(&mut self, event: &Event) {
        let purposes = event.purposes.iter().cloned().map(Some);
        let all = event.purposes.is_empty().then_some(None);
        for purpose in purposes.chain(all) {
            self.suppressions.lift(Lift { channel: event.tags.channel.clone(), purpose, at: event.time });
        }
    }

    /// Enters a contact not known before, with what was told of it earlier.
    fn enter(&mut self, mut contact: Contact) {
        let told_at = contact.told_at;
        let latest = self
            .waiting
            .iter()
            .filter(|waiting| waiting.contact_id == contact.id)
            .filter(|waiting| told_at.is_none_or(|told_at| waiting.time > told_at))
            .max_by_key(|waiting| waiting.time);
        if let Some(waiting) = latest {
            contact.standing = waiting.standing;
            contact.told_at = Some(waiting.time);
        }
        self.waiting.retain(|waiting| waiting.contact_id != contact.id);
        for event in &mut self.events {
            if event.contact_id.as_ref() == Some(&contact.id) {
                event.tags.fill_from(&contact.tags);
            }
        }
        self.put_contact(contact);
    }

    fn take_contact(&mut self, id: &str) -> Option<Contact> {
        let place = self.contacts.iter().rposition(|contact| &*contact.id == id)?;
        Some(self.contacts.remove(place))
    }

    fn put_contact(&mut self, contact: Contact) {
        let place = self.contacts.partition_point(|other| other.at <= contact.at);
        self.contacts.insert(place, contact);
    }

    /// Drops what lies before `horizon`, but what `needed` still wants. Contacts that `count` go into
    /// the lifetime counts.
    pub fn compact(
        &mut self,
        horizon: Moment,
        counts: impl Fn(&Contact) -> bool,
        needed: impl Fn(Entry<'_>) -> bool,
    ) {
        let tallies = &mut self.tallies;
        let excess = self.contacts.len().saturating_sub(LONGEST_RECORD);
        let mut place = 0;
        self.contacts.retain(|contact| {
            place += 1;
            let keep = place > excess && (contact.at >= horizon || needed(Entry::Contact(contact)));
            if !keep && counts(contact) {
                tally(tallies, &contact.tags);
            }
            keep
        });
        let excess = self.events.len().saturating_sub(LONGEST_RECORD);
        let mut place = 0;
        self.events.retain(|event| {
            place += 1;
            place > excess && (event.time >= horizon || needed(Entry::Event(event)))
        });
        let excess = self.waiting.len().saturating_sub(LONGEST_RECORD);
        self.waiting.drain(..excess);
        self.waiting.retain(|waiting| waiting.time >= horizon);
    }
}

/// Something in a record that compaction asks about.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'r> {
    Contact(&'r Contact),
    Event(&'r Event),
}

fn tally(tallies: &mut Vec<Tally>, tags: &Tags) {
    match tallies.iter_mut().find(|tally| tally.tags == *tags) {
        Some(tally) => tally.contacts = tally.contacts.saturating_add(1),
        None => tallies.push(Tally { tags: tags.clone(), contacts: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Fingerprint;

    fn minute(number: i64) -> Moment {
        Moment::from_millis(number * 60_000)
    }

    fn event(key: u64, kind: EventKind, time: Moment, id: &str) -> Event {
        Event { contact_id: Some(id.into()), ..Event::plain(EventKey(key), kind, time) }
    }

    fn asked(id: &str, at: Moment) -> Contact {
        Contact {
            id: id.into(),
            question: Some(Fingerprint(1)),
            tags: Tags { channel: Some("email".into()), ..Tags::default() },
            at,
            reserved_at: at,
            standing: Standing::Reserved,
            told_at: None,
        }
    }

    #[test]
    fn the_latest_by_time_decides_in_whatever_order_it_is_told() {
        let told = [
            event(1, EventKind::ContactSent, minute(1), "a"),
            event(2, EventKind::ContactFailed, minute(2), "a"),
            event(3, EventKind::ContactSent, minute(3), "a"),
            event(4, EventKind::ContactCancelled, minute(3), "a"),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let mut record = Record::default();
            for index in order {
                record.tell(told[index].clone());
            }
            let contact = record.contact("a").expect("told");
            assert_eq!((contact.standing, contact.at), (Standing::Sent, minute(3)), "{order:?}");
        }
    }

    #[test]
    fn a_cancellation_waits_for_its_contact_and_is_used_up() {
        let mut record = Record::default();
        record.tell(event(1, EventKind::ContactCancelled, minute(1), "a"));
        record.reserve(asked("a", minute(5)));
        assert_eq!(record.contact("a").map(|contact| contact.standing), Some(Standing::Cancelled));
        record.reserve(asked("a", minute(6)));
        assert_eq!(record.contact("a").map(|contact| contact.standing), Some(Standing::Reserved));
        assert_eq!(record.contacts().len(), 1);
    }

    #[test]
    fn an_event_takes_the_tags_of_its_contact_before_or_after() {
        let mut record = Record::default();
        record.tell(event(1, EventKind::ContactAnswered, minute(9), "a"));
        record.reserve(asked("a", minute(5)));
        record.tell(event(2, EventKind::ContactBounced, minute(7), "a"));
        assert!(!record.tell(event(2, EventKind::ContactBounced, minute(7), "a")));
        let channels: Vec<_> = record.events().iter().map(|event| event.tags.channel.as_deref()).collect();
        assert_eq!(channels, [Some("email"), Some("email")]);
    }

    #[test]
    fn compaction_keeps_lifetime_counts() {
        let mut record = Record::default();
        for number in 0..5 {
            record.reserve(asked(&format!("c-{number}"), minute(number)));
        }
        record.release("c-1");
        record.compact(minute(3), |contact| contact.standing.counts(), |_| false);
        assert_eq!(record.contacts().len(), 2);
        assert_eq!(record.tallies.iter().map(|tally| tally.contacts).sum::<u32>(), 2);
    }
}
