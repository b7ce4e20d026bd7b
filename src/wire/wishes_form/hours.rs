//! Hours by name: mornings, afternoons and evenings of working days, Saturdays and Sundays.

use crate::domain::moment::HOUR_MS;
use crate::domain::opening_hours::{OpenRange, OpeningHours};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    Weekdays,
    Saturday,
    Sunday,
}

impl Days {
    pub const ALL: [Self; 3] = [Self::Weekdays, Self::Saturday, Self::Sunday];

    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Weekdays => "Monday to Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Weekdays => "weekdays",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// 0 is Monday.
    const fn of_weekday(weekday: usize) -> Self {
        match weekday {
            5 => Self::Saturday,
            6 => Self::Sunday,
            _ => Self::Weekdays,
        }
    }
}

/// The times of day have no gap between them, so that two that touch are one stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOfDay {
    Morning,
    Afternoon,
    Evening,
}

impl TimeOfDay {
    pub const ALL: [Self; 3] = [Self::Morning, Self::Afternoon, Self::Evening];

    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Morning => "Morning",
            Self::Afternoon => "Afternoon",
            Self::Evening => "Evening",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// From which hour to which, on the clock of 24.
    #[must_use]
    pub const fn hours(self) -> (i64, i64) {
        match self {
            Self::Morning => (8, 12),
            Self::Afternoon => (12, 17),
            Self::Evening => (17, 21),
        }
    }

    const fn range(self) -> OpenRange {
        let (from, to) = self.hours();
        OpenRange { open_ms: from * HOUR_MS, close_ms: to * HOUR_MS }
    }
}

/// One box to tick: a time of day on some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub days: Days,
    pub time: TimeOfDay,
}

impl Slot {
    /// In the order of the page.
    pub fn all() -> impl Iterator<Item = Self> {
        Days::ALL.into_iter().flat_map(|days| TimeOfDay::ALL.map(|time| Self { days, time }))
    }

    #[must_use]
    pub fn name(self) -> String {
        format!("{}-{}", self.days.name(), self.time.name())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::all().find(|slot| slot.name() == text)
    }
}

/// Ranges in order, those that touch or overlap made one.
fn merged(ranges: impl IntoIterator<Item = OpenRange>) -> Vec<OpenRange> {
    let mut ranges: Vec<OpenRange> = ranges.into_iter().collect();
    ranges.sort_unstable();
    let mut merged: Vec<OpenRange> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.open_ms <= last.close_ms => last.close_ms = last.close_ms.max(range.close_ms),
            _ => merged.push(range),
        }
    }
    merged
}

/// The hours that are ticked; none ticked is no wish.
pub(super) fn opening_hours(ticked: &[Slot]) -> Option<OpeningHours> {
    let days = std::array::from_fn(|weekday| {
        let slots = ticked.iter().filter(|slot| slot.days == Days::of_weekday(weekday));
        merged(slots.map(|slot| slot.time.range()))
    });
    (!ticked.is_empty()).then(|| OpeningHours::from_days(days))
}

/// The boxes that say these hours, if any do.
pub(super) fn slots(hours: &OpeningHours) -> Option<Vec<Slot>> {
    let days = hours.days().each_ref().map(|ranges| merged(ranges.iter().copied()));
    let is_open = |slot: &Slot| {
        let range = slot.time.range();
        let holds = |open: &OpenRange| open.open_ms <= range.open_ms && range.close_ms <= open.close_ms;
        let mut own = days.iter().enumerate().filter(|(weekday, _)| Days::of_weekday(*weekday) == slot.days);
        own.all(|(_, ranges)| ranges.iter().any(holds))
    };
    let ticked: Vec<Slot> = Slot::all().filter(is_open).collect();
    let said = opening_hours(&ticked)?;
    (*said.days() == days).then_some(ticked)
}

/// What hours are known by from showing them to keeping them.
pub(super) fn id(hours: &OpeningHours) -> String {
    format!("hours {}", hours.in_words())
}

pub(super) fn sentence(hours: &OpeningHours) -> String {
    match hours.in_words().as_str() {
        "never" => "At no hour at all".to_owned(),
        words => format!("Only at these hours: {words}"),
    }
}
