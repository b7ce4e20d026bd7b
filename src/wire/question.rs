//! Questions, from JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::claims::{Message, Reading, Shelf};
use crate::domain::condition::Condition;
use crate::domain::contact::Fingerprint;
use crate::domain::fact::Facts;
use crate::domain::moment::Moment;
use crate::domain::question::{Content, Question};
use crate::domain::wall_clock::Zone;
use crate::domain::words::{Claim, ClaimSet, Delivery, Name, Tags, nearest};
use crate::policy::Policy;

use super::fact::read_facts;
use super::fields::{Fields, described};
use super::problem::{FieldError, Problem, misuse_error};

/// The most audiences kept compiled. Campaigns repeat theirs; whoever makes up a new one for every
/// question only empties the shelf.
const MOST_AUDIENCES: usize = 1_024;

/// Reads questions against a policy's vocabulary.
pub struct QuestionReader {
    policy: Arc<Policy>,
    audiences: Mutex<HashMap<Box<str>, Arc<Condition>>>,
    shelf: Shelf,
}

impl QuestionReader {
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let shelf = Shelf::new(policy.reader.clone());
        Self { policy, audiences: Mutex::default(), shelf }
    }

    /// Whose vocabulary this is.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What a message claims, and where.
    #[must_use]
    pub fn read_claims(&self, message: &Message<'_>) -> Reading {
        self.shelf.read(message)
    }

    /// Reads the question in `value`, asked at `now`. `mint` makes a contact id where none is given.
    ///
    /// # Errors
    /// A problem that names every bad field.
    pub fn read(&self, value: &Value, now: Moment, mint: impl FnOnce() -> Name) -> Result<Question, Problem> {
        let mut errors = Vec::new();
        let question = self.read_fields(value, mint, &mut errors);
        match question {
            Some(question) if errors.is_empty() => Ok(question),
            Some(question) => {
                // Judged after idempotency where nothing else is wrong; here it is one more thing to mend.
                errors.extend(question.misplaced(now).map(misuse_error));
                Err(Problem::fields(errors))
            }
            None => Err(Problem::fields(errors)),
        }
    }

    fn read_fields(
        &self,
        value: &Value,
        mint: impl FnOnce() -> Name,
        errors: &mut Vec<FieldError>,
    ) -> Option<Question> {
        let company = &self.policy.company;
        let mut fields = Fields::of(value, "", errors)?;
        let contact_id = fields.id("contact_id");
        fields.required("customer");
        let customer = fields.id("customer");
        let channel =
            vocabulary(&mut fields, "channel", company.channels.iter().map(|channel| &channel.name));
        let purpose =
            vocabulary(&mut fields, "purpose", company.purposes.iter().map(|purpose| &purpose.name));
        let delivery = read_delivery(&mut fields);
        let sender = fields.name("sender");
        let campaign = fields.name("campaign");
        let category = fields.name("category");
        let brand = fields.name("brand");
        let subject = fields.name("subject");
        let send_at = fields.moment("send_at");
        let deadline = fields.moment("deadline");
        let (content, declared) = match fields.get("content") {
            Some(content) => {
                let pointer = fields.pointer_to("content");
                read_content(content, &pointer, fields.errors())
            }
            None => Default::default(),
        };
        let audience = fields.text("audience").filter(|audience| !audience.trim().is_empty());
        let audience = audience.and_then(|source| self.read_audience(&mut fields, source));
        let facts = match fields.get("facts") {
            Some(facts) => {
                let pointer = fields.pointer_to("facts");
                read_facts(facts, &pointer, fields.errors())
            }
            None => Facts::new(),
        };
        let zones = read_zones(&mut fields);
        let regions = read_regions(&mut fields);
        fields.finish();
        let found = self.shelf.claims(&Message::of(&content, channel.as_deref()));
        let undeclared = found.without(declared);
        let delivery_given = delivery.unwrap_or(Delivery::Template);
        Some(Question {
            customer: customer.unwrap_or_else(|| "".into()),
            is_minted: contact_id.is_none(),
            contact_id: contact_id.unwrap_or_else(mint),
            fingerprint: fingerprint(value),
            tags: Tags {
                channel,
                purpose,
                delivery: Some(delivery_given),
                campaign,
                category,
                brand,
                subject,
                sender,
                claims: declared.union(found),
            },
            undeclared,
            delivery: delivery_given,
            send_at,
            deadline,
            content,
            audience,
            facts,
            zones,
            regions,
        })
    }

    fn read_audience(&self, fields: &mut Fields<'_, '_>, source: &str) -> Option<Arc<Condition>> {
        let mut shelf = self.audiences.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(condition) = shelf.get(source) {
            return Some(Arc::clone(condition));
        }
        match Condition::compile(source) {
            Ok(condition) => {
                if shelf.len() >= MOST_AUDIENCES {
                    shelf.clear();
                }
                let condition = Arc::new(condition);
                shelf.insert(source.into(), Arc::clone(&condition));
                Some(condition)
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    fields.error("audience", mistake.message);
                }
                None
            }
        }
    }
}

