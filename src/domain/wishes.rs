//! What the customer asked for: how often, on which channels, at which hours, or not for a while.

use super::moment::Moment;
use super::opening_hours::OpeningHours;
use super::wall_clock::Zone;
use super::window::Window;
use super::words::Name;

/// "At most so many in that time", on some channels or on all.
#[derive(Clone, Debug, PartialEq)]
pub struct WishedLimit {
    pub limit: u32,
    pub window: Window,
    /// Empty: every channel.
    pub channels: Vec<Name>,
}

/// A customer's wishes. They can only tighten what the policy allows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    pub at_most: Vec<WishedLimit>,
    /// The channels that are welcome; `None`: every one.
    pub channels: Option<Vec<Name>>,
    pub hours: Option<OpeningHours>,
    pub pause_until: Option<Moment>,
}

impl Wishes {
    /// As one would read them out: `at most 1 in any 7 days by email; only by email or mail`.
    #[must_use]
    pub fn in_words(&self, zone: &Zone) -> String {
        let by = |channels: &[Name]| match channels {
            [] => String::new(),
            channels => format!(" by {}", or(channels)),
        };
        let mut words: Vec<String> = self
            .at_most
            .iter()
            .map(|wished| {
                format!("at most {} {}{}", wished.limit, wished.window.in_words(), by(&wished.channels))
            })
            .collect();
        match self.channels.as_deref() {
            None => {}
            Some([]) => words.push("by no channel".to_owned()),
            Some(channels) => words.push(format!("only{}", by(channels))),
        }
        if let Some(hours) = &self.hours {
            words.push(format!("only {}", hours.in_words()));
        }
        if let Some(pause_until) = self.pause_until {
            let local = zone.local(pause_until);
            let day =
                local.day.date().map_or_else(String::new, |date| date.strftime("%-d %B %Y").to_string());
            words.push(format!("nothing before {day}, {}", super::opening_hours::clock(local.time_ms)));
        }
        if words.is_empty() { "nothing in particular".to_owned() } else { words.join("; ") }
    }
}

fn or(names: &[Name]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
