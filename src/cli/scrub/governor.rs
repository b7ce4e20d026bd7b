//! Judging by a running governor.

use std::collections::HashMap;

use serde_json::Value;

use crate::cli::connection::{Connection, Said, detail, read_errors};
use crate::cli::lanes::{Again, Lane, Stop, digest, insist};
use crate::domain::words::Verdict;
use crate::policy::Policy;
use crate::wire::problem::FieldError;

use super::judged::{Judged, Outcome};
use super::question::Asked;

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
/// How large one batch may grow; governors take bodies of a megabyte unless they are told otherwise.
const LARGEST_BATCH_BYTES: usize = 512 * 1024;

pub struct Governor {
    pub connection: Connection,
    /// The policy it is said to judge by.
    pub policy: Option<std::sync::Arc<Policy>>,
    /// The questions allowed so far by their customers' digests, to be asked before later ones of theirs where
    /// nothing is reserved.
    pub earlier: HashMap<u64, Vec<Box<str>>>,
}

impl Governor {
    /// Asks the questions of some customers one after the other; what is allowed is reserved.
    ///
    /// # Errors
    /// When the governor is away, or refuses more than a question.
    pub async fn reserve(&self, lane: &Lane<'_, Asked>) -> Result<Vec<(usize, Outcome)>, Stop> {
        let mut outcomes = Vec::with_capacity(lane.len());
        for (place, asked) in lane {
            outcomes.push((*place, insist(async || self.ask(asked).await).await?));
        }
        Ok(outcomes)
    }

    async fn ask(&self, asked: &Asked) -> Result<Outcome, Stop> {
        let request = self.connection.post("/v1/preflight");
        match self.connection.send(request, JSON, asked.body.to_string(), asked.line).await? {
            Said::Bad(errors) => Ok(Err(errors)),
            Said::TooLarge(detail) => Ok(Err(vec![FieldError { pointer: String::new(), detail }])),
            Said::Done(answer) => {
                let answer = serde_json::from_slice(&answer).unwrap_or_default();
                self.read(&answer, asked.line)
            }
        }
    }

    /// Asks questions in one go, and before them again those of the same customers that were allowed; nothing
    /// is reserved.
    ///
    /// # Errors
    /// When the governor is away, or judges nothing without reserving it.
    pub async fn imagine(&mut self, questions: &[Asked]) -> Result<Vec<Outcome>, Stop> {
        let mut outcomes = Vec::with_capacity(questions.len());
        let mut rest = questions;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |asked: &Asked| {
                bytes += asked.body.to_string().len() + 1;
                bytes <= LARGEST_BATCH_BYTES
            };
            let count = rest.iter().map(fits).take_while(|fits| *fits).count().max(1);
            let (batch, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            outcomes.extend(insist(async || self.ask_batch(batch).await).await?);
            rest = later;
            for (asked, outcome) in batch.iter().zip(outcomes.iter().skip(outcomes.len() - batch.len())) {
                if matches!(outcome, Ok(judged) if judged.verdict == Verdict::Allow) {
                    let text = asked.body.to_string().into_boxed_str();
                    self.earlier.entry(digest(&asked.customer)).or_default().push(text);
                }
            }
        }
        Ok(outcomes)
    }

    async fn ask_batch(&self, batch: &[Asked]) -> Result<Vec<Outcome>, Stop> {
        let line = batch.first().map(|asked| asked.line).unwrap_or_default();
        let stop = |why: String, again| Stop { line, why, again };
        let mut customers: Vec<u64> = batch.iter().map(|asked| digest(&asked.customer)).collect();
        customers.sort_unstable();
        customers.dedup();
        let before: Vec<&str> = customers
            .iter()
            .filter_map(|customer| self.earlier.get(customer))
            .flatten()
            .map(|question| &**question)
            .collect();
        let mut body = before.join("\n");
        for asked in batch {
            body.push('\n');
            body.push_str(&asked.body.to_string());
        }
        body.push('\n');
        let request = self.connection.post("/v1/preflight/batch?dry_run=true");
        let said = self.connection.send(request, LINES, body.trim_start().to_owned(), line).await;
        let answers = match said {
            Ok(Said::Done(answers)) => answers,
            Ok(Said::Bad(_) | Said::TooLarge(_)) => {
                return Err(stop("the governor refuses the batch".to_owned(), Again::Never));
            }
            Err(stop) if stop.why.contains(" answered 404") || stop.why.contains(" answered 405") => {
                let why = "this governor judges no list without reserving: it does not answer \
                           POST /v1/preflight/batch. With --reserve the list is asked row by row, and what is \
                           allowed is reserved"
                    .to_owned();
                return Err(Stop { why, again: Again::Never, ..stop });
            }
            Err(stop) => return Err(stop),
        };
        let lines = answers.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let answers: Vec<Value> =
            lines.skip(before.len()).map(|line| serde_json::from_slice(line).unwrap_or_default()).collect();
        if answers.len() != batch.len() {
            let why = format!("the governor answered {} of {} questions", answers.len(), batch.len());
            return Err(stop(why, Again::Soon));
        }
        answers.iter().zip(batch).map(|(answer, asked)| self.read(answer, asked.line)).collect()
    }

    /// Reads an answer, or the problem in its place.
    fn read(&self, answer: &Value, line: u64) -> Result<Outcome, Stop> {
        let stop = |why: String, again| Err(Stop { line, why, again });
        let Some(judged) = Judged::read(answer) else {
            let problem = answer.get("problem").unwrap_or(answer);
            let errors = read_errors(problem);
            return match problem.get("status").and_then(Value::as_u64) {
                Some(400 | 413 | 422) if errors.is_empty() => {
                    let detail = detail(problem).to_owned();
                    Ok(Err(vec![FieldError { pointer: String::new(), detail }]))
                }
                Some(400 | 413 | 422) => Ok(Err(errors)),
                status => {
                    let again = if matches!(status, Some(429 | 503)) { Again::Soon } else { Again::Never };
                    stop(format!("the governor said: {}", detail(problem)), again)
                }
            };
        };
        if answer.get("degraded").and_then(Value::as_bool) == Some(true) {
            return stop("the governor cannot look up what is known of the customer".to_owned(), Again::Soon);
        }
        if let Some(policy) = &self.policy
            && answer.pointer("/policy/hash").and_then(Value::as_str) != Some(&*policy.mark.hash)
        {
            let theirs = answer.pointer("/policy/version").and_then(Value::as_str).unwrap_or_default();
            return stop(
                format!(
                    "the governor judges by another policy (version {theirs}) than --policy names (version {})",
                    policy.mark.version
                ),
                Again::Never,
            );
        }
        Ok(Ok(judged))
    }
}
