//! The long answer of `explain`, as JSON.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::decide::examine::Examined;
use crate::domain::words::Claim;
use crate::gate::explain::{Adjustment, Explanation};
use crate::rules::Mode;

use super::answer::{AnswerBody, serialize_finding};
use super::claims::ClaimsBody;
use super::fact;

/// The answer, the claims with where the text makes them, every rule, and the smallest change that would allow it.
pub struct ExplanationBody<'a> {
    pub explanation: &'a Explanation,
    pub claims: ClaimsBody<'a>,
}

impl Serialize for ExplanationBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("answer", &AnswerBody { at: None, answer: &self.explanation.answer })?;
        map.serialize_entry("claims", &self.claims)?;
        map.serialize_entry("rules", &self.explanation.rules.iter().map(RuleBody).collect::<Vec<_>>())?;
        map.serialize_entry("smallest_change", &self.explanation.smallest_change.as_deref().map(changes))?;
        map.end()
    }
}

/// The changes as members of a question.
fn changes(adjustments: &[Adjustment]) -> Value {
    let mut members = Map::new();
    for adjustment in adjustments {
        let (member, value) = match adjustment {
            Adjustment::SendAt(moment) => ("send_at", Value::from(moment.to_string())),
            Adjustment::Channel(channel) => ("channel", Value::from(&**channel)),
            Adjustment::Delivery(delivery) => ("delivery", Value::from(delivery.name())),
            Adjustment::WithoutClaims(claims) => {
                ("without_claims", claims.iter().map(Claim::name).collect::<Value>())
            }
        };
        members.insert(member.to_owned(), value);
    }
    Value::Object(members)
}

struct RuleBody<'a>(&'a Examined);

impl Serialize for RuleBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let examined = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", &*examined.rule)?;
        map.serialize_entry("kind", examined.kind)?;
        let mode = match examined.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        };
        map.serialize_entry("mode", mode)?;
        if let Some(preset) = &examined.preset {
            map.serialize_entry("preset", &**preset)?;
        }
        map.serialize_entry("matched", &examined.matched)?;
        map.serialize_entry("exempt", &examined.exempt)?;
        map.serialize_entry("verdict", examined.verdict.map_or("allow", |verdict| verdict.name()))?;
        if let Some(finding) = examined.finding {
            serialize_finding(&mut map, finding)?;
        }
        map.serialize_entry("counted_contacts", &examined.counted)?;
        let facts: Map<String, Value> = examined
            .facts
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_ref().map_or(Value::Null, fact::to_json)))
            .collect();
        map.serialize_entry("facts", &facts)?;
        map.end()
    }
}
