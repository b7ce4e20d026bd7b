//! A stretch of the past, or an imagined one, told again: asks, tells, puts and halts at their moments,
//! through the same verbs and the same readers as everything else, on a ledger in memory.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
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
pub const VERBS: [&str; 4] = ["ask", "tell", "put", "halt"];

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub enum Step<'v> {
    Ask(&'v Value),
    Tell(&'v Value),
    Put(&'v Value),
    Halt(&'v Value),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    Answered(Box<Answer>),
    Stored,
    Problem(Box<Problem>),
}

/// A governor in memory, on whatever clock its steps follow.
pub struct Replay {
    gate: Gate,
    questions: QuestionReader,
    steps: u64,
}

impl Replay {
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let gate = Gate::new(Arc::clone(&policy), Arc::new(MemoryLedger::default()), Terms::default());
        Self { gate, questions: QuestionReader::new(policy), steps: 0 }
    }

    /// Takes one step at `at`. What a step leaves out is filled in from its number, so that the same
    /// steps give the same outcomes.
    pub async fn step(&mut self, at: Moment, step: Step<'_>) -> Outcome {
        self.steps += 1;
        let outcome = match step {
            Step::Ask(question) => self.ask(question, at).await,
            Step::Tell(event) => self.tell(event, at).await,
            Step::Put(put) => self.put(put, at).await,
            Step::Halt(halt) => self.halt(halt, at).await,
        };
        outcome.unwrap_or_else(|problem| Outcome::Problem(Box::new(problem)))
    }

    async fn ask(&self, question: &Value, at: Moment) -> Result<Outcome, Problem> {
        let number = self.steps;
        let within = |problem: Problem| problem.within("/ask");
        let question =
            self.questions.read(question, at, || format!("step-{number}").into()).map_err(within)?;
        let answer = self.gate.ask(&question, Wanted::default(), at).await;
        answer
            .map(|answer| Outcome::Answered(Box::new(answer)))
            .map_err(|misuses| within(Problem::misused(&misuses)))
    }

    async fn tell(&self, event: &Value, at: Moment) -> Result<Outcome, Problem> {
        let defaults = Defaults { source: "simulate".to_owned(), id: format!("step-{}", self.steps) };
        let mut errors = Vec::new();
        match event::read(event, "/tell", self.gate.policy(), at, Some(&defaults), &mut errors) {
            Some(told) => {
                self.gate.tell(&[told], at).await.map_err(|error| Problem::ledger(&error))?;
                Ok(Outcome::Stored)
            }
            None => Err(Problem::fields(errors)),
        }
    }

    async fn put(&self, put: &Value, at: Moment) -> Result<Outcome, Problem> {
        let (customer, put) = read_put(put, "/put", self.gate.policy())?;
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
}
