//! The customer's own wall clock: time zones, local dates, and where they jump.
//!
//! Local dates are day numbers (0 is 1970-01-01) and times of day are milliseconds after local
//! midnight *as the clock shows it*, so that "09:00" means what a person reads off the wall, also in
//! the hour a clock skips or shows twice. The zone data is compiled in: two hosts answer alike.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::moment::{DAY_MS, HOUR_MS, Moment, Span};

/// A local date: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    pub day: Day,
    /// Milliseconds since the midnight the clock shows, 0 to 86,399,999.
    pub time_ms: i64,
}

/// No clock falls back by more: across the date line, by a day, and an hour of summer time.
const LONGEST_FALL_BACK: Span = Span::from_millis(25 * HOUR_MS);

/// A stretch of time with one offset from UTC, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    from: Moment,
    until: Moment,
    offset_ms: i64,
}

impl Stretch {
    /// What the clock shows, if `moment` lies within.
    #[must_use]
    pub fn local(&self, moment: Moment) -> Option<LocalTime> {
        self.holds(moment).then(|| LocalTime::at_offset(moment, self.offset_ms))
    }

    /// The first moment at which the clock shows `local` or later, if that lies within, and so long after
    /// the jump it began with that the clock cannot have shown it before, falling back.
    #[must_use]
    pub fn moment(&self, local: LocalTime) -> Option<Moment> {
        let shown = i64::from(local.day.0) * DAY_MS + local.time_ms;
        let moment = Moment::from_millis(shown - self.offset_ms);
        (self.holds(moment) && self.from + LONGEST_FALL_BACK <= moment).then_some(moment)
    }

    fn holds(&self, moment: Moment) -> bool {
        self.from <= moment && moment < self.until
    }
}

/// A time zone of the compiled-in IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Area/location zones of these areas are where people live; Antarctica and the `Etc` zones are not.
const INHABITED_AREAS: [&str; 9] =
    ["Africa/", "America/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];

static INHABITED: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    let mut zones: Vec<Zone> = jiff::tz::db()
        .available()
        .filter(|name| INHABITED_AREAS.iter().any(|area| name.as_str().starts_with(area)))
        .filter_map(|name| Zone::get(name.as_str()))
        .collect();
    // Links are spelled differently and keep the same time: one of each is enough.
    let mut kept: Vec<Zone> = Vec::new();
    for zone in zones.drain(..) {
        if !kept.iter().any(|other| other.keeps_the_time_of(&zone)) {
            kept.push(zone);
        }
    }
    kept
});

impl Zone {
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The zone of that IANA name, whatever its case; `None` where there is none.
    #[must_use]
    pub fn get(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).map(Self)
    }

    /// Every zone people live in, one of each that keep the same time.
    #[must_use]
    pub fn inhabited() -> &'static [Self] {
        &INHABITED
    }

    /// Every name the database has, for suggestions.
    pub fn names() -> impl Iterator<Item = String> {
        jiff::tz::db().available().map(|name| name.to_string())
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    fn offset_ms(&self, moment: Moment) -> i64 {
        i64::from(self.0.to_offset(moment.timestamp()).seconds()) * 1_000
    }

    #[must_use]
    pub fn local(&self, moment: Moment) -> LocalTime {
        LocalTime::at_offset(moment, self.offset_ms(moment))
    }

    /// The stretch around `moment` in which the zone's clock does not jump.
    #[must_use]
    pub fn stretch(&self, moment: Moment) -> Stretch {
        let before = self.0.preceding(moment.next().timestamp()).next();
        let from = before.map_or(Moment::from_millis(i64::MIN / 4), |jump| {
            Moment::from_millis(jump.timestamp().as_millisecond())
        });
        Stretch { from, until: self.next_jump(moment), offset_ms: self.offset_ms(moment) }
    }

    /// When the zone's clock next jumps after `moment`; [`Moment::NEVER`] if it does not.
    #[must_use]
    pub fn next_jump(&self, moment: Moment) -> Moment {
        self.0
            .following(moment.timestamp())
            .next()
            .map_or(Moment::NEVER, |transition| Moment::from_millis(transition.timestamp().as_millisecond()))
    }

    /// The first moment after `moment` at which the clock shows `day` and `time_ms`, if nothing makes
    /// it jump before; else the jump. Nothing that depends on the wall clock alone changes earlier
    /// than the earliest of its own boundaries taken this way.
    #[must_use]
    pub fn boundary_after(&self, moment: Moment, day: Day, time_ms: i64) -> Moment {
        let target = i64::from(day.0) * DAY_MS + time_ms;
        let straight = Moment::from_millis(target - self.offset_ms(moment));
        let jump = self.next_jump(moment);
        if straight > moment { straight.min(jump) } else { jump }
    }

    /// The first moment whose local date is `day` or later.
    #[must_use]
    pub fn start_of(&self, day: Day) -> Moment {
        let Some(midnight) = day.date().map(Date::to_datetime_at_midnight) else {
            return Moment::NEVER;
        };
        let ambiguous = self.0.to_ambiguous_timestamp(midnight);
        let at_offset =
            |seconds: i32| Moment::from_millis(i64::from(day.0) * DAY_MS - i64::from(seconds) * 1_000);
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => at_offset(offset.seconds()),
            // Midnight is skipped: the day begins where the clock lands.
            AmbiguousOffset::Gap { after, .. } => {
                self.next_jump(at_offset(after.seconds()) - Span::from_millis(1))
            }
            // Midnight comes twice: the day begins at the first of them.
            AmbiguousOffset::Fold { before, .. } => at_offset(before.seconds()),
        }
    }

    /// Whether both zones show the same time from 1970 on, as links of one another do.
    fn keeps_the_time_of(&self, other: &Self) -> bool {
        fn jumps(zone: &Zone) -> impl Iterator<Item = (i64, i32)> + '_ {
            zone.0
                .following(jiff::Timestamp::UNIX_EPOCH)
                .take(240)
                .map(|jump| (jump.timestamp().as_second(), jump.offset().seconds()))
        }
        self.offset_ms(Moment::from_millis(0)) == other.offset_ms(Moment::from_millis(0))
            && jumps(self).eq(jumps(other))
    }
}

