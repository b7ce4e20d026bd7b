//! The form on a customer's own page: wishes as what is ticked and typed, and back.
//!
//! Two things hold. A part that is left as it was shown stays exactly what it was, however and by whomever
//! it was set. And what the form has no field for is shown as a sentence and kept unless its box is
//! unticked; what was set meanwhile, and so never shown, is kept too.

mod change;
mod hours;
mod limit;
#[cfg(test)]
mod tests;

use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::suppression::{Reach, Suppressed};
use crate::domain::wall_clock::{Day, Zone};
use crate::domain::wishes::Wishes;
use crate::domain::words::Name;
use crate::policy::Policy;
use crate::rules::company::{Exemption, Purpose};

pub use change::{stop, take_back};
pub use hours::{Days, Slot, TimeOfDay};
pub use limit::Per;

/// The names of the fields; those that may be there several times are lists.
pub const DO: &str = "do";
pub const CHANNEL: &str = "channel";
pub const LIMIT: &str = "limit";
pub const PER: &str = "per";
pub const HOURS: &str = "hours";
pub const PAUSE_UNTIL: &str = "pause_until";
pub const KEEP: &str = "keep";
pub const SEEN: &str = "seen";

/// No form here has more; a body may hold many thousands.
const MOST_FIELDS: usize = 1_000;
/// As much of what is typed is shown again.
const LONGEST_TYPED: usize = 64;

/// A channel as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownChannel {
    pub name: Name,
    pub words: String,
    /// The customer's wishes name it, or name none.
    welcome: bool,
    /// The customer has unsubscribed from this one.
    pub stopped: bool,
}

impl ShownChannel {
    /// What the box that is submitted with the page says of an unsubscription that was shown.
    fn stop_id(&self) -> String {
        format!("stopped {}", self.name)
    }
}

/// Something set that the form has no field for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: String,
    pub sentence: String,
}

/// How things stand with a customer, as the page shows them at one moment.
#[derive(Clone, Debug)]
pub struct Standing<'r> {
    wishes: &'r Wishes,
    pub channels: Vec<ShownChannel>,
    /// Since when every channel is unsubscribed from, if every one is.
    pub stopped_since: Option<Moment>,
    /// Whether some messages are sent in spite of that, as receipts are.
    pub has_essentials: bool,
    pub zone: Zone,
    pub now: Moment,
}

impl<'r> Standing<'r> {
    #[must_use]
    pub fn of(record: &'r Record, policy: &Policy, now: Moment) -> Self {
        let company = &policy.company;
        let wishes = &record.wishes;
        // What is about one purpose is none of this page's; no purpose is called nothing.
        let bound = |name: &Name| record.suppressions.binding(name, "", now);
        let all: Option<Vec<Suppressed>> =
            company.channels.iter().map(|channel| bound(&channel.name)).collect();
        let stopped_since = all.iter().flatten().map(|suppressed| suppressed.since).max();
        let passes_none = all.is_some_and(|all| all.iter().all(|one| one.reach == Reach::EveryPurpose));
        let is_exempt = |purpose: &Purpose| purpose.is_exempt(Exemption::Suppressions);
        let shown = |name: &Name| ShownChannel {
            name: name.clone(),
            words: in_words(name),
            welcome: wishes.channels.as_ref().is_none_or(|welcome| welcome.contains(name)),
            // Where everything is stopped, taking that back is one button; the boxes say what holds then.
            stopped: stopped_since.is_none() && bound(name).is_some(),
        };
        Self {
            wishes,
            channels: company.channels.iter().map(|channel| shown(&channel.name)).collect(),
            stopped_since,
            has_essentials: !passes_none && company.purposes.iter().any(is_exempt),
            zone: company.zone_of(record),
            now,
        }
    }

    /// The date on the customer's calendar.
    #[must_use]
    pub fn today(&self) -> Day {
        self.zone.local(self.now).day
    }

    /// What the form has no field for.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        let words = |name: &Name| in_words(name);
        let limits = limit::others(&self.wishes.at_most)
            .map(|other| Kept { id: limit::id(other), sentence: limit::sentence(other, words) });
        let hours = self.wishes.hours.as_ref().filter(|hours| hours::slots(hours).is_none());
        let hours = hours.map(|odd| Kept { id: hours::id(odd), sentence: hours::sentence(odd) });
        limits.chain(hours).collect()
    }

    /// The date a pause that still lasts ends on, as `2026-12-24`; else nothing.
    fn pause_until(&self) -> String {
        let ahead = self.wishes.pause_until.filter(|end| *end > self.now);
        let date = ahead.and_then(|end| self.zone.local(end).day.date());
        date.map_or_else(String::new, |date| date.to_string())
    }
}

