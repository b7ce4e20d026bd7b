//! From what was ticked and typed to what is to be set.

use crate::domain::moment::Moment;
use crate::domain::opening_hours::OpeningHours;
use crate::domain::wall_clock::Day;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::Name;
use crate::gate::put::{Put, SuppressionPut};

use super::{Field, Filled, LONGEST_TYPED, Mistake, ShownChannel, Standing, hours, limit};

/// A longer pause is a slip of the finger, or means to stop altogether.
const LONGEST_PAUSE_DAYS: i32 = 3_660;

/// Something the customer sets here.
fn put() -> Put {
    Put { by: Some("customer".into()), through: Some("wishes page".into()), ..Put::default() }
}

/// Unsubscribes from everything.
#[must_use]
pub fn stop() -> Put {
    Put { suppressions: vec![SuppressionPut::plain(None)], ..put() }
}

/// Takes every unsubscription back.
#[must_use]
pub fn take_back() -> Put {
    Put { suppressions: vec![SuppressionPut::taken_back(None)], ..put() }
}

impl Filled {
    /// What is to be set; nothing where nothing has changed, as when a form is sent twice.
    ///
    /// # Errors
    /// Every mistake.
    pub fn changes(&self, standing: &Standing<'_>) -> Result<Option<Put>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let wishes = Wishes {
            at_most: self.limits(standing, &mut mistakes),
            channels: self.welcome(standing, &mut mistakes),
            hours: self.opening_hours(standing, &mut mistakes),
            pause_until: self.pause(standing, &mut mistakes),
        };
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let suppressions = self.resubscriptions(standing);
        let wishes = (wishes != *standing.wishes).then_some(wishes);
        let is_change = wishes.is_some() || !suppressions.is_empty();
        Ok(is_change.then(|| Put { wishes, suppressions, ..put() }))
    }

    fn is_ticked(&self, channel: &ShownChannel) -> bool {
        self.channels.iter().any(|ticked| **ticked == *channel.name)
    }

    /// What was not shown cannot have been given up.
    fn keeps(&self, id: &String) -> bool {
        !self.seen.contains(id) || self.keep.contains(id)
    }

    fn limits(&self, standing: &Standing<'_>, mistakes: &mut Vec<Mistake>) -> Vec<WishedLimit> {
        let limit = limit::read(&self.limit).unwrap_or_else(|detail| {
            mistakes.push(Mistake { field: Field::Limit, detail });
            None
        });
        limit::changed(&standing.wishes.at_most, limit, self.per, |other| self.keeps(&limit::id(other)))
    }

    fn welcome(&self, standing: &Standing<'_>, mistakes: &mut Vec<Mistake>) -> Option<Vec<Name>> {
        for ticked in &self.channels {
            if !standing.channels.iter().any(|channel| *channel.name == **ticked) {
                let name: String = ticked.chars().take(LONGEST_TYPED).collect();
                let detail = format!("We do not contact anybody by “{name}”.");
                mistakes.push(Mistake { field: Field::Channels, detail });
            }
        }
        // A box that an unsubscription left empty says nothing about the wish behind it.
        let is_welcome =
            |channel: &ShownChannel| self.is_ticked(channel) || (channel.stopped && channel.welcome);
        let current = &standing.wishes.channels;
        if standing.channels.iter().all(|channel| is_welcome(channel) == channel.welcome) {
            return current.clone();
        }
        if standing.channels.iter().all(is_welcome) {
            return None;
        }
        let welcome = standing.channels.iter().filter(|channel| is_welcome(channel));
        // Of channels that are gone from the policy nothing is shown, and nothing lost.
        let gone = current
            .iter()
            .flatten()
            .filter(|name| !standing.channels.iter().any(|channel| channel.name == **name));
        Some(welcome.map(|channel| &channel.name).chain(gone).cloned().collect())
    }

    /// Channels unsubscribed from and ticked again; an unsubscription that came after the page was shown
    /// stands.
    fn resubscriptions(&self, standing: &Standing<'_>) -> Vec<SuppressionPut> {
        let taken_back = |channel: &&ShownChannel| {
            channel.stopped && self.is_ticked(channel) && self.seen.contains(&channel.stop_id())
        };
        standing
            .channels
            .iter()
            .filter(taken_back)
            .map(|channel| SuppressionPut::taken_back(Some(channel.name.clone())))
            .collect()
    }

    fn opening_hours(&self, standing: &Standing<'_>, mistakes: &mut Vec<Mistake>) -> Option<OpeningHours> {
        let current = standing.wishes.hours.as_ref();
        let shown = current.map_or_else(|| Some(Vec::new()), hours::slots);
        let Some(shown) = shown else {
            if !current.is_some_and(|odd| self.keeps(&hours::id(odd))) {
                return hours::opening_hours(&self.hours);
            }
            if !self.hours.is_empty() {
                let detail = "Other hours have been set before. Either untick them, or tick none here.";
                mistakes.push(Mistake { field: Field::Hours, detail: detail.to_owned() });
            }
            return current.cloned();
        };
        if shown == self.hours { current.cloned() } else { hours::opening_hours(&self.hours) }
    }

    fn pause(&self, standing: &Standing<'_>, mistakes: &mut Vec<Mistake>) -> Option<Moment> {
        if self.pause_until == standing.pause_until() {
            return standing.wishes.pause_until;
        }
        if self.pause_until.is_empty() {
            return None;
        }
        let mut mistaken = |what: &str| {
            let detail = format!("“{}” {what}", self.pause_until);
            mistakes.push(Mistake { field: Field::PauseUntil, detail });
            None
        };
        let today = standing.today();
        match Day::parse(&self.pause_until) {
            None => mistaken("is not a date. Write year, month and day, as in 2027-01-31."),
            Some(day) if day <= today => mistaken("has come already. Choose a day after today."),
            Some(day) if day > today.plus(LONGEST_PAUSE_DAYS) => mistaken(
                "is more than ten years away. To hear nothing more from us, stop all messages below.",
            ),
            Some(day) => Some(standing.zone.start_of(day)),
        }
    }
}
