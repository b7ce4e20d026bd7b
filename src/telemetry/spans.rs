//! What was done, for how long and with what outcome: spans on their way to a collector.
//!
//! No answer waits for them. They go into a bounded queue; what does not fit is counted and lost.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::settings::Ratio;

use super::trace_context::{TraceContext, TraceId};

/// The most that wait: some megabytes.
const MOST_WAITING: usize = 8_192;
/// So many go to a collector at once.
pub const TOGETHER: usize = 512;
/// The randomness of a trace is a number below this.
const RANDOMNESS: u64 = 1 << 56;
/// The clocks are compared now and then; a difference below this is none.
const DRIFT_NANOS: i64 = 50_000_000;
const NANOS_A_MILLI: i64 = 1_000_000;

/// What a span is, to whoever is on the other side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part of what is done here.
    Internal,
    /// A request to us.
    Server,
    /// A request of ours.
    Client,
}

/// What is known of a span beside its name and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub context: TraceContext,
    pub name: String,
    pub kind: Kind,
    /// In nanoseconds since 1970.
    pub began: i64,
    pub ended: i64,
    pub attributes: Vec<(&'static str, Value)>,
    pub failed: bool,
    /// What the caller's `tracestate` says.
    pub state: Option<String>,
}

/// Says of which traces spans are kept, and keeps them until they are sent.
pub struct Recorder {
    clock: Clock,
    /// What is added to the time since some moment or other to make it one since 1970: spans of one request are measured
    /// by one clock.
    offset: AtomicI64,
    /// Traces whose randomness is below this are left out.
    threshold: u64,
    waiting: Mutex<Vec<Span>>,
    /// Rung when there is enough to be sent.
    pub bell: Notify,
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl Recorder {
    #[must_use]
    pub fn new(sample: Ratio, clock: Clock) -> Self {
        let recorder = Self {
            clock,
            offset: AtomicI64::new(i64::MIN),
            threshold: RANDOMNESS - sample.of(RANDOMNESS),
            waiting: Mutex::default(),
            bell: Notify::new(),
            sent: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        };
        recorder.look_at_clock();
        recorder
    }

    /// Whether a trace that begins here is to be recorded.
    #[must_use]
    pub fn samples(&self, trace: TraceId) -> bool {
        trace.randomness() >= self.threshold
    }

    /// Nanoseconds since 1970; never set back within a request.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.offset.load(Ordering::Relaxed).saturating_add(self.elapsed())
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.clock.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    /// Follows the wall clock, should it have been set.
    pub fn look_at_clock(&self) {
        let offset = self.clock.now().millis().saturating_mul(NANOS_A_MILLI).saturating_sub(self.elapsed());
        if self.offset.load(Ordering::Relaxed).abs_diff(offset) > DRIFT_NANOS.unsigned_abs() {
            self.offset.store(offset, Ordering::Relaxed);
        }
    }

    /// Keeps a span until it is sent, if there is room for it.
    pub fn record(&self, span: Span) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING {
            drop(waiting);
            self.lose(1);
            return;
        }
        waiting.push(span);
        if waiting.len() == TOGETHER {
            self.bell.notify_one();
        }
    }

    /// What is to be sent next, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Span> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let together = waiting.len().min(TOGETHER);
        let rest = waiting.split_off(together);
        std::mem::replace(&mut *waiting, rest)
    }

    /// So many have arrived.
    pub fn deliver(&self, spans: usize) {
        self.sent.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// So many will never arrive.
    pub fn lose(&self, spans: usize) {
        self.dropped.fetch_add(spans as u64, Ordering::Relaxed);
    }

    /// Spans that a collector has taken.
    #[must_use]
    pub fn spans_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Spans that no collector has: more came at once than may wait, or it did not take them.
    #[must_use]
    pub fn spans_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Moment;

    fn recorder(millionths: u32) -> Recorder {
        Recorder::new(Ratio(millionths), Clock::manual(Moment::from_millis(1_794_830_400_000)))
    }

    fn span() -> Span {
        let context = TraceContext::begin();
        let name = "GET /livez".to_owned();
        Span {
            context,
            name,
            kind: Kind::Server,
            began: 0,
            ended: 1,
            attributes: vec![],
            failed: false,
            state: None,
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_lost_and_the_oldest_go_first() {
        let recorder = recorder(1_000_000);
        let first = span();
        recorder.record(first.clone());
        for _ in 0..MOST_WAITING + 2 {
            recorder.record(span());
        }
        assert_eq!(recorder.spans_dropped(), 3);
        let taken = recorder.take();
        assert_eq!((taken.len(), taken.first()), (TOGETHER, Some(&first)));
        let mut left = 0;
        while let more @ 1.. = recorder.take().len() {
            left += more;
        }
        assert_eq!(left, MOST_WAITING - TOGETHER);
        // There is room again.
        recorder.record(span());
        assert_eq!((recorder.take().len(), recorder.spans_dropped()), (1, 3));
    }

    #[test]
    fn the_part_that_is_sampled_is_the_part_that_was_asked_for_and_the_same_everywhere() {
        let (none, few, all) = (recorder(0), recorder(100_000), recorder(1_000_000));
        let other = recorder(100_000);
        let traces: Vec<TraceId> = (0..20_000).map(|_| TraceContext::begin().trace).collect();
        let sampled = |recorder: &Recorder| traces.iter().filter(|trace| recorder.samples(**trace)).count();
        assert_eq!((sampled(&none), sampled(&all)), (0, traces.len()));
        // A tenth, give or take ten standard deviations.
        assert!(sampled(&few).abs_diff(2_000) < 430, "{}", sampled(&few));
        assert!(traces.iter().all(|trace| few.samples(*trace) == other.samples(*trace)));
    }

    #[test]
    fn time_follows_the_clock() {
        let clock = Clock::manual(Moment::from_millis(1_794_830_400_000));
        let recorder = Recorder::new(Ratio(0), clock.clone());
        assert_eq!(recorder.now(), 1_794_830_400_000_000_000);
        clock.set(Moment::from_millis(1_794_830_400_001));
        assert_eq!(recorder.now(), 1_794_830_400_001_000_000);
    }
}
