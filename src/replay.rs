//! A stretch of the past, or an imagined one, told again: asks, tells, puts, halts and erasures at their moments,
//! through the same verbs and the same readers as everything else, on a ledger in memory.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::{Moment, Span};
use crate::domain::question::Question;
use crate::domain::words::Verdict;
use crate::gate::ask::Wanted;
use crate::gate::{Gate, Terms};
use crate::ledger::memory::MemoryLedger;
use crate::policy::Policy;
use crate::wire::event::{self, Defaults};
use crate::wire::fields::Fields;
use crate::wire::problem::{FieldError, Problem};
use crate::wire::put::read_put;
use crate::wire::question::QuestionReader;

/// The members of a line that say what happens.
pub const VERBS: [&str; 5] = ["ask", "tell", "put", "halt", "erase"];

/// Of what no rule and no wish can look back on, a replay keeps nothing; but contacts at least for so long, since a
/// customer may yet wish for fewer in a week or a month.
const LEAST_KEPT: Span = Span::from_days(32);
/// So many customers are kept before it is first looked who can be forgotten.
const FEW_CUSTOMERS: usize = 8_192;

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub enum Step<'v> {
    Ask(&'v Value),
    Tell(&'v Value),
    Put(&'v Value),
    Halt(&'v Value),
    Erase(&'v Value),
}

impl<'v> Step<'v> {
    /// What a line or a scenario's step says; `None` where its verb is none of ours.
    #[must_use]
    pub fn of(verb: &str, what: &'v Value) -> Option<Self> {
        match verb {
            "ask" => Some(Self::Ask(what)),
            "tell" => Some(Self::Tell(what)),
            "put" => Some(Self::Put(what)),
            "halt" => Some(Self::Halt(what)),
            "erase" => Some(Self::Erase(what)),
            _ => None,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    Answered {
        answer: Box<Answer>,
        /// Whether the contact had been allowed before, so that it is none more.
        is_repeated: bool,
    },
    Stored,
    Problem(Box<Problem>),
}

/// A governor in memory, on whatever clock its steps follow.
pub struct Replay {
    gate: Gate,
    ledger: Arc<MemoryLedger>,
    questions: QuestionReader,
    steps: u64,
    /// With so many customers it is looked who can be forgotten.
    customers_to_sweep: usize,
}

impl Replay {
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let ledger = Arc::new(MemoryLedger::default());
        let terms = Terms { keeps_only: Some(LEAST_KEPT), ..Terms::default() };
        let gate = Gate::new(Arc::clone(&policy), Arc::clone(&ledger) as _, terms);
        let questions = QuestionReader::new(policy);
        Self { gate, ledger, questions, steps: 0, customers_to_sweep: FEW_CUSTOMERS }
    }

    /// Takes one step at `at`. What a step leaves out is filled in from its number, so that the same
    /// steps give the same outcomes.
    pub async fn step(&mut self, at: Moment, step: Step<'_>) -> Outcome {
        self.steps += 1;
        if self.ledger.customers() >= self.customers_to_sweep {
            self.ledger.forget_unless(|record| self.gate.may_matter(record, at));
            // Each look through all is paid for by a quarter as many customers who have come since.
            self.customers_to_sweep = FEW_CUSTOMERS.max(self.ledger.customers() * 5 / 4);
        }
        let outcome = match step {
            Step::Ask(question) => self.ask(question, at).await,
            Step::Tell(event) => self.tell(event, at).await,
            Step::Put(put) => self.put(put, at).await,
            Step::Halt(halt) => self.halt(halt, at).await,
            Step::Erase(erase) => self.erase(erase, at).await,
        };
        outcome.unwrap_or_else(|problem| Outcome::Problem(Box::new(problem)))
    }

    async fn ask(&self, question: &Value, at: Moment) -> Result<Outcome, Problem> {
        let number = self.steps;
        let within = |problem: Problem| problem.within("/ask");
        let question =
            self.questions.read(question, at, || format!("step-{number}").into()).map_err(within)?;
        let is_known = self.is_reserved(&question).await;
        let answer = self.gate.ask(&question, Wanted::default(), at).await;
        let answer = answer.map_err(|misuses| within(Problem::misused(&misuses)))?;
        let is_repeated = is_known && answer.verdict == Verdict::Allow;
        Ok(Outcome::Answered { answer: Box::new(answer), is_repeated })
    }

    async fn is_reserved(&self, question: &Question) -> bool {
        if question.is_minted {
            return false;
        }
        let record = self.gate.record(&question.customer).await;
        record.is_ok_and(|record| {
            record.contact(&question.contact_id).is_some_and(|contact| contact.standing.counts())
        })
    }

    async fn tell(&self, event: &Value, at: Moment) -> Result<Outcome, Problem> {
        let defaults = Defaults { source: "simulate".to_owned(), id: format!("step-{}", self.steps) };
        let mut errors = Vec::new();
        match event::read(event, "/tell", &self.gate.policy(), at, Some(&defaults), &mut errors) {
            Some(told) => {
                self.gate.tell(&[told], at).await.map_err(|error| Problem::ledger(&error))?;
                Ok(Outcome::Stored)
            }
            None => Err(Problem::fields(errors)),
        }
    }

    async fn put(&self, put: &Value, at: Moment) -> Result<Outcome, Problem> {
        let (customer, put) = read_put(put, "/put", &self.gate.policy())?;
        self.gate.put(&customer, &put, at).await.map_err(|error| Problem::put(&error))?;
        Ok(Outcome::Stored)
    }

    async fn halt(&self, halt: &Value, at: Moment) -> Result<Outcome, Problem> {
        let mut errors: Vec<FieldError> = Vec::new();
        let mut read = None;
        if let Some(mut fields) = Fields::of(halt, "/halt", &mut errors) {
            fields.required("campaign");
            let campaign = fields.id("campaign");
            fields.required("on");
            let on = fields.boolean("on");
            fields.finish();
            read = campaign.zip(on);
        }
        match read {
            Some((campaign, on)) if errors.is_empty() => {
                self.gate.set_halt(&campaign, on, at).await.map_err(|error| Problem::ledger(&error))?;
                Ok(Outcome::Stored)
            }
            Some(_) | None => Err(Problem::fields(errors)),
        }
    }

    async fn erase(&self, erase: &Value, at: Moment) -> Result<Outcome, Problem> {
        let mut errors: Vec<FieldError> = Vec::new();
        let mut customer = None;
        if let Some(mut fields) = Fields::of(erase, "/erase", &mut errors) {
            fields.required("customer");
            customer = fields.id("customer");
            fields.finish();
        }
        match customer {
            Some(customer) if errors.is_empty() => {
                self.gate.erase(&customer, at).await.map_err(|error| Problem::ledger(&error))?;
                Ok(Outcome::Stored)
            }
            Some(_) | None => Err(Problem::fields(errors)),
        }
    }
}
