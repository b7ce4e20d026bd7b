//! After this, wait: from an event until it is answered, or for a while.

use crate::domain::answer::Finding;
use crate::domain::condition::Circumstances;
use crate::domain::contact::Contact;
use crate::domain::event::{Event, EventKind};
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Entry;
use crate::domain::wall_clock::Zone;
use crate::domain::words::{DeliverySet, Name, Tag, Tags};

use super::narrowing::listed;
use super::scene::Scene;

/// A length of time after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    Span(Span),
    /// That many local dates, the event's own the first.
    LocalDays(i32),
}

impl Stretch {
    fn after(self, event: Moment, zone: &Zone) -> Moment {
        match self {
            Self::Span(span) => event + span,
            Self::LocalDays(days) => zone.start_of(zone.local(event).day.plus(days)),
        }
    }

    /// The longest it can take, for compaction.
    #[must_use]
    pub const fn at_most(self) -> Span {
        match self {
            Self::Span(span) => span,
            Self::LocalDays(days) => Span::from_days(days as i64 + 2),
        }
    }

    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Span(span) => span.in_words(),
            Self::LocalDays(1) => "the rest of that day".to_owned(),
            Self::LocalDays(days) => format!("{days} days of the customer's calendar"),
        }
    }
}

/// What starts a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    Event(EventKind),
    Contact,
}

/// Which contacts or events start the hold, by their tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    pub channels: Option<Vec<Name>>,
    pub categories: Option<Vec<Name>>,
    pub campaigns: Option<Vec<Name>>,
    pub deliveries: Option<DeliverySet>,
}

/// Only from the `count`th trigger `within` that span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    pub count: u32,
    pub within: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub trigger: Trigger,
    pub after: After,
    pub until: Option<EventKind>,
    /// After `until`; without one, after the trigger.
    pub pause: Option<Stretch>,
    /// At the longest.
    pub at_longest: Option<Stretch>,
    pub per: Vec<Tag>,
    pub repetition: Option<Repetition>,
}

/// A hold in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub since: Moment,
    /// The first moment it does not bind; `None`: no end is known.
    pub until: Option<Moment>,
}

