//! "At most so many a day, a week or a month", and limits that say it otherwise.

use crate::domain::moment::Span;
use crate::domain::window::{CalendarUnit, Window};
use crate::domain::wishes::WishedLimit;
use crate::domain::words::Name;

/// More than that in a day is no limit anybody feels.
const MOST: u32 = 99;

/// What a limit is for each of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    Day,
    #[default]
    Week,
    Month,
}

impl Per {
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.name() == text)
    }

    const fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// Dates of the customer's own calendar, in a row. A rolling day would forbid nine o'clock because of
    /// ten o'clock yesterday, which nobody means by "one a day"; and a calendar week would let its share
    /// come on Sunday evening and the next one's on Monday morning, which nobody means either.
    const fn window(self) -> Window {
        Window::LocalDays(self.days())
    }

    /// What a window is in the form's words, if it is: whether it rolls or follows the calendar, people
    /// call it a day, a week or a month.
    fn of(window: Window) -> Option<Self> {
        Self::ALL.into_iter().find(|per| match window {
            Window::Rolling { span, .. } => span == Span::from_days(i64::from(per.days())),
            Window::LocalDays(days) => days == per.days(),
            Window::Calendar(CalendarUnit::Day) => *per == Self::Day,
            Window::Calendar(CalendarUnit::Week) => *per == Self::Week,
            Window::Calendar(CalendarUnit::Month) => *per == Self::Month,
            Window::Calendar(CalendarUnit::Hour | CalendarUnit::Year) | Window::Lifetime => false,
        })
    }
}

/// The limit the form has a field for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Main {
    index: usize,
    pub limit: u32,
    pub per: Per,
    window: Window,
}

/// The first limit on all channels that the form can say.
pub(super) fn main(at_most: &[WishedLimit]) -> Option<Main> {
    at_most.iter().enumerate().find_map(|(index, wished)| {
        let sayable = wished.channels.is_empty() && (1..=MOST).contains(&wished.limit);
        let per = Per::of(wished.window).filter(|_| sayable)?;
        Some(Main { index, limit: wished.limit, per, window: wished.window })
    })
}

/// The limits the form has no field for.
pub(super) fn others(at_most: &[WishedLimit]) -> impl Iterator<Item = &WishedLimit> {
    let main = main(at_most).map(|main| main.index);
    at_most.iter().enumerate().filter(move |(index, _)| Some(*index) != main).map(|(_, wished)| wished)
}

/// What a limit is known by from showing it to keeping it.
pub(super) fn id(wished: &WishedLimit) -> String {
    format!("at most {} {} [{}]", wished.limit, wished.window, wished.channels.join(", "))
}

pub(super) fn sentence(wished: &WishedLimit, words: impl Fn(&Name) -> String) -> String {
    let contacts = if wished.limit == 1 { "contact" } else { "contacts" };
    let time = match wished.window {
        Window::LocalDays(1) => "on any one day".to_owned(),
        Window::LocalDays(days) => format!("in any {days} days in a row"),
        other => other.in_words(),
    };
    let channels: Vec<String> = wished.channels.iter().map(words).collect();
    let by = if channels.is_empty() { String::new() } else { format!(": {}", channels.join(", ")) };
    format!("At most {} {contacts} {time}{by}", wished.limit)
}

/// What was typed; nothing is no limit.
pub(super) fn read(typed: &str) -> Result<Option<u32>, String> {
    if typed.is_empty() {
        return Ok(None);
    }
    match typed.parse() {
        Ok(limit) if (1..=MOST).contains(&limit) => Ok(Some(limit)),
        _ => Err(format!(
            "“{typed}” is not a whole number from 1 to {MOST}. Leave it empty if you need no limit of your own."
        )),
    }
}

/// `current` with the form's own limit set to this, and of the others those that are to be kept.
pub(super) fn changed(
    current: &[WishedLimit],
    limit: Option<u32>,
    per: Per,
    is_kept: impl Fn(&WishedLimit) -> bool,
) -> Vec<WishedLimit> {
    let main = main(current);
    // Whoever changes only the number means the same kind of week as before.
    let window = main.filter(|main| main.per == per).map_or(per.window(), |main| main.window);
    let own = limit.map(|limit| WishedLimit { limit, window, channels: Vec::new() });
    let first = if main.is_none() { own.clone() } else { None };
    let rest = current.iter().enumerate().filter_map(|(index, wished)| {
        if main.is_some_and(|main| main.index == index) {
            return own.clone();
        }
        is_kept(wished).then(|| wished.clone())
    });
    first.into_iter().chain(rest).collect()
}
