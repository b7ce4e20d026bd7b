//! What is said of a row.

use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::words::Verdict;
use crate::wire::problem::FieldError;

/// The columns that a scrubbed list has more.
pub const ADDED: [&str; 4] = ["verdict", "rule", "not_before", "because"];

/// A verdict, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    /// The first rule that refused; empty where none did.
    pub rule: String,
    pub not_before: String,
    pub because: String,
}

/// What came of a row's question: a verdict, or the fields that are wrong with it.
pub type Outcome = Result<Judged, Vec<FieldError>>;

impl Judged {
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let first = answer.reasons.first();
        Self {
            verdict: answer.verdict,
            rule: first.map_or_else(String::new, |reason| reason.rule.to_string()),
            not_before: answer.not_before.map_or_else(String::new, |moment| moment.to_string()),
            because: first.map_or_else(String::new, |reason| reason.because.to_string()),
        }
    }

    /// The same from an answer's JSON; `None` where it is no answer.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let text =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            verdict: Verdict::parse(answer.get("verdict")?.as_str()?)?,
            rule: text("/reasons/0/rule"),
            not_before: text("/not_before"),
            because: text("/reasons/0/because"),
        })
    }

    /// What goes into the columns of [`ADDED`].
    #[must_use]
    pub fn cells(&self) -> [&str; 4] {
        [self.verdict.name(), &self.rule, &self.not_before, &self.because]
    }
}
