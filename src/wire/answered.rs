//! What was answered, in short: the member `answered` of a line in the decision log.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::words::{Name, Verdict};

use super::answer::Instant;
use super::fields::{Fields, described};
use super::problem::FieldError;
use super::question::not_among;

/// An answer as the log has it.
pub struct Body<'a>(pub &'a Answer);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answer = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("verdict", answer.verdict.name())?;
        let rules: smallvec::SmallVec<[&str; 8]> =
            answer.reasons.iter().map(|reason| &*reason.rule).collect();
        map.serialize_entry("rules", rules.as_slice())?;
        if let Some(send_at) = answer.send_at {
            map.serialize_entry("send_at", &Instant(send_at))?;
        }
        if let Some(not_before) = answer.not_before {
            map.serialize_entry("not_before", &Instant(not_before))?;
        }
        let policy = [("version", &*answer.policy.version), ("hash", &*answer.policy.hash)];
        map.serialize_entry("policy", &std::collections::BTreeMap::from(policy))?;
        map.serialize_entry("degraded", &answer.degraded)?;
        map.end()
    }
}

/// What an answer said, wherever it is known from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub verdict: Verdict,
    pub rules: Vec<Name>,
    pub not_before: Option<Moment>,
}

impl Answered {
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        Self {
            verdict: answer.verdict,
            rules: answer.reasons.iter().map(|reason| reason.rule.clone()).collect(),
            not_before: answer.not_before,
        }
    }
}

/// Reads what the log says was answered.
pub fn read(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Option<Answered> {
    let mut fields = Fields::of(value, pointer, errors)?;
    let verdict = fields.required("verdict").and_then(|value| {
        let text = fields.as_text("verdict", value)?;
        let verdict = Verdict::parse(text);
        if verdict.is_none() {
            fields.error("verdict", not_among(text, Verdict::ALL.into_iter().map(Verdict::name)));
        }
        verdict
    });
    let mut rules = Vec::new();
    for (index, rule) in fields.list("rules").unwrap_or_default().iter().enumerate() {
        match rule {
            Value::String(rule) => rules.push(rule.as_str().into()),
            other => {
                fields.entry_error("rules", index, format!("expected a string, found {}", described(other)));
            }
        }
    }
    let not_before = fields.moment("not_before");
    // Said for people; nothing here is compared with it.
    fields.moment("send_at");
    fields.get("policy");
    fields.boolean("degraded");
    fields.finish();
    Some(Answered { verdict: verdict?, rules, not_before })
}
