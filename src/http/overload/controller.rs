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
/// Of the time that is bearable the ledger has this share: who waits for it has waited in the worker, and will wait
/// there once more when it has answered.
const LEDGERS_SHARE: f64 = 0.5;
/// Answers that take so many times what is usual are late, however short that is.
const UNUSUAL: f64 = 2.0;
/// How much further the limit goes with each window that was in time.
const WIDER: f64 = 1.1;

/// Refusals are answered so far apart at least. Each takes some 15 µs, most of that in the operating system: so those who
/// are refused take no more than a tenth of the worker from those who are not, and whoever asks again at once waits.
const REFUSALS_APART: Duration = Duration::from_micros(200);
/// Nobody waits longer to be refused: whoever is refused is told to come again in a second.
const LONGEST_HOLD: Duration = Duration::from_secs(1);

/// However long work waits, one request of so many is let in. Where so much comes that refusing alone keeps the worker
/// busy, all would wait for too long, and to refuse all would help nobody; this many take a tenth of its time or so.
const ONE_OF: u32 = 32;

/// What the operator wants.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub target: Duration,
    pub least_under_way: usize,
}

/// What one worker knows of its load.
#[derive(Debug)]
pub struct Controller {
    terms: Terms,
    /// Requests since the present wait began to be measured.
    came: usize,
    /// The last wait that was of our making, and when it ended.
    last: Option<(Duration, Duration)>,
    long_waits: u32,
    alert_until: Option<Duration>,
    /// Since the last that was let in.
    refused: u32,
    /// When the last refusal is answered.
    refused_at: Duration,
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
    /// The longest that work has waited in the worker itself.
    longest_wait: Duration,
}

