//! A batch: many asks in a row, each answered by [`Gate::ask`]'s own judging, in the order asked.
//!
//! Lines are judged in blocks, for which the ledger is read once and written once; the lines of one customer one after
//! the other, also from block to block. What a batch may have under way is bounded, and so is what all batches
//! together may. Dropping it ends it: what was begun may still be stored, nothing else is.

pub mod arbitration;
mod dry_run;
mod lanes;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::Semaphore;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question};

use super::Gate;
use super::ask::{self, Wanted};
use arbitration::{Arbitration, Weighed, arbitrate};
use dry_run::DryRun;
use lanes::Lanes;

/// The most lines of one batch between reading and answering: some blocks that are judged, and as many that arrive.
const WINDOW: usize = 512;
/// The most bytes of such lines, of which one may exceed it: e-mails of 256 kB are few at a time.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;
/// The most lines of a block: judging them takes well under a millisecond, for which others on the thread wait.
const BLOCK: usize = 128;
/// The most blocks of a batch that are judged at once: one is judged while others are stored.
const BLOCKS_AT_ONCE: usize = 3;
/// The most lines of all batches that are judged at once: one group commit of the embedded ledger, and little enough
/// for a Redis to answer within a small part of its timeout.
const AT_ONCE: usize = 1_024;

/// What all batches share.
#[derive(Debug)]
pub(super) struct Shared {
    turns: Semaphore,
    /// Changes that dry runs keep in mind.
    imagined: Arc<AtomicUsize>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), imagined: Arc::default() }
    }
}

/// How a batch is to be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub wanted: Wanted,
    /// Whether nothing is reserved, and each line judged as if the earlier ones had been.
    pub dry_run: bool,
}

/// One question of a batch.
#[derive(Debug)]
pub struct Item {
    pub question: Box<Question>,
    /// When it was read.
    pub now: Moment,
    /// Heavier ones go first where a batch is arbitrated.
    pub priority: i64,
}

/// A line, and what stands there if it is no question.
#[derive(Debug)]
pub struct Line<P> {
    pub number: u64,
    /// How much room it takes until it is answered.
    pub bytes: usize,
    pub item: Result<Item, P>,
}

/// What became of a line.
#[derive(Debug)]
pub struct Placed<P> {
    pub number: u64,
    pub outcome: Outcome<P>,
    /// Whom it went before and after, where that was to be settled and there was anybody.
    pub arbitration: Option<Arbitration>,
}

#[derive(Debug)]
pub enum Outcome<P> {
    Answered(Box<Answer>),
    /// The question cannot be judged.
    Misused(Vec<Misuse>),
    /// The dry run cannot keep more in mind.
    Crowded,
    /// It was no question.
    Other(P),
}

/// The most lines that all dry runs together keep in mind.
pub const MOST_IMAGINED: usize = dry_run::MOST_IMAGINED;

struct Work {
    number: u64,
    item: ask::Item,
    arbitration: Option<Arbitration>,
}

/// A batch under way.
pub struct Batch<P> {
    lanes: Lanes<Work, Placed<P>>,
}

impl<P: Send + 'static> Batch<P> {
    #[must_use]
    pub fn new(gate: &Arc<Gate>, manner: Manner) -> Self {
        let gate = Arc::clone(gate);
        let dry_run = manner.dry_run.then(|| Arc::new(DryRun::new(Arc::clone(&gate.batches.imagined))));
        let begin = move |block| judged(Arc::clone(&gate), dry_run.clone(), manner.wanted, block).boxed();
        Self { lanes: Lanes::new(Box::new(begin) as Begin<P>, BLOCK, BLOCKS_AT_ONCE) }
    }

    /// Whether more may be entered.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.lanes.len() < WINDOW && self.lanes.bytes() < WINDOW_BYTES
    }

    /// How many lines were entered and are not answered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether every line that was entered is answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.len() == 0
    }

    /// Whether nothing is being judged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lanes.is_idle()
    }

    /// Enters the next line.
    pub fn enter(&mut self, line: Line<P>) {
        let place = self.lanes.place(line.bytes);
        self.enter_at(place, line, None);
    }

    /// Enters a block of lines in which the heavier of one customer are judged first.
    pub fn enter_arbitrated(&mut self, block: Vec<Line<P>>) {
        let weighed = block.iter().map(|line| {
            let item = line.item.as_ref().ok()?;
            let Question { customer, contact_id, .. } = &*item.question;
            Some(Weighed { customer, contact_id, priority: item.priority })
        });
        let rulings = arbitrate(&weighed.collect::<Vec<_>>());
        // Each customer's turns, in the order in which they are to be judged.
        let mut entering: Vec<_> = block
            .into_iter()
            .zip(rulings)
            .map(|(line, ruling)| {
                let place = self.lanes.place(line.bytes);
                (ruling.as_ref().map_or(1, |ruling| ruling.rank), place, line, ruling)
            })
            .collect();
        entering.sort_by_key(|(rank, place, ..)| (*rank, *place));
        for (_, place, line, ruling) in entering {
            self.enter_at(place, line, ruling);
        }
    }

    fn enter_at(&mut self, place: lanes::Place, line: Line<P>, arbitration: Option<Arbitration>) {
        let number = line.number;
        match line.item {
            Ok(Item { question, now, .. }) => {
                let customer = question.customer.clone();
                let item = ask::Item { question, now };
                self.lanes.enter(place, customer, Work { number, item, arbitration });
            }
            Err(other) => {
                self.lanes
                    .settle(place, Placed { number, outcome: Outcome::Other(other), arbitration: None });
            }
        }
    }

    /// Judges on; ready when another line or several have been.
    pub fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.lanes.poll_progress(context)
    }

    /// The next line in the order asked, once it is answered.
    pub fn take(&mut self) -> Option<Placed<P>> {
        self.lanes.take()
    }
}

type Begin<P> = Box<dyn Fn(Vec<Work>) -> BoxFuture<'static, Vec<Placed<P>>> + Send>;

async fn judged<P>(
    gate: Arc<Gate>,
    dry_run: Option<Arc<DryRun>>,
    wanted: Wanted,
    block: Vec<Work>,
) -> Vec<Placed<P>> {
    let (marks, items): (Vec<_>, Vec<_>) =
        block.into_iter().map(|Work { number, item, arbitration }| ((number, arbitration), item)).unzip();
    // It is never closed; were it, nothing would be bounded, and nothing wrong.
    let _turns = gate.batches.turns.acquire_many(items.len() as u32).await;
    let outcomes: Vec<Outcome<P>> = match dry_run {
        Some(dry_run) => gate.ask_dry(&dry_run, &items, wanted).await,
        None => gate.ask_and_note(&items, wanted).await,
    };
    let placed = marks.into_iter().zip(outcomes);
    placed.map(|((number, arbitration), outcome)| Placed { number, outcome, arbitration }).collect()
}

impl Gate {
    async fn ask_and_note<P>(&self, block: &[ask::Item], wanted: Wanted) -> Vec<Outcome<P>> {
        let answers = self.ask_block(block, wanted).await;
        let mut outcomes = Vec::with_capacity(block.len());
        for (ask::Item { question, now }, answered) in block.iter().zip(answers) {
            outcomes.push(match answered {
                Ok(answer) => {
                    self.observe(question, &answer, *now);
                    self.note_with_room(question, &answer, *now).await;
                    Outcome::Answered(answer)
                }
                Err(misuses) => Outcome::Misused(misuses),
            });
        }
        outcomes
    }
}
