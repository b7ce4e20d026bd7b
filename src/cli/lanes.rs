//! Rows dealt by customer to lanes that run side by side, so that those of one customer keep their order; and
//! why a lane had to stop.

use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::backoff::{self, Backoff};
use crate::ledger::LedgerError;

/// How often something is tried before a run over a file stops: a hiccup of the disk should not end a long
/// one, and whoever waits for it should soon know that the ledger is away.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);
/// How long all in all something is waited for that has said when to ask again: a limit of requests, or a restart, is
/// over by then.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);

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
    pub again: Again,
}

/// Whether something is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Never,
    /// It may be over in a moment.
    Soon,
    /// After as long as the other side has asked for.
    After(Duration),
}

impl Stop {
    #[must_use]
    pub fn of(line: u64, error: &LedgerError) -> Self {
        let again = match error {
            LedgerError::Slow { .. } | LedgerError::Contended { .. } | LedgerError::Unavailable { .. } => {
                Again::Soon
            }
            LedgerError::Open { .. } | LedgerError::Owned { .. } | LedgerError::Unreadable { .. } => {
                Again::Never
            }
        };
        Self { line, why: error.to_string(), again }
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
    let (mut tries, mut waited) = (1, Duration::ZERO);
    loop {
        let mut stop = match attempt().await {
            Ok(done) => return Ok(done),
            Err(stop) => stop,
        };
        match stop.again {
            Again::Soon if tries < TRIES => {
                tries += 1;
                backoff.pause().await;
            }
            Again::After(asked) => {
                // Each wait counts for something, so that whoever asks for none is not tried for ever.
                waited += asked.max(FIRST_PAUSE);
                if waited > LONGEST_WAIT {
                    let (asked, longest) = (asked.as_secs(), LONGEST_WAIT.as_secs() / 60);
                    let _ = write!(
                        stop.why,
                        "; told to wait {asked} s, where at most {longest} minutes are waited for one answer"
                    );
                    return Err(stop);
                }
                backoff::wait(asked + backoff.draw()).await;
            }
            Again::Soon | Again::Never => return Err(stop),
        }
    }
}
