//! The stretches of time a limit is over.

use std::fmt;

use super::moment::{HOUR_MS, Moment, Span, SpanUnit};
use super::wall_clock::{Day, LocalTime, Stretch, Zone};

/// The longest window a policy may name, in days: what records keep.
pub const LONGEST_WINDOW_DAYS: i64 = 400;

/// A calendar unit of the customer's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarUnit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl CalendarUnit {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Hour, "hour"),
        (Self::Day, "day"),
        (Self::Week, "week"),
        (Self::Month, "month"),
        (Self::Year, "year"),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// The window of a cap or of a wished limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// `(t - span, t]`: a contact exactly that old is out.
    Rolling { span: Span, written_in: SpanUnit },
    /// The calendar unit the contact falls into.
    Calendar(CalendarUnit),
    /// That many local dates in a row.
    LocalDays(i32),
    /// All contacts there ever were.
    Lifetime,
}

/// Why a text is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAWindow {
    Unreadable,
    TooLong,
}

impl fmt::Display for NotAWindow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => out.write_str(
                "not a window; write `rolling 7d` (s, m, h or d), `calendar hour`, `day`, `week`, \
                 `month` or `year` after `calendar`, `local 30 days`, or `lifetime`",
            ),
            Self::TooLong => write!(
                out,
                "longer than {LONGEST_WINDOW_DAYS} days, which is what records keep; use `lifetime` \
                 for a limit without end"
            ),
        }
    }
}

/// The day a week begins on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeekStart(usize);

impl WeekStart {
    /// 0 is Monday, 6 is Sunday.
    #[must_use]
    pub const fn on(weekday: usize) -> Self {
        Self(weekday % 7)
    }
}

/// Reads `local 7 days` (or `local 1 day`), the notation windows and holds share.
#[must_use]
pub fn parse_local_days(text: &str) -> Option<i32> {
    let rest = text.strip_prefix("local ")?;
    let number = rest.strip_suffix(" days").or_else(|| rest.strip_suffix(" day"))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse().ok().filter(|days| *days > 0)
}

impl Window {
    /// # Errors
    /// When the text is no window, or one longer than records keep.
    pub fn parse(text: &str) -> Result<Self, NotAWindow> {
        if text == "lifetime" {
            return Ok(Self::Lifetime);
        }
        if let Some(span) = text.strip_prefix("rolling ") {
            let written_in = SpanUnit::of(span).ok_or(NotAWindow::Unreadable)?;
            let span = Span::parse(span).ok_or(NotAWindow::Unreadable)?;
            return if span <= Span::from_days(LONGEST_WINDOW_DAYS) {
                Ok(Self::Rolling { span, written_in })
            } else {
                Err(NotAWindow::TooLong)
            };
        }
        if let Some(unit) = text.strip_prefix("calendar ") {
            return CalendarUnit::ALL
                .into_iter()
                .find(|(_, name)| *name == unit)
                .map(|(unit, _)| Self::Calendar(unit))
                .ok_or(NotAWindow::Unreadable);
        }
        let days = parse_local_days(text).ok_or(NotAWindow::Unreadable)?;
        if i64::from(days) <= LONGEST_WINDOW_DAYS {
            Ok(Self::LocalDays(days))
        } else {
            Err(NotAWindow::TooLong)
        }
    }

    /// How many [`Self::position`]s in a row one window holds.
    #[must_use]
    pub fn length(self) -> i64 {
        match self {
            Self::Rolling { span, .. } => span.millis(),
            Self::LocalDays(days) => i64::from(days),
            Self::Calendar(_) | Self::Lifetime => 1,
        }
    }

    /// Where `moment` lies in the window's own count: the millisecond, the local date, the calendar
    /// unit. `local` says what the customer's clock shows. Two contacts share a window when their positions are less than [`Self::length`] apart.
    #[must_use]
    pub fn position(self, moment: Moment, local: impl Fn(Moment) -> LocalTime, week_start: WeekStart) -> i64 {
        match self {
            Self::Rolling { .. } => moment.millis(),
            Self::LocalDays(_) => i64::from(local(moment).day.0),
            Self::Lifetime => 0,
            Self::Calendar(unit) => {
                let local = local(moment);
                match unit {
                    CalendarUnit::Hour => local.hour_number(),
                    CalendarUnit::Day => i64::from(local.day.0),
                    CalendarUnit::Week => {
                        let into = (local.day.weekday() + 7 - week_start.0) % 7;
                        // Weeks are numbered by their first day, made consecutive.
                        (i64::from(local.day.0) - into as i64).div_euclid(7)
                    }
                    CalendarUnit::Month => local
                        .day
                        .date()
                        .map_or(i64::MAX, |date| i64::from(date.year()) * 12 + i64::from(date.month()) - 1),
                    CalendarUnit::Year => local.day.date().map_or(i64::MAX, |date| i64::from(date.year())),
                }
            }
        }
    }

