//! Rows dealt by customer to lanes that run side by side, so that those of one customer keep their order; and
//! why a lane had to stop.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::backoff::Backoff;
use crate::ledger::LedgerError;

/// How often something is tried before a run over a file stops: a hiccup of the disk should not end a long
/// one, and whoever waits for it should soon know that the ledger is away.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// Entries of some customers, each with its place among all.
pub type Lane<'e, E> = Vec<(usize, &'e E)>;

/// Deals entries to at most so many lanes.
pub fn of<E>(entries: &[E], most: usize, customer: impl Fn(&E) -> &str) -> Vec<Lane<'_, E>> {
    let mut lanes = vec![Lane::new(); most];
    for (place, entry) in entries.iter().enumerate() {
        if let Some(lane) = lanes.get_mut(digest(customer(entry)) as usize % most) {
            lane.push((place, entry));
        }
    }
    lanes.retain(|lane| !lane.is_empty());
    lanes
}

/// A number that stands for a text, the same in every run.
#[must_use]
pub fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What came of all lanes, or the first stop. All have ended, so that nothing of them can come after something
/// that is tried again.
///
/// # Errors
/// The stop of the lowest line.
pub fn merged<T>(lanes: Vec<Result<Vec<T>, Stop>>) -> Result<Vec<T>, Stop> {
    let mut all = Vec::new();
    let mut first_stop: Option<Stop> = None;
    for lane in lanes {
        match lane {
            Ok(some) => all.extend(some),
            Err(stop) if first_stop.as_ref().is_none_or(|first| stop.line < first.line) => {
                first_stop = Some(stop);
            }
            Err(_) => {}
        }
    }
    first_stop.map_or(Ok(all), Err)
}

/// Why a run cannot go on.
#[derive(Debug)]
pub struct Stop {
    pub line: u64,
    pub why: String,
    /// Whether it may be over in a moment.
    pub may_pass: bool,
}

impl Stop {
    #[must_use]
    pub fn of(line: u64, error: &LedgerError) -> Self {
        let may_pass = match error {
            LedgerError::Slow { .. } | LedgerError::Contended { .. } | LedgerError::Unavailable { .. } => {
                true
            }
            LedgerError::Open { .. } | LedgerError::Owned { .. } | LedgerError::Unreadable { .. } => false,
        };
        Self { line, why: error.to_string(), may_pass }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.why)
    }
}

/// Tries again where what stops it may pass.
///
/// # Errors
/// The stop of the last try.
pub async fn insist<T>(mut attempt: impl AsyncFnMut() -> Result<T, Stop>) -> Result<T, Stop> {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 1..TRIES {
        match attempt().await {
            Err(stop) if stop.may_pass => backoff.pause().await,
            ended => return ended,
        }
    }
    attempt().await
}
