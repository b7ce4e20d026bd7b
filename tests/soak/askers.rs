//! Senders that go on whatever happens, each with choices of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

use crate::harness::{Caller, time_until};

use super::book::{Ask, Book, cancellation};

pub struct Askers {
    threads: Vec<JoinHandle<()>>,
    answers: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Askers {
    pub fn start(count: usize, seed: u64, caller: &Arc<RwLock<Caller>>, book: &Arc<Book>) -> Self {
        let (answers, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let threads = (0..count as u64)
            .map(|number| {
                let asker = Asker {
                    random: fastrand::Rng::with_seed(seed ^ (number + 1)),
                    caller: Arc::clone(caller),
                    book: Arc::clone(book),
                    answers: Arc::clone(&answers),
                    unanswered: Vec::new(),
                };
                let is_over = Arc::clone(&is_over);
                std::thread::spawn(move || asker.go_on_until(&is_over))
            })
            .collect();
        Self { threads, answers, is_over }
    }

    /// Waits until so many more answers were given, with the ledger or blind.
    pub fn wait_for(&self, answers: u64) {
        let before = self.answers.load(Ordering::SeqCst);
        time_until(|| {
            std::thread::yield_now();
            self.answers.load(Ordering::SeqCst) >= before + answers
        });
    }

    /// How many answers there were.
    pub fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("an asker");
        }
        self.answers.load(Ordering::SeqCst)
    }
}

struct Asker {
    random: fastrand::Rng,
    caller: Arc<RwLock<Caller>>,
    book: Arc<Book>,
    answers: Arc<AtomicU64>,
    /// Asked again when there is time.
    unanswered: Vec<Ask>,
}

impl Asker {
    fn go_on_until(mut self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::SeqCst) {
            let again = if self.random.u8(..4) == 0 { self.unanswered.pop() } else { None };
            let ask = again.unwrap_or_else(|| self.book.next(&mut self.random));
            // While nobody is there, the same question is asked again, as senders do.
            while !self.ask(&ask) && !is_over.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
    }

    /// Whether there was an answer.
    fn ask(&mut self, ask: &Ask) -> bool {
        let caller = self.caller.read().expect("a caller").clone();
        let body = ask.body().to_string();
        let Ok(answer) = caller.try_send("POST", "/v1/preflight", body.as_bytes()) else {
            return false;
        };
        assert_eq!(answer.status, 200, "{answer:?}");
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.book.answered(ask, &answer.body);
        let is_blind = answer.body["degraded"] == true;
        if is_blind {
            self.unanswered.push(ask.clone());
        } else if answer.verdict() == "allow" && self.random.u8(..10) == 0 {
            self.book.cancelled(ask, false);
            let told = caller.try_send("POST", "/v1/events", cancellation(ask).to_string().as_bytes());
            self.book.cancelled(ask, told.is_ok_and(|told| told.status == 202));
        }
        true
    }
}
