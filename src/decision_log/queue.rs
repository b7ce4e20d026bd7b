//! Lines on their way out, in order of time.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::domain::moment::{HOUR_MS, Moment, SECOND_MS};

/// The most that waits: some seconds of the most that one instance can answer. What comes on top is lost.
const MOST_WAITING_BYTES: usize = 32 << 20;
/// The longest line that `simulate` reads, with room for its `at`.
const LONGEST_LINE_BYTES: usize = (1 << 20) - 64;

/// A line that lies farther ahead than this was written by a clock that was wrong: following it would make all moments
/// wrong until they reach it.
const FARTHEST_BACK_MS: i64 = HOUR_MS;
/// How every line begins, before its moment.
const BEGINNING: &str = "{\"at\":\"";
/// How long a moment is written.
const MOMENT_BYTES: usize = 24;

/// What waits to be written.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    taken: Taken,
    latest: Option<Moment>,
}

/// Lines, each with its end.
#[derive(Debug, Default)]
pub struct Taken {
    pub bytes: Vec<u8>,
    pub lines: u64,
}

impl Queue {
    /// Goes on after lines that an earlier process wrote, the last of them at `latest`.
    #[must_use]
    pub fn after(latest: Option<Moment>) -> Self {
        Self { waiting: Mutex::new(Waiting { taken: Taken::default(), latest }) }
    }

    /// Adds a line of which only `{"at":"…"` is missing; `false`: there is no room for it.
    ///
    /// Asks that overlap are answered in another order than they were asked in, by milliseconds. So that time never
    /// goes back from line to line, a line gets the moment of the one before it if that is later; also where the clock
    /// was set back meanwhile, by a little.
    #[must_use]
    pub fn add(&self, at: Moment, rest: &[&str]) -> bool {
        let length: usize = rest.iter().map(|part| part.len()).sum();
        if length > LONGEST_LINE_BYTES {
            return false;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { taken, latest } = &mut *waiting;
        if taken.bytes.len() + length > MOST_WAITING_BYTES {
            return false;
        }
        let followed = latest.filter(|latest| latest.millis() - at.millis() <= FARTHEST_BACK_MS);
        let at = followed.map_or(at, |latest| latest.max(at));
        *latest = Some(at);
        taken.bytes.extend_from_slice(BEGINNING.as_bytes());
        taken.bytes.extend_from_slice(sortable(at).as_bytes());
        taken.bytes.push(b'"');
        for part in rest {
            taken.bytes.extend_from_slice(part.as_bytes());
        }
        taken.bytes.push(b'\n');
        taken.lines += 1;
        true
    }

    /// Everything that waits.
    #[must_use]
    pub fn take(&self) -> Taken {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting.taken)
    }
}

/// A moment always of the same length, so that the lines of several instances can be sorted as texts.
fn sortable(at: Moment) -> String {
    let mut text = String::with_capacity(MOMENT_BYTES);
    let _ = write!(text, "{at}");
    if at.millis().rem_euclid(SECOND_MS) == 0 && text.pop().is_some() {
        text.push_str(".000Z");
    }
    text
}

/// The moment of a line that begins so.
#[must_use]
pub fn moment(line: &[u8]) -> Option<Moment> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix(BEGINNING)?;
    Moment::parse(text.get(..MOMENT_BYTES)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back_and_moments_sort_as_texts() {
        let queue = Queue::default();
        let noon = Moment::parse("2026-11-16T12:00:00Z").expect("a moment");
        for millis in [0, 7, 3] {
            assert!(queue.add(Moment::from_millis(noon.millis() + millis), &[",\"ask\":{}}"]));
        }
        let text = String::from_utf8(queue.take().bytes).expect("text");
        let moments: Vec<&str> = text.lines().map(|line| line.get(7..31).expect("a moment")).collect();
        assert_eq!(
            moments,
            ["2026-11-16T12:00:00.000Z", "2026-11-16T12:00:00.007Z", "2026-11-16T12:00:00.007Z"]
        );
        assert_eq!(queue.take().lines, 0);
    }

    #[test]
    fn a_clock_set_back_is_waited_for_unless_it_was_wrong_by_far() {
        let noon = Moment::parse("2026-11-16T12:00:00Z").expect("a moment");
        let earlier = |millis: i64| Moment::from_millis(noon.millis() - millis);
        for (at, expected) in [
            (earlier(1), noon),
            (earlier(HOUR_MS), noon),
            (earlier(HOUR_MS + 1), earlier(HOUR_MS + 1)),
            (earlier(-5), earlier(-5)),
        ] {
            let queue = Queue::after(Some(noon));
            assert!(queue.add(at, &[",\"ask\":{}}"]));
            let line = queue.take().bytes;
            assert_eq!(moment(&line), Some(expected));
            assert_eq!(moment(&line), Some(expected));
        }
        for other in [&b""[..], b"{}", b"{\"at\":\"noon\"", b"\xff"] {
            assert_eq!(moment(other), None);
        }
    }

    #[test]
    fn what_has_no_room_is_refused_and_what_is_taken_makes_room() {
        let queue = Queue::default();
        let at = Moment::from_millis(0);
        let long = "x".repeat(LONGEST_LINE_BYTES);
        let fitted = (0..100).filter(|_| queue.add(at, &[&long])).count();
        assert_eq!(fitted, MOST_WAITING_BYTES / (LONGEST_LINE_BYTES + 34));
        assert_eq!(queue.take().lines, fitted as u64);
        assert!(queue.add(at, &[&long]));
        assert!(!queue.add(at, &[&long, "x"]), "no line that simulate cannot read");
    }
}