impl Controller {
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            came: 0,
            last: None,
            long_waits: 0,
            alert_until: None,
            refused: 0,
            refused_at: Duration::ZERO,
            under_way: 0,
            limit: None,
            usual: None,
            window: Window::default(),
        }
    }

    /// Work was seen to wait for so long, since the requests before that were judged.
    pub fn waited(&mut self, wait: Duration, now: Duration) {
        // Where few came they are not what it waited for: something else has the processor.
        let is_ours = std::mem::take(&mut self.came) > self.terms.least_under_way;
        self.last = is_ours.then_some((wait, now));
        self.window.longest_wait = self.window.longest_wait.max(wait);
        self.long_waits = if is_ours && wait > self.long() { self.long_waits.saturating_add(1) } else { 0 };
        if self.long_waits >= LONG_WAITS || (is_ours && self.is_alert(now) && wait > self.terms.target) {
            self.alert_until = Some(now + CALM);
        }
    }

    /// Lets a request in, or not; what waits now has waited for `present`. One that is let in is under way until
    /// it is [`Controller::answered`].
    pub fn admit(&mut self, present: Duration, now: Duration) -> bool {
        self.came += 1;
        if self.is_at_limit() || (self.waits_too_long(present, now) && self.refused + 1 < ONE_OF) {
            self.refused = self.refused.saturating_add(1);
            self.window.is_full = true;
            return false;
        }
        self.refused = 0;
        self.under_way += 1;
        self.window.most = self.window.most.max(self.under_way);
        true
    }

    /// For how long to keep one that is refused at `now` waiting for that.
    pub fn hold(&mut self, now: Duration) -> Duration {
        self.refused_at = (self.refused_at + REFUSALS_APART).clamp(now, now + LONGEST_HOLD);
        self.refused_at.saturating_sub(now)
    }

    /// Whether requests are being refused.
    #[must_use]
    pub fn is_crowded(&self, present: Duration, now: Duration) -> bool {
        self.is_at_limit() || self.waits_too_long(present, now)
    }

    fn is_at_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.under_way as f64 >= limit)
    }

    fn waits_too_long(&self, present: Duration, now: Duration) -> bool {
        let last = self.last.filter(|(_, at)| now.saturating_sub(*at) < STALE).map(|(wait, _)| wait);
        let present = if self.came > self.terms.least_under_way { present } else { Duration::ZERO };
        let wait = present.max(last.unwrap_or_default());
        // One long wait, and one that is becoming long.
        let is_growing = self.long_waits + 1 >= LONG_WAITS && last.is_some() && present > self.long();
        is_growing || (self.is_alert(now) && wait > self.terms.target)
    }

    /// A request was answered after so long.
    pub fn answered(&mut self, took: Duration, now: Duration) {
        self.under_way = self.under_way.saturating_sub(1);
        self.window.answers += 1;
        self.window.seconds += took.as_secs_f64();
        let lasted = now.saturating_sub(self.window.since);
        let is_enough = lasted >= WINDOW && self.window.answers >= WINDOW_ANSWERS;
        if is_enough || lasted >= LONGEST_WINDOW {
            self.close_window(lasted.as_secs_f64());
            self.window = Window { since: now, most: self.under_way, ..Window::default() };
        }
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
        // While the worker itself is late, slow answers are its own doing, however few are under way.
        let is_late = self.window.longest_wait > self.terms.target;
        let follows = match (mean < usual, is_least && !is_late, self.window.is_full) {
            (true, _, _) => QUICKER,
            (false, true, _) => SLOWER_AT_LEAST,
            (false, false, false) => SLOWER,
            (false, false, true) => 0.0,
        };
        let usual = usual + (mean - usual) * follows;
        self.usual = Some(usual);
        let target = (self.terms.target.as_secs_f64() * LEDGERS_SHARE).max(UNUSUAL * usual);
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

    /// A wait in which so many requests came.
    fn wait(controller: &mut Controller, requests: usize, wait: Duration, now: Duration) {
        controller.came = requests;
        controller.waited(wait, now);
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
                    if self.controller.admit(ms(0), self.now) {
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
        wait(&mut controller, 100, ms(500), ms(1_000));
        controller.came = 100;
        assert!(controller.admit(ms(10), ms(1_010)), "it is not yet long again");
        wait(&mut controller, 100, ms(1), ms(1_011));
        wait(&mut controller, 100, ms(500), ms(2_000));
        assert!(controller.admit(ms(0), ms(2_000)), "nor another one, later");
    }

    #[test]
    fn a_queue_that_stays_refuses_until_it_is_short_and_at_once_when_it_grows_again() {
        let mut controller = controller();
        wait(&mut controller, 100, ms(11), ms(100));
        controller.came = 100;
        assert!(!controller.admit(ms(11), ms(111)), "the second is seen to become long before it ends");
        wait(&mut controller, 100, ms(15), ms(115));
        assert!(!controller.admit(ms(0), ms(116)));
        wait(&mut controller, 100, ms(2), ms(120));
        assert!(controller.admit(ms(0), ms(120)), "short again");
        wait(&mut controller, 100, ms(3), ms(500));
        assert!(!controller.admit(ms(0), ms(500)), "a little too long is too long now");
        // That was the last of it: a second later one may again wait as long as five times the target.
        controller.came = 100;
        assert!(!controller.admit(ms(3), ms(1_499)));
        assert!(controller.admit(ms(3), ms(1_500)));
    }

    #[test]
    fn refusals_are_answered_at_once_while_they_are_few_and_so_many_a_second_when_they_are_not() {
        let mut controller = controller();
        for lap in 1..100 {
            assert_eq!(controller.hold(ms(lap)), ms(0));
        }
        let holds: Vec<Duration> = (0..10_000).map(|_| controller.hold(ms(100))).collect();
        assert_eq!(holds[1_000], REFUSALS_APART * 1_000 + holds[0], "five in a millisecond");
        assert_eq!(holds.last(), Some(&LONGEST_HOLD));
        assert_eq!(controller.hold(ms(3_000)), ms(0), "once it is over");
    }

    #[test]
    fn an_old_measure_refuses_nobody() {
        let mut controller = controller();
        wait(&mut controller, 100, ms(11), ms(100));
        wait(&mut controller, 100, ms(11), ms(111));
        assert!(!controller.admit(ms(0), ms(210)));
        assert!(controller.admit(ms(0), ms(211)));
    }

    #[test]
    fn a_few_are_not_refused_because_others_have_the_processor() {
        let mut controller = controller();
        for lap in 1..100 {
            wait(&mut controller, 4, ms(150), ms(150 * lap));
            assert!(controller.admit(ms(140), ms(150 * lap + 140)));
        }
        wait(&mut controller, 5, ms(150), ms(20_000));
        wait(&mut controller, 5, ms(150), ms(20_150));
        assert!(!controller.admit(ms(0), ms(20_150)), "more are a queue");
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
    fn answers_that_are_slow_because_the_worker_is_late_never_become_usual() {
        let mut ledger = Ledger::new();
        ledger.serve(ms(1_000), 1, ms(1), 10);
        let usual = ledger.controller.usual.expect("known");
        for _ in 0..1_000 {
            let now = ledger.now;
            wait(&mut ledger.controller, 100, TARGET * 2, now);
            ledger.serve(ms(10), 4, ms(20), 1);
        }
        assert!(ledger.controller.usual.expect("known") < 1.5 * usual, "{:?}", ledger.controller.usual);
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

    /// A worker that does one thing after the other, in the order in which they came.
    struct Worker {
        controller: Controller,
        queue: VecDeque<(Duration, Work)>,
        now: Duration,
        /// How long those waited and took who were answered.
        took: Vec<Duration>,
        shed: usize,
    }

    enum Work {
        Request,
        Probe,
    }

    const ANSWERING: Duration = Duration::from_micros(80);
    const REFUSING: Duration = Duration::from_micros(8);

    impl Worker {
        fn new() -> Self {
            let (queue, took) = (VecDeque::new(), Vec::new());
            Self { controller: controller(), queue, now: ms(0), took, shed: 0 }
        }

        /// Requests come each `apart` for so long.
        fn serve(&mut self, lasting: Duration, apart: Duration) {
            (self.took, self.shed) = (Vec::new(), 0);
            let (mut next, end, mut measuring) = (self.now, self.now + lasting, None);
            while self.now < end {
                while next <= self.now {
                    self.queue.push_back((next, Work::Request));
                    next += apart;
                }
                match self.queue.pop_front() {
                    None => self.now = next,
                    Some((since, Work::Probe)) => {
                        let wait = self.now.saturating_sub(since);
                        self.controller.waited(wait, self.now);
                        measuring = None;
                    }
                    Some((since, Work::Request)) => {
                        if measuring.is_none() {
                            measuring = Some(self.now);
                            self.queue.push_back((self.now, Work::Probe));
                        }
                        let present = measuring.map_or(ms(0), |since| self.now.saturating_sub(since));
                        if self.controller.admit(present, self.now) {
                            self.now += ANSWERING;
                            self.controller.answered(ANSWERING, self.now);
                            self.took.push(self.now.saturating_sub(since));
                        } else {
                            self.now += REFUSING;
                            self.shed += 1;
                        }
                    }
                }
            }
            self.took.sort_unstable();
        }

        fn percentile(&self, hundredth: usize) -> Duration {
            self.took[self.took.len() * hundredth / 100]
        }
    }

    #[test]
    fn where_refusing_alone_keeps_a_worker_busy_some_are_answered_all_the_same() {
        let mut worker = Worker::new();
        worker.serve(ms(1_000), ANSWERING * 4);
        worker.serve(ms(1_000), REFUSING / 2);
        worker.serve(ms(1_000), REFUSING / 2);
        // One of 32: each 80 of 328 µs.
        assert!(worker.took.len() >= 3_000, "{} of {}", worker.took.len(), worker.shed);
    }

    #[test]
    fn a_worker_with_four_times_as_much_to_do_answers_what_it_lets_in_in_time() {
        let mut worker = Worker::new();
        worker.serve(ms(1_000), ANSWERING * 4);
        assert_eq!((worker.took.len(), worker.shed), (3_125, 0));
        worker.serve(ms(10_000), ANSWERING / 4);
        let (answered, most) = (worker.took.len(), 10_000_000 / 80);
        // Refusing three of four takes 24 of each 80 µs; what is left is for answering.
        assert!(answered > most / 2, "{answered} of {most}, {} refused", worker.shed);
        assert!(worker.percentile(99) < TARGET * 2, "{:?}", worker.percentile(99));
        assert!(worker.percentile(50) <= TARGET + ANSWERING * 4, "{:?}", worker.percentile(50));
        worker.serve(ms(2_000), ANSWERING * 2);
        worker.serve(ms(1_000), ANSWERING * 2);
        assert_eq!(worker.shed, 0, "once it is over nobody is refused");
    }
}
