//! Whether one more request is let in, judged by how long work has waited and how long answers have taken. It
//! knows no clock: moments are times since the worker began, given by the caller.
//!
//! Two queues can grow. One is the worker's own: connections that could be read, answers that could be written. How
//! long work waits there is measured, and requests are refused while that is too long. The other is before the
//! ledger. It is kept short by a limit to how many requests are under way: as many as are answered within the target.

use std::time::Duration;

/// A worker is not thought overloaded because it was once held up: only when work waited for so many times the
/// target in [`LONG_WAITS`] looks one after the other.
const LONG: u32 = 5;
const LONG_WAITS: u32 = 2;
/// Once it is, nothing may wait for longer than the target until nothing has for so long. Short of that it would
/// be overloaded again and again, and some would wait for long each time.
const CALM: Duration = Duration::from_secs(1);
/// What was measured so long ago says nothing about now.
const STALE: Duration = Duration::from_millis(100);
/// Answers are looked at so often, or when there are as many: often enough that few are late before the limit is
/// there, and enough of them that one slow answer means little.
const WINDOW: Duration = Duration::from_millis(10);
const WINDOW_ANSWERS: u32 = 16;
/// Few answers are better looked at late than never.
const LONGEST_WINDOW: Duration = Duration::from_secs(1);
/// What is usual follows what is quicker at once, nearly, and what is slower within about half a minute of windows
/// in which nothing was refused: a day's slow growth is no overload.
const QUICKER: f64 = 0.25;
const SLOWER: f64 = 1.0 / 2_048.0;
/// While no more are under way than always may be, it is not their number that makes answers slow.
const SLOWER_AT_LEAST: f64 = 1.0 / 16.0;
/// How much further the limit goes with each window that was in time.
const WIDER: f64 = 1.1;

/// What the operator wants.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub target: Duration,
    pub least_under_way: usize,
}

/// How long work waits in the worker, as last measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// What was measured last, and when.
    pub last: Option<(Duration, Duration)>,
    /// So long has what is being measured waited by now.
    pub present: Duration,
}

/// What one worker knows of its load.
#[derive(Debug)]
pub struct Controller {
    terms: Terms,
    long_waits: u32,
    alert_until: Option<Duration>,
    under_way: usize,
    /// How many may be under way; `None`: any number.
    limit: Option<f64>,
    /// How long an answer usually takes, in seconds, when nobody crowds.
    usual: Option<f64>,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    since: Duration,
    answers: u32,
    seconds: f64,
    /// The most that were under way.
    most: usize,
    /// Something was refused.
    is_full: bool,
}

