//! How often a caller may call: a bucket that fills at the caller's rate, and every call takes one out of it.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use governor::clock::Clock as GovernorsClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use prometheus::IntCounter;

use crate::backoff;
use crate::clock::Clock;
use crate::settings::Rate;

/// However long there is to wait, it is looked again after so long: the clock may be another one than the timer's.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What the fields call the one policy there is.
const POLICY: &str = "caller";

/// A bucket of one caller's.
pub struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>,
    clock: Ticks,
    rate: Rate,
    /// The field that says what the rate is.
    policy: HeaderValue,
    throttled: Throttled,
}

/// How often somebody was throttled.
#[derive(Clone, Debug)]
pub struct Throttled {
    pub requests: IntCounter,
    pub lines: IntCounter,
}

/// What an answer says of a bucket, after draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Clone, Debug)]
pub struct Fields {
    /// `RateLimit-Policy`: `q` at once, and a full bucket after `w` seconds.
    pub policy: HeaderValue,
    /// `RateLimit`: `r` are left, and it is full in `t` seconds.
    pub standing: HeaderValue,
}

/// The bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Empty {
    /// How long until there is one in it.
    pub wait: Duration,
}

impl Empty {
    /// In whole seconds, as `Retry-After` wants them.
    pub fn seconds(self) -> u64 {
        whole_seconds(self.wait).max(1)
    }
}

impl Bucket {
    pub fn new(rate: Rate, clock: &Clock, throttled: Throttled) -> Self {
        let clock = Ticks(clock.clone());
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        let window = rate.burst.get().div_ceil(rate.per_second.get());
        let policy = format!("\"{POLICY}\";q={};w={window}", rate.burst);
        let policy = HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { limiter, clock, rate, policy, throttled }
    }

    /// Takes one out for a request, and says how many are left.
    pub fn take(&self) -> Result<u32, Empty> {
        self.take_one().inspect_err(|_| self.throttled.requests.inc())
    }

    /// Takes one out for a line of a batch, which waits where there is none; it `has_waited` already if this is not
    /// the first try.
    pub fn take_for_line(&self, has_waited: bool) -> Result<(), Empty> {
        let taken = self.take_one();
        if taken.is_err() && !has_waited {
            self.throttled.lines.inc();
        }
        taken.map(|_| ())
    }

    fn take_one(&self) -> Result<u32, Empty> {
        match self.limiter.check() {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(until) => Err(Empty { wait: until.wait_time_from(self.clock.now()) }),
        }
    }

    /// What an answer says when so many are left.
    pub fn fields(&self, left: u32) -> Fields {
        let missing = self.rate.burst.get().saturating_sub(left);
        let full_in = missing.div_ceil(self.rate.per_second.get());
        let standing = HeaderValue::from_str(&format!("\"{POLICY}\";r={left};t={full_in}"));
        let standing = standing.unwrap_or_else(|_| HeaderValue::from_static(""));
        Fields { policy: self.policy.clone(), standing }
    }
}

/// Waits until it is worth looking again whether a bucket is empty.
pub async fn pause(empty: Option<Empty>) {
    let wait = empty.map_or(Duration::ZERO, |empty| empty.wait).min(LONGEST_PAUSE);
    backoff::wait(wait).await;
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// The program's own clock, as the limiter reads it.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl GovernorsClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::domain::moment::{Moment, SECOND_MS};

    fn bucket(per_second: u32, burst: u32) -> (Bucket, impl Fn(i64)) {
        let clock = Clock::manual(Moment::from_millis(0));
        let number = |number| NonZeroU32::new(number).expect("some");
        let rate = Rate { per_second: number(per_second), burst: number(burst) };
        let count = |name| IntCounter::new(name, name).expect("a counter");
        let throttled = Throttled { requests: count("requests"), lines: count("lines") };
        let bucket = Bucket::new(rate, &clock, throttled);
        (bucket, move |millis| clock.set(Moment::from_millis(millis)))
    }

    #[test]
    fn a_bucket_gives_what_is_in_it_and_fills_at_its_rate() {
        let (bucket, set) = bucket(2, 4);
        assert_eq!([0; 4].map(|_| bucket.take()), [Ok(3), Ok(2), Ok(1), Ok(0)]);
        assert_eq!(bucket.take(), Err(Empty { wait: Duration::from_millis(500) }));
        set(499);
        assert_eq!(bucket.take(), Err(Empty { wait: Duration::from_millis(1) }));
        set(500);
        assert_eq!(bucket.take(), Ok(0));
        set(100 * SECOND_MS);
        assert_eq!(bucket.take(), Ok(3), "no more than its burst gathers");
        assert_eq!(bucket.throttled.requests.get(), 2);
    }

    #[test]
    fn the_fields_say_what_is_left_and_when_it_is_full() {
        let (bucket, _) = bucket(10, 25);
        let text = |left| {
            let Fields { policy, standing } = bucket.fields(left);
            let text = |value: HeaderValue| value.to_str().expect("text").to_owned();
            (text(policy), text(standing))
        };
        let policy = "\"caller\";q=25;w=3".to_owned();
        assert_eq!(text(25), (policy.clone(), "\"caller\";r=25;t=0".to_owned()));
        assert_eq!(text(24), (policy.clone(), "\"caller\";r=24;t=1".to_owned()));
        assert_eq!(text(0), (policy, "\"caller\";r=0;t=3".to_owned()));
    }

    #[test]
    fn a_line_that_waits_is_counted_once() {
        let (bucket, set) = bucket(1, 1);
        assert_eq!(bucket.take_for_line(false), Ok(()));
        assert!(bucket.take_for_line(false).is_err() && bucket.take_for_line(true).is_err());
        set(1_000);
        assert_eq!(bucket.take_for_line(true), Ok(()));
        assert_eq!((bucket.throttled.lines.get(), bucket.throttled.requests.get()), (1, 0));
    }

    #[test]
    fn a_clock_set_back_gives_nothing_and_takes_nothing() {
        let (bucket, set) = bucket(1, 2);
        set(10_000);
        assert_eq!(bucket.take(), Ok(1));
        set(0);
        assert!(bucket.take().is_err());
        set(10_000);
        assert_eq!(bucket.take(), Ok(0));
    }
}
