//! When a client's calls were made: an assumption, for the file gives the last day only.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::rows::Client;

/// Where the bank's clients are taken to live.
pub const TIME_ZONE: &str = "Europe/Lisbon";

/// The hours in which the bank is taken to have called: 9 to 20 o'clock.
const FIRST_MINUTE: i64 = 9 * 60;
const WORKING_DAY_MINUTES: i64 = 11 * 60;
const WORKING_WEEK_DAYS: i64 = 5;

/// Clients who follow one another are called this many minutes apart. It shares no divisor with the length
/// of a working day, so every minute of the day comes up equally often.
const STRIDE_MINUTES: i64 = 197;

/// Calls spread evenly over the working time of some weeks.
pub struct Pace {
    weeks: i64,
    minutes: i64,
    zone: TimeZone,
}

impl Pace {
    /// # Errors
    /// When the calendar library comes without Lisbon's clock.
    pub fn over_weeks(weeks: u8) -> Result<Self, jiff::Error> {
        let minutes = i64::from(weeks) * WORKING_WEEK_DAYS * WORKING_DAY_MINUTES;
        Ok(Self { weeks: i64::from(weeks), minutes, zone: TimeZone::get(TIME_ZONE)? })
    }

    /// The client with their last call moved by whole weeks, so that all of their calls come after `now`, and as soon
    /// as that allows.
    pub fn moved(&self, client: Client, now: Timestamp) -> Option<Client> {
        let earliest = now.to_zoned(self.zone.clone()).date().checked_add((self.weeks + 1).weeks()).ok()?;
        let days = i64::from(client.last_day.until(earliest).ok()?.get_days());
        let weeks = days.div_euclid(7) + i64::from(days.rem_euclid(7) != 0);
        Some(Client { last_day: client.last_day.checked_add(weeks.weeks()).ok()?, ..client })
    }

    /// The moment of the call that `later_calls` of the same client came after. None before the first or
    /// after the last day that the calendar library knows.
    pub fn moment(&self, client: &Client, later_calls: u16) -> Option<Timestamp> {
        let of_last_day = i64::from(client.number) * STRIDE_MINUTES % WORKING_DAY_MINUTES;
        let back = i64::from(later_calls) * self.minutes / i64::from(client.calls.max(1));
        let minute = of_last_day - back;
        let day = working_days_before(client.last_day, -minute.div_euclid(WORKING_DAY_MINUTES))?;
        let minute_of_day = FIRST_MINUTE + minute.rem_euclid(WORKING_DAY_MINUTES);
        let clock = day.at((minute_of_day / 60) as i8, (minute_of_day % 60) as i8, 0, 0);
        self.zone.to_ambiguous_timestamp(clock).compatible().ok()
    }
}

/// The last day itself counts whatever its weekday; before it only Monday to Friday do.
fn working_days_before(last: Date, count: i64) -> Option<Date> {
    let mut day = last;
    for _ in 0..count {
        day = day.yesterday().ok()?;
        while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            day = day.yesterday().ok()?;
        }
    }
    Some(day)
}
