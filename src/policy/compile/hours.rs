//! Contact hours as they are written: days, ranges, and what is closed.

use std::collections::BTreeMap;

use crate::domain::opening_hours::{OpenRange, OpeningHours, Week};
use crate::domain::wall_clock::{Day, LocalTime};
use crate::policy::document;
use crate::policy::mistakes::Collector;
use crate::policy::placed::Placed;
use crate::rules::contact_hours::{Closed, ContactHours};

use super::names;

/// Reads the hours of one rule; `None` where there are none.
pub fn read(written: &document::ContactHours, mistakes: &mut Collector<'_>) -> Option<ContactHours> {
    let open = written.open.as_ref().map(|days| opening_hours(days, mistakes));
    let closed: Vec<Closed> =
        written.closed.iter().flatten().filter_map(|text| closed(text, mistakes)).collect();
    if written.open.is_none() && written.closed.is_none() {
        // Only hours make contact hours; the shape alone cannot say "one of two".
        let place = written.id.as_ref().map_or(0..0, |id| id.place.clone());
        mistakes.add(&place, "contact hours need `open`, `closed` or both");
        return None;
    }
    Some(ContactHours {
        open,
        closed,
        spread: written.spread.as_ref().and_then(|text| names::span(text, mistakes)),
    })
}

fn opening_hours(
    written: &BTreeMap<Placed<String>, Vec<Placed<String>>>,
    mistakes: &mut Collector<'_>,
) -> OpeningHours {
    let mut week = Week::default();
    let mut in_file_order: Vec<_> = written.iter().collect();
    in_file_order.sort_by_key(|(key, _)| key.place.start);
    for (key, texts) in in_file_order {
        let mut ranges = Vec::new();
        for text in texts {
            match OpenRange::parse(text) {
                Ok(range) => ranges.push(range),
                Err(message) => mistakes.add(&text.place, message),
            }
        }
        if let Err(message) = week.open(key, &ranges) {
            mistakes.add(&key.place, message);
        }
    }
    week.hours()
}

/// Reads `2026-12-25` or `2026-12-31T20:00/2027-01-02T08:00`.
fn closed(text: &Placed<String>, mistakes: &mut Collector<'_>) -> Option<Closed> {
    let interval = match text.split_once('/') {
        None => Day::parse(text).map(|day| Closed {
            from: LocalTime { day, time_ms: 0 },
            until: LocalTime { day: day.plus(1), time_ms: 0 },
        }),
        Some((from, until)) => match (local_time(from), local_time(until)) {
            (Some(from), Some(until)) => Some(Closed { from, until }),
            _ => None,
        },
    };
    match interval {
        Some(closed) if closed.from < closed.until => Some(closed),
        Some(_) => {
            mistakes.add(&text.place, format!("`{}` ends before it begins", text.value));
            None
        }
        None => {
            mistakes.add(
                &text.place,
                format!(
                    "`{}` is neither a local date (`2026-12-25`) nor an interval \
                     (`2026-12-31T20:00/2027-01-02T08:00`)",
                    text.value
                ),
            );
            None
        }
    }
}

fn local_time(text: &str) -> Option<LocalTime> {
    match text.split_once('T') {
        None => Day::parse(text).map(|day| LocalTime { day, time_ms: 0 }),
        Some((day, time)) => {
            let range = OpenRange::parse(&format!("{time}-24:00")).ok()?;
            Some(LocalTime { day: Day::parse(day)?, time_ms: range.open_ms })
        }
    }
}