/// A required member that must be a name the policy knows.
pub fn vocabulary<'n>(
    fields: &mut Fields<'_, '_>,
    member: &'static str,
    known: impl Iterator<Item = &'n Name> + Clone,
) -> Option<Name> {
    let value = fields.required(member)?;
    let text = fields.as_text(member, value)?;
    known_name(fields, member, text, known)
}

/// The policy's own name for `text`, or an error that says what was probably meant.
pub fn known_name<'n>(
    fields: &mut Fields<'_, '_>,
    member: &str,
    text: &str,
    known: impl Iterator<Item = &'n Name> + Clone,
) -> Option<Name> {
    match among(text, known) {
        Ok(name) => Some(name),
        Err(detail) => {
            fields.error(member, detail);
            None
        }
    }
}

/// # Errors
/// What was probably meant.
pub fn among<'n>(text: &str, known: impl Iterator<Item = &'n Name> + Clone) -> Result<Name, String> {
    let found = known.clone().find(|name| ***name == *text).cloned();
    found.ok_or_else(|| not_among(text, known.map(|name| &**name)))
}

/// "`emial` is none of …; did you mean …?"
#[must_use]
pub fn not_among<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let shown: String = text.chars().take(40).collect();
    let hint = nearest(text, known.clone())
        .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("`{shown}` is none of {known}{hint}")
}

fn read_delivery(fields: &mut Fields<'_, '_>) -> Option<Delivery> {
    let value = fields.required("delivery")?;
    let text = fields.as_text("delivery", value)?;
    let delivery = Delivery::parse(text);
    if delivery.is_none() {
        fields.error("delivery", not_among(text, Delivery::ALL.into_iter().map(Delivery::name)));
    }
    delivery
}

fn read_content(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> (Content, ClaimSet) {
    let Some(mut fields) = Fields::of(value, pointer, errors) else { return Default::default() };
    let content = Content {
        subject: fields.text("subject").unwrap_or("").into(),
        body: fields.text("body").unwrap_or("").into(),
        media_type: fields.name("media_type"),
        language: fields.name("language"),
        addressee: fields.name("addressee"),
    };
    let declared = fields.list("claims").unwrap_or_default();
    let mut claims = ClaimSet::default();
    for (index, value) in declared.iter().enumerate() {
        match value.as_str().and_then(Claim::parse) {
            Some(claim) => claims = claims.with(claim),
            None => {
                let known = Claim::ALL.into_iter().map(Claim::name);
                let detail = match value {
                    Value::String(text) => not_among(text, known),
                    other => format!("expected a string, found {}", described(other)),
                };
                fields.entry_error("claims", index, detail);
            }
        }
    }
    fields.finish();
    (content, claims)
}

#[must_use]
pub fn zone_error(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    let known: Vec<String> = Zone::names().collect();
    let hint = nearest(&shown, known.iter().map(String::as_str))
        .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    format!("`{shown}` is not an IANA time zone{hint}")
}

fn read_zones(fields: &mut Fields<'_, '_>) -> Vec<Zone> {
    let mut zones = Vec::new();
    for (index, value) in fields.one_or_many("time_zone").iter().enumerate() {
        match value {
            Value::String(text) => match Zone::get(text) {
                Some(zone) => zones.push(zone),
                None => fields.error("time_zone", zone_error(text)),
            },
            other => fields
                .error("time_zone", format!("member {index}: expected a string, found {}", described(other))),
        }
    }
    zones
}

/// # Errors
/// What is wrong with it.
pub fn read_region(text: &str) -> Result<Name, String> {
    crate::policy::compile::region(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("`{shown}` is not a region; write `US` or `US-FL`")
    })
}