impl Hold {
    #[must_use]
    pub fn finds_its_tags(&self, scene: &Scene<'_>) -> bool {
        self.per.iter().all(|tag| scene.question.tags.get(*tag).is_some())
    }

    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Option<Finding> {
        let Held { since, until } = self.held(scene)?;
        Some(Finding::Hold { since, until })
    }

    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        let end = self.held(scene)?.until;
        // A reservation that never was sent starts no hold once it has lapsed.
        let lapse = match self.trigger {
            Trigger::Contact => scene.next_lapse(scene.record.contacts().iter()),
            Trigger::Event(_) => None,
        };
        super::earliest(end, lapse)
    }

    /// The hold as it binds at the scene's moment: of the triggers behind, the one that holds longest.
    #[must_use]
    pub fn held(&self, scene: &Scene<'_>) -> Option<Held> {
        let moment = scene.moment();
        let mut latest: Option<Held> = None;
        let mut repetition = Repeats::new(self.repetition);
        for since in self.triggers(scene).filter(|since| *since <= moment) {
            if !repetition.is_reached_at(since) {
                continue;
            }
            let until = self.end(since, scene);
            let binds = until.is_none_or(|until| moment < until);
            let longer = latest.is_none_or(|latest| match (until, latest.until) {
                (None, known) => known.is_some(),
                (Some(until), Some(known)) => until > known,
                (Some(_), None) => false,
            });
            if binds && longer {
                latest = Some(Held { since, until });
            }
        }
        latest
    }

    /// When the hold that began at `since` ends: the earlier of the answer with its pause, and the
    /// longest it may last.
    fn end(&self, since: Moment, scene: &Scene<'_>) -> Option<Moment> {
        let zone = scene.zone();
        let at_longest = self.at_longest.map(|stretch| stretch.after(since, zone));
        let answered = match &self.until {
            Some(until) => self
                .answers(until, scene)
                .find(|answer| *answer >= since)
                .map(|answer| self.pause.map_or(answer, |pause| pause.after(answer, zone))),
            None => self.pause.map(|pause| pause.after(since, zone)),
        };
        super::earliest(answered, at_longest)
    }

    /// The moments that may start the hold, oldest first.
    fn triggers(&self, scene: &Scene<'_>) -> impl Iterator<Item = Moment> {
        let (contacts, events): (&[Contact], &[Event]) = match self.trigger {
            Trigger::Contact => (scene.record.contacts(), &[]),
            Trigger::Event(_) => (&[], scene.record.events()),
        };
        let earliest = self.earliest_that_matters(scene);
        let contacts =
            contacts.get(contacts.partition_point(|contact| contact.at < earliest)..).unwrap_or_default();
        let events = events.get(events.partition_point(|event| event.time < earliest)..).unwrap_or_default();
        let contacts = contacts
            .iter()
            .filter(|contact| scene.happened_or_will(contact) && self.starts(&contact.tags, scene))
            .map(|contact| contact.at);
        let events = events
            .iter()
            .filter(|event| matches!(&self.trigger, Trigger::Event(kind) if *kind == event.kind))
            .filter(|event| self.starts(&event.tags, scene))
            .map(|event| event.time);
        contacts.chain(events)
    }

    /// Whether an entry of any age may still matter: a trigger that nothing has ended yet, or what
    /// would end it.
    #[must_use]
    pub fn may_look_back_on(&self, entry: Entry<'_>) -> bool {
        match (entry, &self.trigger) {
            (Entry::Contact(_), Trigger::Contact) => self.is_endless(),
            (Entry::Contact(_), Trigger::Event(_)) => false,
            (Entry::Event(event), trigger) => {
                self.is_endless()
                    && (matches!(trigger, Trigger::Event(kind) if *kind == event.kind)
                        || self.until.as_ref() == Some(&event.kind))
            }
        }
    }

    /// No trigger ends of itself.
    const fn is_endless(&self) -> bool {
        self.at_longest.is_none() && (self.until.is_some() || self.pause.is_none())
    }

    /// Before this moment no trigger can still bind, nor be one of the repeated.
    fn earliest_that_matters(&self, scene: &Scene<'_>) -> Moment {
        let longest = match (self.at_longest, &self.until) {
            (Some(longest), _) => longest,
            (None, None) => match self.pause {
                Some(pause) => pause,
                None => return Moment::from_millis(i64::MIN / 4),
            },
            (None, Some(_)) => return Moment::from_millis(i64::MIN / 4),
        };
        let within = self.repetition.map_or(Span::default(), |repetition| repetition.within);
        scene.back(longest.at_most()) - within
    }

    fn starts(&self, tags: &Tags, scene: &Scene<'_>) -> bool {
        let asked = &scene.question.tags;
        listed(self.after.channels.as_ref(), tags.channel.as_deref())
            && listed(self.after.categories.as_ref(), tags.category.as_deref())
            && listed(self.after.campaigns.as_ref(), tags.campaign.as_deref())
            && self
                .after
                .deliveries
                .is_none_or(|deliveries| tags.delivery.is_some_and(|delivery| deliveries.contains(delivery)))
            && self.per.iter().all(|tag| tags.get(*tag) == asked.get(*tag))
    }

    /// The events that end the hold, oldest first. One that carries the tag must carry the same value;
    /// one without it ends all.
    fn answers(&self, until: &EventKind, scene: &Scene<'_>) -> impl Iterator<Item = Moment> {
        let asked = &scene.question.tags;
        scene
            .record
            .events()
            .iter()
            .filter(move |event| event.kind == *until)
            .filter(move |event| {
                self.per
                    .iter()
                    .all(|tag| event.tags.get(*tag).is_none_or(|value| Some(value) == asked.get(*tag)))
            })
            .map(|event| event.time)
    }
}

/// Counts triggers, oldest first, within a sliding span: an answer does not reset the count.
struct Repeats {
    repetition: Option<Repetition>,
    recent: std::collections::VecDeque<Moment>,
}

impl Repeats {
    fn new(repetition: Option<Repetition>) -> Self {
        Self { repetition, recent: std::collections::VecDeque::new() }
    }

    /// Whether the trigger at `since` is at least the `count`th within the span that ends with it.
    fn is_reached_at(&mut self, since: Moment) -> bool {
        let Some(Repetition { count, within }) = self.repetition else { return true };
        while self.recent.front().is_some_and(|oldest| *oldest <= since - within) {
            self.recent.pop_front();
        }
        self.recent.push_back(since);
        self.recent.len() >= count as usize
    }
}