impl Controller {
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            long_waits: 0,
            alert_until: None,
            under_way: 0,
            limit: None,
            usual: None,
            window: Window::default(),
        }
    }

    /// Work was seen to wait for so long.
    pub fn waited(&mut self, wait: Duration, now: Duration) {
        self.long_waits = if wait > self.long() { self.long_waits.saturating_add(1) } else { 0 };
        if self.long_waits >= LONG_WAITS || (self.is_alert(now) && wait > self.terms.target) {
            self.alert_until = Some(now + CALM);
        }
    }

    /// Lets a request in, or not. One that is let in is under way until [`Controller::answered`] or
    /// [`Controller::left`].
    pub fn admit(&mut self, waits: Waits, now: Duration) -> bool {
        if self.is_crowded(waits, now) {
            self.window.is_full = true;
            return false;
        }
        self.under_way += 1;
        self.window.most = self.window.most.max(self.under_way);
        true
    }

    /// Whether a request would be refused.
    #[must_use]
    pub fn is_crowded(&self, waits: Waits, now: Duration) -> bool {
        let last = waits.last.filter(|(_, at)| now.saturating_sub(*at) < STALE).map(|(wait, _)| wait);
        let wait = waits.present.max(last.unwrap_or_default());
        // One long wait, and one that is becoming long.
        let is_growing = self.long_waits + 1 >= LONG_WAITS && last.is_some() && waits.present > self.long();
        let waits_too_long = is_growing || (self.is_alert(now) && wait > self.terms.target);
        waits_too_long || self.limit.is_some_and(|limit| self.under_way as f64 >= limit)
    }

    /// A request was answered after so long.
    pub fn answered(&mut self, took: Duration, now: Duration) {
        self.left();
        self.window.answers += 1;
        self.window.seconds += took.as_secs_f64();
        let lasted = now.saturating_sub(self.window.since);
        let is_enough = lasted >= WINDOW && self.window.answers >= WINDOW_ANSWERS;
        if is_enough || lasted >= LONGEST_WINDOW {
            self.close_window(lasted.as_secs_f64());
            self.window = Window { since: now, most: self.under_way, ..Window::default() };
        }
    }

    /// A request is no longer under way, whatever became of it.
    pub fn left(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    fn long(&self) -> Duration {
        self.terms.target.saturating_mul(LONG)
    }

    fn is_alert(&self, now: Duration) -> bool {
        self.alert_until.is_some_and(|until| now < until)
    }

    fn close_window(&mut self, lasted: f64) {
        let mean = self.window.seconds / f64::from(self.window.answers);
        let is_least = self.window.most <= self.terms.least_under_way;
        let usual = self.usual.unwrap_or(mean);
        let follows = match (mean < usual, is_least, self.window.is_full) {
            (true, _, _) => QUICKER,
            (false, true, _) => SLOWER_AT_LEAST,
            (false, false, false) => SLOWER,
            (false, false, true) => 0.0,
        };
        let usual = usual + (mean - usual) * follows;
        self.usual = Some(usual);
        let target = self.terms.target.as_secs_f64().max(2.0 * usual);
        if mean > target {
            // So many are answered within the target, if they go on being answered as quickly as now.
            let rate = f64::from(self.window.answers) / lasted;
            self.limit = Some((rate * target).max(self.terms.least_under_way as f64));
        } else if let Some(limit) = self.limit {
            let wider = limit * WIDER + 1.0;
            // Far from being reached it is no limit.
            self.limit = (wider < 1_000_000.0).then_some(wider);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const TARGET: Duration = Duration::from_millis(2);

    fn controller() -> Controller {
        Controller::new(Terms { target: TARGET, least_under_way: 4 })
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn last(wait: Duration, now: Duration) -> Waits {
        Waits { last: Some((wait, now)), present: Duration::ZERO }
    }

    /// A ledger that takes so long for each answer, and gives so many a millisecond at most.
    struct Ledger {
        controller: Controller,
        pending: VecDeque<Duration>,
        now: Duration,
    }

    impl Ledger {
        fn new() -> Self {
            Self { controller: controller(), pending: VecDeque::new(), now: Duration::ZERO }
        }

        /// Of so many asks a millisecond, how many are let in.
        fn serve(&mut self, lasting: Duration, asked: usize, took: Duration, capacity: usize) -> usize {
            let (end, mut let_in) = (self.now + lasting, 0);
            while self.now < end {
                self.now += ms(1);
                for _ in 0..capacity {
                    let Some(since) = self.pending.pop_front_if(|since| *since + took <= self.now) else {
                        break;
                    };
                    self.controller.answered(self.now.saturating_sub(since), self.now);
                }
                for _ in 0..asked {
                    if self.controller.admit(Waits::default(), self.now) {
                        self.pending.push_back(self.now);
                        let_in += 1;
                    }
                }
            }
            let_in
        }
    }

    #[test]
    fn one_hiccup_refuses_nobody() {
        let mut controller = controller();
        controller.waited(ms(500), ms(1_000));
        assert!(controller.admit(last(ms(500), ms(1_000)), ms(1_000)));
        assert!(controller.admit(Waits { present: ms(10), ..last(ms(500), ms(1_000)) }, ms(1_001)));
        controller.waited(ms(1), ms(1_010));
        controller.waited(ms(500), ms(2_000));
        assert!(controller.admit(last(ms(500), ms(2_000)), ms(2_000)), "nor another one, later");
    }

    #[test]
    fn a_queue_that_stays_refuses_until_it_is_short_and_at_once_when_it_grows_again() {
        let mut controller = controller();
        controller.waited(ms(11), ms(100));
        let growing = Waits { last: Some((ms(11), ms(100))), present: ms(11) };
        assert!(!controller.admit(growing, ms(111)), "the second is seen to become long before it ends");
        controller.waited(ms(15), ms(115));
        assert!(!controller.admit(last(ms(15), ms(115)), ms(116)));
        controller.waited(ms(2), ms(120));
        assert!(controller.admit(last(ms(2), ms(120)), ms(120)), "short again");
        controller.waited(ms(3), ms(500));
        assert!(!controller.admit(last(ms(3), ms(500)), ms(500)), "a little too long is too long now");
        // That was the last of it: a second later one may again wait as long as five times the target.
        assert!(!controller.admit(Waits { present: ms(3), last: None }, ms(1_499)));
        assert!(controller.admit(Waits { present: ms(3), last: None }, ms(1_500)));
    }

    #[test]
    fn an_old_measure_refuses_nobody() {
        let mut controller = controller();
        controller.waited(ms(11), ms(100));
        controller.waited(ms(11), ms(111));
        assert!(!controller.admit(last(ms(11), ms(111)), ms(210)));
        assert!(controller.admit(last(ms(11), ms(111)), ms(211)));
    }

    #[test]
    fn so_many_are_under_way_as_are_answered_within_the_target() {
        let mut ledger = Ledger::new();
        assert_eq!(ledger.serve(ms(1_000), 1, ms(1), 10), 1_000);
        assert_eq!(ledger.controller.limit, None, "a quick ledger has no limit");
        ledger.serve(ms(100), 40, ms(1), 10);
        // Four times what can be answered: what can be is let in, and waits for about the target.
        let let_in = ledger.serve(ms(1_000), 40, ms(1), 10);
        assert!((9_000..=10_100).contains(&let_in), "{let_in} of 10,000 that could be answered");
        assert!(ledger.pending.len() <= 30, "{} are under way", ledger.pending.len());
        ledger.serve(ms(1_000), 8, ms(1), 10);
        assert_eq!(ledger.serve(ms(1_000), 8, ms(1), 10), 8_000, "once it is over nobody is refused");
    }

    #[test]
    fn a_ledger_that_has_become_slow_is_the_new_usual() {
        let mut ledger = Ledger::new();
        ledger.serve(ms(1_000), 10, ms(1), 1_000);
        let at_first = ledger.serve(ms(2_000), 10, ms(300), 1_000);
        assert!(at_first < 10_000, "while it is unusual most of 20,000 are refused, not only {at_first}");
        ledger.serve(ms(30_000), 10, ms(300), 1_000);
        assert_eq!(ledger.serve(ms(1_000), 10, ms(300), 1_000), 10_000, "after half a minute it is not");
    }

    #[test]
    fn overload_never_becomes_usual() {
        let mut ledger = Ledger::new();
        ledger.serve(ms(1_000), 1, ms(1), 10);
        let usual = ledger.controller.usual.expect("known");
        ledger.serve(ms(30_000), 40, ms(1), 10);
        assert!(ledger.controller.usual.expect("known") < 1.5 * usual, "{:?}", ledger.controller.usual);
    }

    #[test]
    fn whoever_leaves_unanswered_makes_room() {
        let mut controller = controller();
        controller.limit = Some(1.0);
        assert!(controller.admit(Waits::default(), ms(0)));
        assert!(!controller.admit(Waits::default(), ms(0)));
        controller.left();
        assert!(controller.admit(Waits::default(), ms(0)));
    }
}