/// A channel as people call it; one of the company's own by its name.
fn in_words(channel: &str) -> String {
    match channel {
        "email" => "E-mail",
        "sms" => "Text message",
        "voice" => "Telephone call",
        "mail" => "Letter",
        other => other,
    }
    .to_owned()
}

/// What is ticked and typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub channels: Vec<String>,
    pub limit: String,
    pub per: Per,
    pub hours: Vec<Slot>,
    pub pause_until: String,
    /// The ids of what is to be kept.
    pub keep: Vec<String>,
    /// The ids of what was shown.
    pub seen: Vec<String>,
}

impl Filled {
    /// The form as it is first shown: what would be sent if nothing were changed.
    #[must_use]
    pub fn of(standing: &Standing<'_>) -> Self {
        let wishes = standing.wishes;
        let main = limit::main(&wishes.at_most);
        let keep: Vec<String> = standing.kept().into_iter().map(|kept| kept.id).collect();
        let stopped = standing.channels.iter().filter(|channel| channel.stopped);
        let seen = keep.iter().cloned().chain(stopped.map(ShownChannel::stop_id)).collect();
        let ticked = standing.channels.iter().filter(|channel| channel.welcome && !channel.stopped);
        Self {
            channels: ticked.map(|channel| channel.name.to_string()).collect(),
            limit: main.map_or_else(String::new, |main| main.limit.to_string()),
            per: main.map_or(Per::Week, |main| main.per),
            hours: wishes.hours.as_ref().and_then(hours::slots).unwrap_or_default(),
            pause_until: standing.pause_until(),
            keep,
            seen,
        }
    }
}

/// What a mistake is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Channels,
    Limit,
    Hours,
    PauseUntil,
    /// The form itself.
    Form,
}

/// Something in the form that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub field: Field,
    pub detail: String,
}

/// What is to be done with what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Save,
    Stop,
    TakeBack,
}

impl Intent {
    /// As the buttons say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::Stop => "stop",
            Self::TakeBack => "take-back",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Save, Self::Stop, Self::TakeBack].into_iter().find(|intent| intent.name() == text)
    }
}

/// A form as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub intent: Intent,
    pub filled: Filled,
    /// What could not even be read; [`Filled::changes`] finds the rest.
    pub mistakes: Vec<Mistake>,
}

impl Sent {
    /// Reads `application/x-www-form-urlencoded`. What a text says, [`Filled::changes`] judges.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let mut sent = Self { intent: Intent::Save, filled: Filled::default(), mistakes: Vec::new() };
        let mut once = Vec::new();
        for (index, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if index == MOST_FIELDS {
                sent.object("The form that arrived has too many fields.".to_owned());
                break;
            }
            if [DO, LIMIT, PER, PAUSE_UNTIL].contains(&&*name) {
                if once.contains(&name) {
                    sent.object(format!("The field “{name}” arrived twice."));
                    continue;
                }
                once.push(name.clone());
            }
            sent.take(&name, &value);
        }
        if !once.iter().any(|name| name == DO) {
            sent.object("The form did not arrive whole. Please try again.".to_owned());
        }
        sent.filled.hours = Slot::all().filter(|slot| sent.filled.hours.contains(slot)).collect();
        sent
    }

    fn take(&mut self, name: &str, value: &str) {
        let typed = || value.trim().chars().take(LONGEST_TYPED).collect::<String>();
        let filled = &mut self.filled;
        let mut is_known = true;
        match name {
            DO => match Intent::parse(value) {
                Some(intent) => self.intent = intent,
                None => is_known = false,
            },
            PER => match Per::parse(value) {
                Some(per) => filled.per = per,
                None => is_known = false,
            },
            HOURS => match Slot::parse(value) {
                Some(slot) => filled.hours.push(slot),
                None => is_known = false,
            },
            LIMIT => filled.limit = typed(),
            PAUSE_UNTIL => filled.pause_until = typed(),
            CHANNEL => filled.channels.push(value.to_owned()),
            KEEP => filled.keep.push(value.to_owned()),
            SEEN => filled.seen.push(value.to_owned()),
            _ => is_known = false,
        }
        if !is_known {
            let short = |text: &str| text.chars().take(LONGEST_TYPED).collect::<String>();
            self.object(format!("The form has no field “{}” with “{}”.", short(name), short(value)));
        }
    }

    fn object(&mut self, detail: String) {
        self.mistakes.push(Mistake { field: Field::Form, detail });
    }
}
