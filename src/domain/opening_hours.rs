//! A week's opening hours on somebody's own wall clock.

use super::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use super::wall_clock::{Day, LocalTime};

/// The days of the week as policies spell them; index 0 is Monday.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One range of a day, half-open, in milliseconds after local midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenRange {
    pub open_ms: i64,
    pub close_ms: i64,
}

impl OpenRange {
    /// Reads `09:00-20:00`; `24:00` ends a day.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (open, close) = text
            .split_once('-')
            .ok_or_else(|| format!("`{text}` is not a range of hours; write `09:00-20:00`"))?;
        let (open_ms, close_ms) = match (clock_ms(open), clock_ms(close)) {
            (Some(open_ms), Some(close_ms)) if open_ms < DAY_MS => (open_ms, close_ms),
            _ => {
                return Err(format!(
                    "`{text}` is not a range of hours; write `09:00-20:00`, at the latest `24:00`"
                ));
            }
        };
        if open_ms >= close_ms {
            return Err(format!(
                "`{text}` ends before it begins; a range may not cross midnight: end it at `24:00` and \
                 begin the next day's at `00:00`"
            ));
        }
        Ok(Self { open_ms, close_ms })
    }
}

fn clock_ms(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())
            .flatten()
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let in_range = (hours < 24 && minutes < 60) || (hours == 24 && minutes == 0);
    in_range.then_some(hours * HOUR_MS + minutes * MINUTE_MS)
}

/// `mon`, `mon-fri` or `sat-mon` as weekday numbers.
fn parse_weekdays(text: &str) -> Option<Vec<usize>> {
    let number = |name: &str| WEEKDAYS.iter().position(|weekday| *weekday == name);
    match text.split_once('-') {
        None => number(text).map(|day| vec![day]),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            let count = (to + 7 - from) % 7 + 1;
            Some((0..count).map(|step| (from + step) % 7).collect())
        }
    }
}

/// Opening hours on their way to being written down, key by key.
#[derive(Clone, Debug, Default)]
pub struct Week {
    days: [Option<Vec<OpenRange>>; 7],
}

impl Week {
    /// Gives the days of `key` (`mon`, `mon-fri`, `sat-mon`) these ranges.
    ///
    /// # Errors
    /// A sentence for a key that is no day, or names one that has its hours already.
    pub fn open(&mut self, key: &str, ranges: &[OpenRange]) -> Result<(), String> {
        let Some(weekdays) = parse_weekdays(key) else {
            let known = WEEKDAYS.join(", ");
            return Err(format!("`{key}` is not a day; write one of {known}, or a range as `mon-fri`"));
        };
        let mut twice = None;
        for weekday in weekdays {
            if let (Some(day), Some(name)) = (self.days.get_mut(weekday), WEEKDAYS.get(weekday)) {
                if day.is_some() {
                    twice = twice.or(Some(name));
                }
                *day = Some(ranges.to_vec());
            }
        }
        twice.map_or(Ok(()), |name| Err(format!("`{name}` has hours twice")))
    }

    /// The hours; days left out are closed.
    #[must_use]
    pub fn hours(self) -> OpeningHours {
        OpeningHours::from_days(self.days.map(Option::unwrap_or_default))
    }
}

/// Opening hours for each day of a week; a day without ranges is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningHours([Vec<OpenRange>; 7]);

impl OpeningHours {
    #[must_use]
    pub fn from_days(mut days: [Vec<OpenRange>; 7]) -> Self {
        for ranges in &mut days {
            ranges.sort_unstable();
        }
        Self(days)
    }

    #[must_use]
    pub fn days(&self) -> &[Vec<OpenRange>; 7] {
        &self.0
    }

    /// The ranges of `day`, the first beginning later by `delay_ms` of it (within the range).
    fn ranges(&self, day: Day, delay: impl Fn(Day) -> i64) -> impl Iterator<Item = OpenRange> {
        let ranges = self.0.get(day.weekday()).map_or(&[][..], Vec::as_slice);
        ranges.iter().enumerate().map(move |(index, range)| {
            let delay_ms = if index == 0 { delay(day).rem_euclid(range.close_ms - range.open_ms) } else { 0 };
            OpenRange { open_ms: range.open_ms + delay_ms, ..*range }
        })
    }

    /// Whether the clock on the wall shows an hour that is open, the first opening of each day
    /// coming `delay(day)` milliseconds late.
    #[must_use]
    pub fn is_open(&self, local: LocalTime, delay: impl Fn(Day) -> i64) -> bool {
        self.ranges(local.day, delay)
            .any(|range| range.open_ms <= local.time_ms && local.time_ms < range.close_ms)
    }

    /// The next opening the clock will show after `local`; `None` if it is never open.
    #[must_use]
    pub fn next_opening(&self, local: LocalTime, delay: impl Fn(Day) -> i64) -> Option<LocalTime> {
        (0..=7).find_map(|ahead| {
            let day = local.day.plus(ahead);
            self.ranges(day, &delay)
                .map(|range| LocalTime { day, time_ms: range.open_ms })
                .filter(|opening| *opening > local)
                .min()
        })
    }

    /// The hours in words: `Mon–Fri 09:00–20:00, Sat 10:00–17:00`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut parts: Vec<(usize, usize, String)> = Vec::new();
        for (index, ranges) in self.0.iter().enumerate() {
            if ranges.is_empty() {
                continue;
            }
            let hours: Vec<String> = ranges
                .iter()
                .map(|range| format!("{}–{}", clock(range.open_ms), clock(range.close_ms)))
                .collect();
            let hours = hours.join(" and ");
            match parts.last_mut() {
                Some((_, last, same)) if *last + 1 == index && *same == hours => *last = index,
                _ => parts.push((index, index, hours)),
            }
        }
        if parts.is_empty() {
            return "never".to_owned();
        }
        let days = |index: usize| {
            ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].get(index).copied().unwrap_or("")
        };
        let parts: Vec<String> = parts
            .into_iter()
            .map(|(first, last, hours)| {
                if first == last {
                    format!("{} {hours}", days(first))
                } else {
                    format!("{}–{} {hours}", days(first), days(last))
                }
            })
            .collect();
        parts.join(", ")
    }
}

/// `09:00` for nine in the morning.
#[must_use]
pub fn clock(time_ms: i64) -> String {
    format!("{:02}:{:02}", time_ms / HOUR_MS, time_ms % HOUR_MS / MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_half_open_and_stay_within_a_day() {
        for text in ["00:00-24:00", "09:00-20:00", "23:59-24:00"] {
            assert!(OpenRange::parse(text).is_ok(), "{text}");
        }
        for text in [
            "9-20",
            "09:00",
            "20:00-09:00",
            "09:00-09:00",
            "09:60-10:00",
            "24:00-24:00",
            "09:00-24:01",
            "+9:00-10:00",
        ] {
            assert!(OpenRange::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn day_ranges_wrap() {
        assert_eq!(parse_weekdays("sat-mon"), Some(vec![5, 6, 0]));
        assert_eq!(parse_weekdays("mon-sun"), Some(vec![0, 1, 2, 3, 4, 5, 6]));
        assert_eq!(parse_weekdays("mon"), Some(vec![0]));
        assert_eq!(parse_weekdays("monday"), None);
    }
}
