//! When requests are refused so that the others are answered in time.

use std::time::Duration;

use super::Reading;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverloadSettings {
    /// How long work may wait in a worker while there is too much of it.
    pub target_delay: Duration,
    /// So many requests may be under way in a worker, however slow the ledger is.
    pub least_under_way: usize,
}

/// Reads what the settings say of it.
pub(super) fn read(reading: &mut Reading<'_>) -> OverloadSettings {
    OverloadSettings {
        target_delay: reading.duration("overload.target_delay"),
        least_under_way: reading.number("overload.least_under_way", 1, 100_000),
    }
}
