//! Waiting before another try: longer each time, never as long as everybody else.

use std::time::Duration;

/// Pauses that double up to a bound, each drawn at random from nought to that length, so that those who
/// failed together do not try again together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// How long to wait before the next try.
    pub fn draw(&mut self) -> Duration {
        let pause = self.next.mul_f64(fastrand::f64());
        self.next = self.next.saturating_mul(2).min(self.longest);
        pause
    }

    pub const fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits before the next try.
    pub async fn pause(&mut self) {
        wait(self.draw()).await;
    }
}

/// Waits for as long as somebody has asked for.
#[expect(clippy::disallowed_methods, reason = "the one place that waits for time to pass")]
pub async fn wait(asked: Duration) {
    tokio::time::sleep(asked).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_start_again() {
        let (first, longest) = (Duration::from_millis(1), Duration::from_millis(8));
        let mut backoff = Backoff::new(first, longest);
        for bound in [1, 2, 4, 8, 8, 8] {
            assert!(backoff.draw() <= Duration::from_millis(bound));
        }
        backoff.reset();
        assert!(backoff.draw() <= first);
    }
}
