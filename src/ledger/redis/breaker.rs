//! A circuit breaker: after a few failures in a row nobody waits for what does not answer, but one in
//! each pause, who finds out whether it does again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row open it: one may be chance, and each costs somebody a timeout.
const FAILURES_THAT_OPEN: u32 = 3;
/// How long nobody tries after a failure: short beside the time a person notices, long beside a try.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub struct Breaker {
    failures: AtomicU32,
    /// In milliseconds since `epoch`: when the next one may try.
    closed_until_ms: AtomicU64,
    epoch: Instant,
}

impl Breaker {
    #[must_use]
    pub const fn new(epoch: Instant) -> Self {
        Self { failures: AtomicU32::new(0), closed_until_ms: AtomicU64::new(0), epoch }
    }

    /// Whether it lets nobody through but those who try.
    fn is_open(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES_THAT_OPEN
    }

    /// Whether it keeps callers away at this moment; where nobody calls, it does not for long.
    #[must_use]
    pub fn rests(&self, now: Instant) -> bool {
        self.is_open() && self.since_epoch_ms(now) < self.closed_until_ms.load(Ordering::Relaxed)
    }

    /// Whether a caller may try now. Who may must [`Breaker::note`] how it went.
    #[must_use]
    pub fn admits(&self, now: impl FnOnce() -> Instant) -> bool {
        if !self.is_open() {
            return true;
        }
        let now_ms = self.since_epoch_ms(now());
        let until = self.closed_until_ms.load(Ordering::Relaxed);
        let next = now_ms + PAUSE.as_millis() as u64;
        now_ms >= until
            && self
                .closed_until_ms
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// What became of a try. Returns whether that opened or closed it.
    pub fn note(&self, answered: bool, now: impl FnOnce() -> Instant) -> bool {
        if answered {
            // Reading is cheaper than writing where nothing has failed.
            return self.failures.load(Ordering::Relaxed) != 0
                && self.failures.swap(0, Ordering::Relaxed) >= FAILURES_THAT_OPEN;
        }
        let until = self.since_epoch_ms(now()) + PAUSE.as_millis() as u64;
        self.closed_until_ms.store(until, Ordering::Relaxed);
        let failures = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |failures| Some(failures.saturating_add(1)));
        failures == Ok(FAILURES_THAT_OPEN - 1)
    }

    fn since_epoch_ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try_in_each_pause() {
        let epoch = Instant::now();
        let at = |ms| move || epoch + Duration::from_millis(ms);
        let breaker = Breaker::new(epoch);
        assert!(!breaker.note(false, at(0)));
        assert!(!breaker.note(true, at(0)), "an answer starts the count again, and nothing was open");
        for _ in 0..2 {
            assert!(!breaker.note(false, at(10)));
            assert!(breaker.admits(at(10)));
        }
        assert!(breaker.note(false, at(10)), "the third opens it");
        assert!(breaker.rests(at(200)()) && !breaker.rests(at(260)()), "untried, it is in nobody's way");
        assert!(!breaker.admits(at(200)));
        assert!(breaker.admits(at(260)), "one may try");
        assert!(!breaker.admits(at(261)), "and no other");
        assert!(!breaker.note(false, at(270)));
        assert!(!breaker.admits(at(500)), "it failed: a pause from then on");
        assert!(breaker.admits(at(521)));
        assert!(breaker.note(true, at(522)), "it is back");
        assert!(breaker.admits(at(523)) && breaker.admits(at(523)));
    }
}