trait Midnight {
    fn to_datetime_at_midnight(self) -> DateTime;
}

impl Midnight for Date {
    fn to_datetime_at_midnight(self) -> DateTime {
        self.at(0, 0, 0, 0)
    }
}

impl Day {
    /// The calendar date; `None` outside the years -9999 to 9999.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        Date::constant(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(i64::from(self.0) * 24)).ok()
    }

    #[must_use]
    pub fn from_date(date: Date) -> Self {
        let since = date.duration_since(Date::constant(1970, 1, 1));
        Self((since.as_hours() / 24) as i32)
    }

    /// Reads `2026-12-25`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        text.parse::<Date>().ok().map(Self::from_date)
    }

    /// 0 is Monday, 6 is Sunday.
    #[must_use]
    pub const fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) as usize
    }

    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl LocalTime {
    fn at_offset(moment: Moment, offset_ms: i64) -> Self {
        let local = moment.millis() + offset_ms;
        Self { day: Day(local.div_euclid(DAY_MS) as i32), time_ms: local.rem_euclid(DAY_MS) }
    }

    /// A count of local hours, the two 01:30s of a fall-back night sharing one.
    #[must_use]
    pub const fn hour_number(self) -> i64 {
        self.day.0 as i64 * 24 + self.time_ms / HOUR_MS
    }
}

/// Whole years from one local date to another: birthdays that have passed. Somebody born on
/// 29 February is a year older on 1 March of other years.
#[must_use]
pub fn whole_years(from: Day, to: Day) -> Option<i64> {
    let (from, to) = (from.date()?, to.date()?);
    if to < from {
        return whole_years(Day::from_date(to), Day::from_date(from)).map(|years| -years);
    }
    let not_yet = (to.month(), to.day()) < (from.month(), from.day());
    Some(i64::from(to.year()) - i64::from(from.year()) - i64::from(not_yet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(text).expect(text)
    }

    #[test]
    fn a_day_begins_at_the_first_moment_that_bears_its_date() {
        let cases = [
            ("America/New_York", "2026-11-21", "2026-11-21T05:00:00Z"),
            // Cairo skips midnight: the day starts at 01:00.
            ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
            // Samoa skipped the whole of 30 December 2011.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            // Havana shows 00:00 to 01:00 twice.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        ];
        for (zone, day, expected) in cases {
            let zone = Zone::get(zone).expect(zone);
            let start = zone.start_of(Day::parse(day).expect(day));
            assert_eq!(start, at(expected), "{zone:?} {day}");
        }
    }

    #[test]
    fn local_time_is_what_the_wall_shows() {
        let lord_howe = Zone::get("Australia/Lord_Howe").expect("zone");
        let before = lord_howe.local(at("2026-10-03T15:29:59.999Z"));
        let after = lord_howe.local(at("2026-10-03T15:30:00Z"));
        assert_eq!((before.time_ms + 1) / 60_000, 120, "01:59:59.999");
        assert_eq!(after.time_ms / 60_000, 150, "half an hour is skipped");
        assert_eq!(
            lord_howe.boundary_after(at("2026-10-03T15:00:00Z"), after.day, 3 * HOUR_MS),
            at("2026-10-03T15:30:00Z"),
            "the jump comes before 03:00"
        );
    }

    #[test]
    fn whole_years_are_birthdays() {
        let cases = [
            ("2011-06-01", "2026-05-31", 14),
            ("2011-06-01", "2026-06-01", 15),
            ("2020-02-29", "2021-02-28", 0),
            ("2020-02-29", "2021-03-01", 1),
            ("2027-06-01", "2026-06-01", -1),
            ("2027-06-01", "2026-06-02", 0),
        ];
        for (from, to, years) in cases {
            let day = |text| Day::parse(text).expect(text);
            assert_eq!(whole_years(day(from), day(to)), Some(years), "{from} {to}");
        }
    }

    #[test]
    fn people_live_from_eleven_hours_west_to_fourteen_east() {
        let now = at("2026-11-21T12:00:00Z");
        let hours: Vec<i64> = Zone::inhabited().iter().map(|zone| zone.offset_ms(now) / HOUR_MS).collect();
        assert_eq!(hours.iter().min(), Some(&-11));
        assert_eq!(hours.iter().max(), Some(&14));
        assert!(hours.len() > 100 && hours.len() < 420, "{}", hours.len());
    }
}
