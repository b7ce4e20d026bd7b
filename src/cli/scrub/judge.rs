//! Who judges the rows: the engine in this process, or a governor that is running. A customer's rows are
//! judged in their order, different customers' side by side.

use futures_util::future::join_all;

use crate::cli::lanes::{self, Again, Lane, Stop, insist};
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::gate::Gate;
use crate::gate::as_if::AsIf;
use crate::gate::ask::{Answered, Item, Wanted};
use crate::wire::problem::Problem;
use crate::wire::question::QuestionReader;

use super::earlier::{AllowedRows, MOST_REMEMBERED};
use super::governor::Governor;
use super::judged::{Judged, Outcome};
use super::question::Asked;

/// Rows judged side by side in this process: a ledger on the network is waited for by all of them at once.
const LANES_HERE: usize = 256;
/// Requests under way at once.
const LANES_TO_GOVERNOR: usize = 64;

pub enum Judge {
    Here(Box<Here>),
    Governor { governor: Governor, reserves: bool },
}

/// The engine in this process.
pub struct Here {
    pub gate: Gate,
    pub questions: QuestionReader,
    /// When the scrub began: every row is judged at the same moment.
    pub now: Moment,
    /// What was allowed, where nothing is reserved.
    pub earlier: Option<AllowedRows>,
}

impl Judge {
    /// What came of each question, in their order.
    ///
    /// # Errors
    /// When the ledger or the governor is not there, or fails.
    pub async fn judge(&mut self, questions: &[Asked]) -> Result<Vec<Outcome>, Stop> {
        let judged = match self {
            Self::Governor { governor, reserves: false } => return governor.imagine(questions).await,
            Self::Governor { governor, reserves: true } => {
                let lanes = lanes::of(questions, LANES_TO_GOVERNOR, |asked| &asked.customer);
                join_all(lanes.iter().map(|lane| governor.reserve(lane))).await
            }
            Self::Here(here) => {
                let lanes = lanes::of(questions, LANES_HERE, |asked| &asked.customer);
                join_all(lanes.iter().map(|lane| here.judge(lane))).await
            }
        };
        let mut outcomes = lanes::merged(judged)?;
        outcomes.sort_by_key(|(place, _)| *place);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }
}

impl Here {
    async fn judge(&self, lane: &Lane<'_, Asked>) -> Result<Vec<(usize, Outcome)>, Stop> {
        let mut outcomes = Vec::with_capacity(lane.len());
        for (place, asked) in lane {
            outcomes.push((*place, insist(async || self.ask(asked).await).await?));
        }
        Ok(outcomes)
    }

    async fn ask(&self, asked: &Asked) -> Result<Outcome, Stop> {
        let line = asked.line;
        // The line tells contacts apart that have no id of their own.
        let question = match self.questions.read(&asked.body, self.now, || format!("line-{line}").into()) {
            Ok(question) => question,
            Err(problem) => return Ok(Err(problem.errors)),
        };
        let answer = match &self.earlier {
            None => self.gate.ask(&question, Wanted::default(), self.now).await,
            Some(earlier) => self.ask_as_if(earlier, question, line).await?,
        };
        match answer {
            Err(misuses) => Ok(Err(Problem::misused(&misuses).errors)),
            Ok(answer) if answer.degraded => {
                let why = "the ledger cannot look up what is known of the customer".to_owned();
                Err(Stop { line, why, again: Again::Soon })
            }
            Ok(answer) => Ok(Ok(Judged::of(&answer))),
        }
    }

    async fn ask_as_if(
        &self,
        earlier: &AllowedRows,
        question: Question,
        line: u64,
    ) -> Result<Answered, Stop> {
        let item = Item { question: Box::new(question), now: self.now };
        match self.gate.ask_as_if(earlier, &[item], Wanted::default()).await.pop() {
            Some(AsIf::Answered(answer)) => Ok(Ok(*answer)),
            Some(AsIf::Misused(misuses)) => Ok(Err(misuses)),
            Some(AsIf::Failed(error)) => Err(Stop::of(line, &error)),
            Some(AsIf::Crowded) | None => {
                let why = format!("more than {MOST_REMEMBERED} rows are allowed: cut the list, or --reserve");
                Err(Stop { line, why, again: Again::Never })
            }
        }
    }
}