fn read_regions(fields: &mut Fields<'_, '_>) -> Vec<Name> {
    let mut regions = Vec::new();
    for (index, value) in fields.one_or_many("regions").iter().enumerate() {
        let region = match value {
            Value::String(text) => read_region(text),
            other => Err(format!("expected a string, found {}", described(other))),
        };
        match region {
            Ok(region) => regions.push(region),
            Err(detail) => fields.entry_error("regions", index, detail),
        }
    }
    regions
}

/// A digest of a JSON value, whatever the order of its members; absent members and `null` ones are the
/// same, as are `1` and `1.0`.
#[must_use]
pub fn fingerprint(value: &Value) -> Fingerprint {
    let mut canonical = Vec::with_capacity(1_024);
    spell(&mut canonical, value);
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = *blake3::hash(&canonical).as_bytes();
    Fingerprint(u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]))
}

/// Spells each value with its kind and length in front, so that no two values run into one another.
fn spell(out: &mut Vec<u8>, value: &Value) {
    fn sized(out: &mut Vec<u8>, kind: u8, length: usize) {
        out.push(kind);
        out.extend_from_slice(&(length as u64).to_le_bytes());
    }
    fn text(out: &mut Vec<u8>, kind: u8, text: &str) {
        sized(out, kind, text.len());
        out.extend_from_slice(text.as_bytes());
    }
    match value {
        Value::Null => sized(out, b'n', 0),
        Value::Bool(truth) => sized(out, b'b', usize::from(*truth)),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
            let spelled = match (number.as_i64(), whole) {
                (Some(whole), _) => whole.to_string(),
                (None, Some(float)) => (float as i64).to_string(),
                (None, None) => number.to_string(),
            };
            text(out, b'd', &spelled);
        }
        Value::String(string) => text(out, b's', string),
        Value::Array(values) => {
            sized(out, b'a', values.len());
            for value in values {
                spell(out, value);
            }
        }
        Value::Object(members) => {
            // The parser keeps members in the order of their names.
            let present = members.iter().filter(|(_, value)| !value.is_null());
            sized(out, b'o', present.clone().count());
            for (name, value) in present {
                text(out, b'k', name);
                spell(out, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_question_is_the_same_json_value() {
        let one = json!({"a": 1, "b": {"c": null, "d": [1, 2]}});
        for same in [json!({"b": {"d": [1, 2]}, "a": 1}), json!({"b": {"d": [1.0, 2]}, "a": 1, "e": null})] {
            assert_eq!(fingerprint(&one), fingerprint(&same), "{same}");
        }
        for other in [
            json!({"a": 1, "b": {"d": [2, 1]}}),
            json!({"a": "1", "b": {"d": [1, 2]}}),
            json!({"a": 1, "b": {"d": [1, 2], "e": {}}}),
            json!({"a": 1.5, "b": {"d": [1, 2]}}),
        ] {
            assert_ne!(fingerprint(&one), fingerprint(&other), "{other}");
        }
    }
}
