//! Steady load with faults at random: clients that break off, dawdle or talk nonsense, a Redis that stops or starts
//! anew, a process that is killed. Afterwards every count is exact, and nothing has leaked.
//!
//! A few rounds each time; `make soak` lets it run for `SOAK_SECONDS`. `SOAK_SEED` repeats the choices of a run.

mod askers;
mod book;
mod faults;
mod vitals;

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Launch, Process, is_soon, time_until};

use askers::Askers;
use book::Book;
use faults::Fault;
use vitals::Vitals;

/// So many contacts a customer may have, and no more; the window is longer than any run.
pub const LIMIT: usize = 5;
const POLICY: &str = "time_zone = \"UTC\"\n\
    [purposes]\nmarketing = { when_blind = \"defer\" }\n\
    transactional = { when_blind = \"allow\", counted = false, exempt = [\"caps\"] }\n\
    [[caps]]\nid = \"few\"\nlimit = 5\nwindow = \"rolling 30d\"\n";
/// Rounds of a run that is not told how long to last, each with a fault in it.
const ROUNDS: usize = 8;
const ASKERS: usize = 4;
/// Answers before a fault, and after it.
const ANSWERS: u64 = 120;

/// How long to go on, and which choices to make.
struct Run {
    seed: u64,
    lasts: Option<Duration>,
}

impl Run {
    fn wanted() -> Self {
        let number = |wanted: &str| {
            let value = std::env::vars().find(|(name, _)| name == wanted).map(|(_, value)| value)?;
            Some(value.parse().unwrap_or_else(|_| panic!("{wanted}={value} is no number")))
        };
        let seed = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
        Self { seed, lasts: number("SOAK_SECONDS").map(Duration::from_secs) }
    }

    #[expect(clippy::disallowed_methods, reason = "a soak lasts as long as it is told")]
    fn rounds(&self) -> impl Iterator<Item = usize> {
        let (begun, lasts) = (std::time::Instant::now(), self.lasts);
        (0..).take_while(move |round| match lasts {
            Some(lasts) => begun.elapsed() < lasts,
            None => *round < ROUNDS,
        })
    }
}

/// Another program than the one the tests were built with: one with all optimisations.
const PROGRAM_VARIABLE: &str = "SOAK_PROGRAM";

/// The governor under test, started again on the same directories where it is killed.
pub struct Governed {
    process: Process,
    folder: TempDir,
    ledger: String,
    caller: Arc<RwLock<Caller>>,
}

impl Governed {
    fn start(ledger: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("policy.toml"), POLICY).expect("a policy");
        let ledger = ledger(folder.path());
        let process = Self::process(folder.path(), &ledger);
        let caller = Arc::new(RwLock::new(process.caller.clone()));
        Self { process, folder, ledger, caller }
    }

    fn process(folder: &Path, ledger: &str) -> Process {
        let path = |name: &str| folder.join(name).to_str().expect("a path").to_owned();
        let (policy, journal) = (path("policy.toml"), path("journal"));
        let other = std::env::vars().find(|(name, _)| name == PROGRAM_VARIABLE).map(|(_, program)| program);
        let through = "program=$1; shift 2; exec \"$program\" \"$@\"";
        let wrapper =
            other.as_deref().map_or_else(Vec::new, |program| vec!["sh", "-c", through, "sh", program]);
        // What is refused is not what is counted here, and would be told for a while after the end.
        let settings =
            [("JOURNAL__DIRECTORY", &*journal), ("HTTP__WORKERS", "2"), ("TIMELINE__REFUSALS", "false")];
        let arguments = ["--ledger", ledger, "--policy", &policy];
        Process::launch(&Launch { wrapper: &wrapper, settings: &settings, arguments: &arguments })
            .unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    /// `kill -9`, and a new one on what is left.
    fn kill_and_start(&mut self) {
        self.process.kill();
        self.process = Self::process(self.folder.path(), &self.ledger);
        *self.caller.write().expect("a caller") = self.process.caller.clone();
    }
}

/// Shown by `--nocapture`, and when something is wrong.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_macros,
    reason = "whoever lets it run for long wants to see how it goes"
)]
fn say(line: &str) {
    println!("{line}");
}

fn soak(governed: &mut Governed, redis: &mut Option<RedisServer>, faults: &[Fault], which: &str) {
    let run = Run::wanted();
    say(&format!("soak: {which}, SOAK_SEED={}", run.seed));
    let mut random = fastrand::Rng::with_seed(run.seed);
    let book = Arc::new(Book::default());
    let mut vitals = None;
    let askers = Askers::start(ASKERS, run.seed, &governed.caller, &book);
    let mut order: Vec<Fault> = Vec::new();
    for round in run.rounds() {
        // Every fault comes before any comes again.
        if order.is_empty() {
            order = faults.to_vec();
            random.shuffle(&mut order);
        }
        let fault = order.pop().expect("a fault");
        askers.wait_for(ANSWERS);
        let before = vitals.take().unwrap_or_else(|| Vitals::of(&governed.process, redis.as_ref()));
        faults::make(fault, governed, redis, &askers, &book, &mut random);
        askers.wait_for(ANSWERS);
        let mut after =
            if fault == Fault::Kill { Vitals::of(&governed.process, redis.as_ref()) } else { before };
        after.look();
        say(&format!("soak: round {round}, {fault:?}: {}, {}", book.summary(), after.summary()));
        vitals = Some(after);
    }
    let vitals = vitals.expect("a round");
    let answers = askers.stop();
    let caller = governed.caller.read().expect("a caller").clone();
    time_until(|| caller.get("/readyz").status == 200);
    book.settle(&caller);
    vitals.have_not_leaked();
    // What was allowed while Redis was away is told to it a little later.
    let mut wrong = book.compare(&caller);
    if !wrong.is_empty() {
        is_soon(|| {
            wrong = book.compare(&caller);
            wrong.is_empty() || !Book::may_be_on_its_way(&wrong)
        });
    }
    say(&format!("soak: {answers} answers, {}, {}", book.summary(), vitals.summary()));
    assert!(wrong.is_empty(), "SOAK_SEED={}: {wrong:#?}", run.seed);
}

#[test]
fn with_redis_counts_are_exact_and_nothing_leaks() {
    // What Redis has answered it has on disk, or its restart would be a loss that nobody here is to blame for.
    let server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut governed = Governed::start(|_| server.url());
    let faults = [
        Fault::RedisStops,
        Fault::RedisStartsAnew,
        Fault::BrokenBatches,
        Fault::SlowClients,
        Fault::Nonsense,
        Fault::DepartedClients,
    ];
    soak(&mut governed, &mut Some(server), &faults, "Redis");
}

#[test]
fn killed_again_and_again_counts_are_exact_and_nothing_leaks() {
    let mut governed = Governed::start(|folder| format!("embedded:{}", folder.join("data").display()));
    let faults =
        [Fault::Kill, Fault::BrokenBatches, Fault::Nonsense, Fault::SlowClients, Fault::DepartedClients];
    soak(&mut governed, &mut None, &faults, "embedded");
}
