//! Losing races for a record: again at once, then after a pause, and not for ever.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::ledger::LedgerError;

/// How often a lost race is run again. Each loss means that somebody else has stored something, so
/// this many losses in a row mean as many asks for one customer at once.
const MOST_LOSSES: u32 = 128;
/// So many losses may be chance; after more, those who lose keep out of one another's way.
const LOSSES_WITHOUT_A_PAUSE: u32 = 3;
/// A pause starts at the time a round trip takes, and grows to what many racers need.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// What one verb has lost so far.
#[derive(Debug)]
pub struct Losses {
    count: u32,
    backoff: Backoff,
}

impl Default for Losses {
    fn default() -> Self {
        Self { count: 0, backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE) }
    }
}

impl Losses {
    /// Another race was lost; returns when the next may be run.
    ///
    /// # Errors
    /// When there have been enough.
    pub async fn one_more(&mut self) -> Result<(), LedgerError> {
        self.count += 1;
        if self.count >= MOST_LOSSES {
            return Err(LedgerError::Contended { attempts: MOST_LOSSES });
        }
        if self.count > LOSSES_WITHOUT_A_PAUSE {
            self.backoff.pause().await;
        }
        Ok(())
    }
}
