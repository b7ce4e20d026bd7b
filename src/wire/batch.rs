//! A batch's lines, from JSON, and what stands in their places, as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::words::Name;
use crate::gate::batch::arbitration::Arbitration;

use super::answer::AnswerBody;
use super::fields::{described, whole};
use super::problem::{FieldError, Problem};
use super::question::QuestionReader;

/// What a line may say beside its question.
const PRIORITY: &str = "priority";

/// A line that is a question.
#[derive(Debug)]
pub struct Asked {
    pub question: Question,
    pub priority: i64,
    /// The question as it was sent.
    pub sent: Value,
}

/// A question of a batch and its weight; the question's fingerprint is that of the question alone, so that it may
/// be asked again with another weight, or by itself.
///
/// # Errors
/// A problem that names every bad field.
pub fn read_line(
    reader: &QuestionReader,
    line: &[u8],
    now: Moment,
    mint: impl FnOnce() -> Name,
) -> Result<Asked, Problem> {
    let mut value: Value = serde_json::from_slice(line).map_err(|error| Problem::malformed(&error))?;
    let priority = match value.as_object_mut().and_then(|members| members.remove(PRIORITY)) {
        None | Some(Value::Null) => Ok(0),
        Some(priority) => whole(&priority).ok_or_else(|| {
            let detail = match &priority {
                Value::Number(_) => "is not a whole number, or too large a one".to_owned(),
                other => format!("expected a whole number, found {}", described(other)),
            };
            FieldError { pointer: format!("/{PRIORITY}"), detail }
        }),
    };
    match (reader.read(&value, now, mint), priority) {
        (Ok(question), Ok(priority)) => Ok(Asked { question, priority, sent: value }),
        (Err(problem), Ok(_)) => Err(problem),
        (Ok(_), Err(error)) => Err(Problem::fields(vec![error])),
        (Err(problem), Err(error)) => {
            Err(Problem::fields(problem.errors.into_iter().chain([error]).collect()))
        }
    }
}

/// A problem in the place of an answer.
#[derive(Debug, Serialize)]
pub struct ProblemLine<'a> {
    /// Which line is to blame, the first being 1.
    pub line: u64,
    #[serde(flatten)]
    pub problem: &'a Problem,
}

/// An answer that says whom it went before and after.
#[derive(Debug, Serialize)]
pub struct ArbitratedBody<'a> {
    #[serde(flatten)]
    body: AnswerBody<'a>,
    arbitration: ArbitrationBody<'a>,
}

#[derive(Debug, Serialize)]
struct ArbitrationBody<'a> {
    rank: usize,
    of: usize,
    before: &'a [Name],
}

impl<'a> ArbitratedBody<'a> {
    #[must_use]
    pub fn new(answer: &'a Answer, arbitration: &'a Arbitration) -> Self {
        let Arbitration { rank, of, before } = arbitration;
        let arbitration = ArbitrationBody { rank: *rank, of: *of, before };
        Self { body: AnswerBody { at: None, answer }, arbitration }
    }
}