    /// What the customer's clock shows where `position` begins; `None` where no clock says so.
    fn begins(self, position: i64, week_start: WeekStart) -> Option<LocalTime> {
        let midnight = |day: Day| Some(LocalTime { day, time_ms: 0 });
        match self {
            Self::Rolling { .. } | Self::Lifetime => None,
            Self::LocalDays(_) | Self::Calendar(CalendarUnit::Day) => midnight(Day(position as i32)),
            Self::Calendar(CalendarUnit::Hour) => Some(LocalTime {
                day: Day(position.div_euclid(24) as i32),
                time_ms: position.rem_euclid(24) * HOUR_MS,
            }),
            Self::Calendar(CalendarUnit::Week) => {
                // Inverse of the numbering above: the first day of week `position` is the one day of its
                // seven that falls on the week's start.
                let from = Day((position * 7) as i32);
                let to_start = (week_start.0 + 7 - from.weekday()) % 7;
                midnight(from.plus(to_start as i32))
            }
            Self::Calendar(CalendarUnit::Month) => {
                midnight(first_of(position.div_euclid(12), position.rem_euclid(12) + 1))
            }
            Self::Calendar(CalendarUnit::Year) => midnight(first_of(position, 1)),
        }
    }

    /// The first moment after `moment` at which its position may be `position`, a later one; never
    /// too late, and too early only where the clock jumps between.
    #[must_use]
    pub fn reaches(self, position: i64, moment: Moment, zone: &Zone, week_start: WeekStart) -> Moment {
        match (self, self.begins(position, week_start)) {
            (Self::Rolling { .. }, _) => Moment::from_millis(position),
            (_, Some(begin)) => zone.boundary_after(moment, begin.day, begin.time_ms),
            (_, None) => Moment::NEVER,
        }
    }

    /// The first moment that has `position` or a later one, if it lies in a stretch in which the clock
    /// does not jump: all moments of the stretch from then on have it too.
    #[must_use]
    pub fn first_moment<'s>(
        self,
        position: i64,
        stretch: impl FnOnce() -> &'s Stretch,
        week_start: WeekStart,
    ) -> Option<Moment> {
        match self {
            Self::Rolling { .. } => Some(Moment::from_millis(position)),
            Self::Lifetime => None,
            Self::LocalDays(_) | Self::Calendar(_) => stretch().moment(self.begins(position, week_start)?),
        }
    }

    /// How far before or after a moment a contact may lie and still share a window with it, counted
    /// generously (zones are up to 26 hours apart, months up to 31 days long).
    #[must_use]
    pub fn reach(self) -> Span {
        let days = match self {
            Self::Rolling { span, .. } => return span,
            Self::LocalDays(days) => i64::from(days) + 2,
            Self::Calendar(CalendarUnit::Hour | CalendarUnit::Day) => 3,
            Self::Calendar(CalendarUnit::Week) => 9,
            Self::Calendar(CalendarUnit::Month) => 33,
            Self::Calendar(CalendarUnit::Year) => 368,
            Self::Lifetime => return Span::from_millis(Moment::NEVER.millis()),
        };
        Span::from_days(days)
    }

    /// The window in words, to follow "at most 3 contacts": `in any 7 days`, `in a calendar week`.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Rolling { span, written_in } => format!("in any {}", span.in_units(written_in)),
            Self::Calendar(unit) => format!("in a calendar {}", unit.name()),
            Self::LocalDays(1) => "on one day of the customer's calendar".to_owned(),
            Self::LocalDays(days) => format!("in any {days} days in a row of the customer's calendar"),
            Self::Lifetime => "ever".to_owned(),
        }
    }
}

fn first_of(year: i64, month: i64) -> Day {
    jiff::civil::Date::new(year as i16, month as i8, 1).map_or(Day(i32::MAX / 2), Day::from_date)
}

/// As the policy writes it.
impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling { span, written_in } => {
                write!(out, "rolling {}{}", span.millis() / written_in.millis(), written_in.letter())
            }
            Self::Calendar(unit) => write!(out, "calendar {}", unit.name()),
            Self::LocalDays(days) => {
                write!(out, "local {days} day{}", if *days == 1 { "" } else { "s" })
            }
            Self::Lifetime => out.write_str("lifetime"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_read_and_print_alike() {
        for text in [
            "rolling 7d",
            "rolling 24h",
            "rolling 36h",
            "rolling 90s",
            "rolling 400d",
            "calendar hour",
            "calendar day",
            "calendar week",
            "calendar month",
            "calendar year",
            "local 30 days",
            "local 1 day",
            "lifetime",
        ] {
            assert_eq!(Window::parse(text).map(|window| window.to_string()).as_deref(), Ok(text));
        }
        for (text, why) in [
            ("rolling 401d", NotAWindow::TooLong),
            ("local 401 days", NotAWindow::TooLong),
            ("rolling", NotAWindow::Unreadable),
            ("rolling -7d", NotAWindow::Unreadable),
            ("7d", NotAWindow::Unreadable),
            ("calendar fortnight", NotAWindow::Unreadable),
            ("local 0 days", NotAWindow::Unreadable),
        ] {
            assert_eq!(Window::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_week_is_reached_on_the_day_it_starts() {
        let zone = Zone::get("Europe/Paris").expect("zone");
        let now = Moment::parse("2026-11-21T12:00:00Z").expect("moment");
        let local = |moment| zone.local(moment);
        for weekday in 0..7 {
            let start = WeekStart::on(weekday);
            let window = Window::Calendar(CalendarUnit::Week);
            let position = window.position(now, local, start);
            let next = window.reaches(position + 1, now, &zone, start);
            assert_eq!(window.position(next, local, start), position + 1);
            assert_eq!(window.position(Moment::from_millis(next.millis() - 1), local, start), position);
            assert_eq!(zone.local(next).day.weekday(), weekday);
        }
    }
}
