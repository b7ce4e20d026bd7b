//! A second book-keeper: a seeded simulation with faults, recounted the long way by somebody who shares
//! no code with the rules.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use contact_governor::domain::halts::Halts;
use contact_governor::domain::moment::Moment;
use contact_governor::domain::refusal::Refusal;
use contact_governor::domain::tombstone::Tombstone;
use contact_governor::domain::words::Name;
use contact_governor::domain::words::Verdict;
use contact_governor::gate::ask::Wanted;
use contact_governor::gate::{Gate, Terms};
use contact_governor::ledger::memory::MemoryLedger;
use contact_governor::ledger::{Commit, Committed, Due, Ledger, LedgerError, Loaded, Revision};
use contact_governor::policy::compile::compile;
use contact_governor::sealed::Sealer;
use contact_governor::wire::event;
use contact_governor::wire::question::QuestionReader;
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;

use crate::harness::{at, event, question, with};

/// A row of numbers that a seed decides.
struct Dice(AtomicU64);

impl Dice {
    /// A number below `sides`.
    fn roll(&self, sides: u64) -> u64 {
        let mut state = self.0.load(Ordering::SeqCst);
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.store(state, Ordering::SeqCst);
        state % sides
    }
}

/// A ledger that now and then is away, is too slow to say that it stored, or loses a race.
struct Faulty {
    inner: MemoryLedger,
    dice: Dice,
}

fn away() -> LedgerError {
    LedgerError::Unavailable { operation: "write", why: "a fault that was asked for".to_owned() }
}

impl Ledger for Faulty {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        if self.dice.roll(40) == 0 {
            return std::future::ready(Err(away())).boxed();
        }
        self.inner.load(customer)
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        match self.dice.roll(20) {
            0 => std::future::ready(Err(away())).boxed(),
            1 => std::future::ready(Ok(Committed::Conflict)).boxed(),
            // Stored, but nobody hears of it.
            2 => self.inner.commit(commit).map(|_| Err(away())).boxed(),
            _ => self.inner.commit(commit),
        }
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.inner.erase(customer, revision, tombstone)
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        self.inner.refusals(customer)
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.inner.add_refusals(refused)
    }

    fn halts(&self) -> Arc<Halts> {
        self.inner.halts()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.inner.set_halt(campaign, at)
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.inner.set_due(customer, due_at)
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        self.inner.due(skip, limit)
    }

    fn sealer(&self) -> Option<&Sealer> {
        self.inner.sealer()
    }

    fn health(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// The book-keeper's own book: for each customer, what was allowed, when, by which channel.
#[derive(Default)]
struct Book(BTreeMap<String, Vec<(String, i64, &'static str)>>);

impl Book {
    /// Counts every window that could be over, without cleverness.
    fn audit(&self) -> Result<(), String> {
        let caps: [(&str, i64, usize, Option<&str>); 3] =
            [("all", 7 * DAY, 3, None), ("sms", 7 * DAY, 1, Some("sms")), ("day", DAY, 1, None)];
        for (customer, contacts) in &self.0 {
            for (name, length, limit, channel) in caps {
                for (_, end, _) in contacts {
                    let inside = contacts.iter().filter(|(_, moment, on)| {
                        *moment > end - length
                            && moment <= end
                            && channel.is_none_or(|channel| channel == *on)
                    });
                    let inside = inside.count();
                    if inside > limit {
                        return Err(format!(
                            "{customer}: {inside} in a window of `{name}` that ends at {end}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

const POLICY: &str = "
time_zone = \"UTC\"
[purposes]
transactional = { when_blind = \"allow\", counted = false, exempt = [\"caps\"] }
[[caps]]
id = \"all\"
limit = 3
window = \"rolling 7d\"
[[caps]]
id = \"sms\"
limit = 1
window = \"rolling 7d\"
channels = [\"sms\"]
[[caps]]
id = \"day\"
limit = 1
window = \"rolling 24h\"
";

fn simulate(seed: u64) -> usize {
    let policy = Arc::new(compile("audit.toml", POLICY).expect("a policy"));
    let ledger = Faulty { inner: MemoryLedger::default(), dice: Dice(AtomicU64::new(seed)) };
    let gate = Gate::new(Arc::clone(&policy), Arc::new(ledger), Terms::default());
    let reader = QuestionReader::new(Arc::clone(&policy));
    let dice = Dice(AtomicU64::new(seed.wrapping_mul(31) | 1));
    let book = Mutex::new(Book::default());
    let mut now = at("2026-11-16T12:00:00Z");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut allows = 0;
    for number in 0..1_500 {
        now = Moment::from_millis(now.millis() + (dice.roll(7_200_000)) as i64);
        let customer = format!("c-{}", dice.roll(4));
        let channel = ["email", "sms", "mail"][dice.roll(3) as usize];
        let mut book = book.lock().expect("the book");
        let contacts = book.0.entry(customer.clone()).or_default();
        if dice.roll(8) == 0 && !contacts.is_empty() {
            // Cancelled: told until it is stored, then out of the book.
            let (id, ..) = contacts.remove(dice.roll(contacts.len() as u64) as usize);
            let told =
                event(&format!("e-{number}"), "contact.cancelled", &customer, &json!({"contact_id": id}));
            let told = event::read(&told, "", &policy, now, None, &mut Vec::new()).expect("an event");
            while runtime.block_on(gate.tell(std::slice::from_ref(&told), now)).is_err() {}
            continue;
        }
        let ahead = Moment::from_millis(now.millis() + dice.roll(14 * DAY as u64) as i64);
        let purpose = if dice.roll(10) == 0 { "transactional" } else { "marketing" };
        let id = format!("m-{number}");
        let mut members = json!({"contact_id": id, "purpose": purpose});
        if dice.roll(2) == 0 {
            members["send_at"] = json!(ahead.to_string());
        }
        let asked = with(question(&customer, channel), &members);
        let asked = reader.read(&asked, now, || "an id is given".into()).expect("a question");
        let answer = runtime.block_on(gate.ask(&asked, Wanted::default(), now)).expect("an answer");
        if answer.verdict == Verdict::Allow {
            assert!(answer.degraded || answer.send_at.is_some());
            if purpose == "marketing" {
                assert!(!answer.degraded, "marketing waits while nothing can be looked up");
                let moment = answer.send_at.expect("the moment reserved").millis();
                contacts.push((id, moment, channel));
                allows += 1;
                book.audit().unwrap_or_else(|error| panic!("seed {seed}, step {number}: {error}"));
            }
        }
    }
    allows
}

#[test]
fn the_recount_agrees_whatever_goes_wrong() {
    for seed in 1..=8 {
        let allows = simulate(seed * 7_919);
        assert!(allows > 50, "seed {seed} allowed only {allows}: nothing much was tried");
    }
}
