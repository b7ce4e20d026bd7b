//! Points and lengths of time, to the millisecond.

use std::fmt;
use std::ops::{Add, Sub};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// Milliseconds in a second, a minute, an hour, a day.
pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// A day as a duration is 24 hours; a local date is another thing, see [`super::wall_clock`].
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// The units durations are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl SpanUnit {
    const LARGEST_FIRST: [Self; 4] = [Self::Days, Self::Hours, Self::Minutes, Self::Seconds];

    /// The unit a duration such as `36h` is written in.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::LARGEST_FIRST.into_iter().find(|unit| text.ends_with(unit.letter()))
    }

    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "second",
            Self::Minutes => "minute",
            Self::Hours => "hour",
            Self::Days => "day",
        }
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        match self {
            Self::Seconds => SECOND_MS,
            Self::Minutes => MINUTE_MS,
            Self::Hours => HOUR_MS,
            Self::Days => DAY_MS,
        }
    }
}

impl Moment {
    /// Later than anything a calendar here reaches, so that sums with it stay in range.
    pub const NEVER: Self = Self(i64::MAX / 4);

    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 date-time with any offset, cut to the millisecond.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (wall, offset) = split_offset(text)?;
        let bytes = wall.as_bytes();
        let is_digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
        let has_shape = matches!(bytes.get(10), Some(b'T' | b't'))
            && [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18].into_iter().all(is_digit)
            && bytes.get(13) == Some(&b':')
            && bytes.get(16) == Some(&b':')
            && matches!(bytes.get(19), None | Some(b'.'));
        if !has_shape {
            return None;
        }
        let wall: DateTime = wall.parse().ok()?;
        let since = wall.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        Some(Self(since.as_nanos().div_euclid(1_000_000) as i64 - offset.0))
    }

    /// The moment as the calendar library's type, clamped to the years it knows (-9999 to 9999).
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// One millisecond later: the finest step the governor knows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The wall clock's part of a date-time, and its offset from UTC.
fn split_offset(text: &str) -> Option<(&str, Span)> {
    if let Some(wall) = text.strip_suffix(['Z', 'z']) {
        return Some((wall, Span(0)));
    }
    let (wall, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, clock) = match offset.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str, below: i64| {
        let sound = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|number| sound && *number < below)
    };
    let offset_ms = number(hours, 24)? * HOUR_MS + number(minutes, 60)? * MINUTE_MS;
    Some((wall, Span(sign * offset_ms)))
}

/// RFC 3339 in UTC, with milliseconds only where there are any.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let wall = epoch.saturating_add(SignedDuration::from_millis(self.0));
        let (date, time) = (wall.date(), wall.time());
        let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
        let (hour, minute, second) =
            (i64::from(time.hour()), i64::from(time.minute()), i64::from(time.second()));
        let millis = self.0.rem_euclid(SECOND_MS);
        if year < 0 {
            return write!(
                out,
                "{year:05}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
            );
        }
        // An answer has several, and formatting them number by number was a fifteenth of what a batch costs.
        let digit = |number: i64, place: i64| b'0' + (number / place % 10) as u8;
        let [thousands, hundreds] = [digit(year, 1_000), digit(year, 100)];
        let pair = |number: i64| [digit(number, 10), digit(number, 1)];
        let ([y3, y4], [m1, m2], [d1, d2]) = (pair(year), pair(month), pair(day));
        let ([h1, h2], [n1, n2], [s1, s2]) = (pair(hour), pair(minute), pair(second));
        let ([f1, f2], f3) = (pair(millis / 10), digit(millis, 1));
        #[rustfmt::skip]
        let text = [
            thousands, hundreds, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T',
            h1, h2, b':', n1, n2, b':', s1, s2, b'.', f1, f2, f3, b'Z',
        ];
        let text = std::str::from_utf8(&text).unwrap_or_default();
        match (millis, text.split_once('.')) {
            (0, Some((seconds, _))) => {
                out.write_str(seconds)?;
                out.write_str("Z")
            }
            _ => out.write_str(text),
        }
    }
}

impl Span {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn from_days(days: i64) -> Self {
        Self(days * DAY_MS)
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads `90s`, `30m`, `36h` or `7d`: a whole number above nought and a unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unit = SpanUnit::of(text)?;
        let number = text.strip_suffix(unit.letter())?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = number.parse().ok()?;
        let millis = number.checked_mul(unit.millis())?;
        (0 < millis && millis < Moment::NEVER.0).then_some(Self(millis))
    }

    /// The span in words: `7 days`, `36 hours`, `1 minute`.
    #[must_use]
    pub fn in_words(self) -> String {
        let whole = |unit: &SpanUnit| self.0 % unit.millis() == 0;
        self.in_units(SpanUnit::LARGEST_FIRST.into_iter().find(whole).unwrap_or(SpanUnit::Seconds))
    }

    /// The span in words, in units of one's own choice: `24 hours`.
    #[must_use]
    pub fn in_units(self, unit: SpanUnit) -> String {
        let number = self.0 / unit.millis();
        format!("{number} {}{}", unit.name(), if number == 1 { "" } else { "s" })
    }
}

impl Add<Span> for Moment {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0).min(Self::NEVER.0))
    }
}

impl Sub<Span> for Moment {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Moment {
    type Output = Span;

    fn sub(self, other: Self) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rfc_3339_with_any_offset_and_cuts_to_the_millisecond() {
        let cases = [
            ("2026-11-21T18:00:00Z", Some("2026-11-21T18:00:00Z")),
            ("2026-11-21T18:00:00.1239Z", Some("2026-11-21T18:00:00.123Z")),
            ("2026-11-21T18:00:00+05:30", Some("2026-11-21T12:30:00Z")),
            ("1969-12-31T23:59:59.9999Z", Some("1969-12-31T23:59:59.999Z")),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z")),
            ("2026-11-21t18:00:00z", Some("2026-11-21T18:00:00Z")),
            ("2026-11-21 18:00:00Z", None),
            ("2026-11-21T18:00:00+0530", None),
            ("2026-11-21T18:00:00,5Z", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-02-30T18:00:00Z", None),
            ("+002026-11-21T18:00:00Z", None),
            ("2026-11-21T18:00:00", None),
            ("2026-11-21", None),
            ("2026-11-21T18Z", None),
            ("2026-13-21T18:00:00Z", None),
            ("2026-11-21T18:00:00Z[Europe/Paris]", None),
            ("tomorrow at the break of day", None),
        ];
        for (text, expected) in cases {
            let read = Moment::parse(text).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn reads_durations_of_whole_units() {
        let cases = [
            ("90s", Some(90_000)),
            ("30m", Some(1_800_000)),
            ("36h", Some(129_600_000)),
            ("7d", Some(604_800_000)),
            ("0d", None),
            ("-1d", None),
            ("+1d", None),
            ("1w", None),
            ("1.5h", None),
            ("d", None),
            ("", None),
            ("9223372036854775807d", None),
            ("7é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Span::parse(text).map(Span::millis), expected, "{text}");
        }
    }
}
