//! What is set about a customer: wishes, facts, suppressions.

use serde_json::{Map, Value, json};

use crate::domain::fact::Fact;
use crate::domain::opening_hours::{OpenRange, OpeningHours, Week};
use crate::domain::suppression::Scope;
use crate::domain::window::Window;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::Name;
use crate::gate::put::{Put, SuppressionPut};
use crate::policy::Policy;

use super::customer;
use super::fact::{read_facts, to_json};
use super::fields::{Fields, LONGEST_LIST, described, escaped, whole};
use super::problem::{FieldError, Problem};
use super::query::Query;
use super::question::among;
use super::suppression;

/// Reads wishes, and `by` and `through`: who sets them, through what.
///
/// # Errors
/// Every bad field.
pub fn read_wishes_body(value: &Value, policy: &Policy) -> Result<Put, Problem> {
    let mut errors = Vec::new();
    let mut put = Put::default();
    read_wishes(value, "", policy, &mut put, &mut errors);
    finished(errors, put)
}

/// # Errors
/// Every bad field.
pub fn read_facts_body(value: &Value) -> Result<Put, Problem> {
    let mut errors = Vec::new();
    let facts = read_facts(value, "", &mut errors);
    finished(errors, Put { facts, ..Put::default() })
}

/// Reads what is said of a suppression of `channel`, or nothing; and `by` and `through`.
///
/// # Errors
/// When the policy knows no such channel; every bad field.
pub fn read_suppression_body(channel: &str, value: &Value, policy: &Policy) -> Result<Put, Problem> {
    let channel = in_path(suppression::channel(channel, policy))?;
    let mut errors = Vec::new();
    let mut put = Put::default();
    // The members are the suppression's own but for who sets it.
    let mut said = value.clone();
    if let Some(members) = said.as_object_mut() {
        let setting: Map<String, Value> =
            ["by", "through"].into_iter().filter_map(|name| members.remove_entry(name)).collect();
        let setting = Value::Object(setting);
        if let Some(mut fields) = Fields::of(&setting, "", &mut errors) {
            (put.by, put.through) = (fields.name("by"), fields.name("through"));
        }
    }
    put.suppressions.extend(suppression::read_put(channel, &said, "", policy, &mut errors));
    finished(errors, put)
}

/// That a suppression of `channel` is taken back, for all purposes or those named.
///
/// # Errors
/// When the policy knows no such channel or purpose.
pub fn read_lift(channel: &str, mut query: Query<'_>, policy: &Policy) -> Result<Put, Problem> {
    let channel = in_path(suppression::channel(channel, policy))?;
    let known = policy.company.purposes.iter().map(|purpose| &purpose.name);
    let purposes = query.read("purpose", |purpose| among(purpose, known)).into_iter().collect();
    query.finish()?;
    Ok(Put { suppressions: vec![SuppressionPut::Lift { channel, purposes }], ..Put::default() })
}

fn in_path<T>(read: Result<T, String>) -> Result<T, Problem> {
    read.map_err(|detail| Problem::fields(vec![FieldError { pointer: String::new(), detail }]))
}

/// Reads `{"customer": …, "wishes": …, "facts": …, "suppressions": …}`, as in `simulate`.
///
/// # Errors
/// Every bad field.
pub fn read_put(value: &Value, pointer: &str, policy: &Policy) -> Result<(Name, Put), Problem> {
    let mut errors = Vec::new();
    let mut put = Put::default();
    let mut customer = None;
    if let Some(mut fields) = Fields::of(value, pointer, &mut errors) {
        fields.required("customer");
        customer = fields.id("customer");
        if let Some(wishes) = fields.get("wishes") {
            let pointer = fields.pointer_to("wishes");
            read_wishes(wishes, &pointer, policy, &mut put, fields.errors());
        }
        if let Some(facts) = fields.get("facts") {
            let pointer = fields.pointer_to("facts");
            put.facts = read_facts(facts, &pointer, fields.errors());
        }
        if let Some(suppressions) = fields.get("suppressions") {
            let pointer = fields.pointer_to("suppressions");
            put.suppressions = suppression::read_puts(suppressions, &pointer, policy, fields.errors());
        }
        fields.finish();
    }
    let put = finished(errors, put)?;
    customer.map(|customer| (customer, put)).ok_or_else(|| Problem::fields(Vec::new()))
}

/// What was put, as `read_put` reads it: one value, or several where one cannot say it all. Who set it, and why, is
/// left out: nothing is judged by that. Lifts for some purposes cannot be put so, and are left out too.
#[must_use]
pub fn bodies(customer: &str, put: &Put) -> Vec<Value> {
    let of = |member: &str, value: Value| json!({"customer": customer, member: value});
    let wishes = put.wishes.as_ref().map(|wishes| of("wishes", customer::wishes(wishes)));
    let facts: Map<String, Value> = put
        .facts
        .iter()
        .map(|(name, fact)| (name.to_string(), fact.as_ref().map_or(Value::Null, written_fact)))
        .collect();
    let facts = (!facts.is_empty()).then(|| of("facts", facts.into()));
    let suppressions = put.suppressions.iter().filter_map(|put| {
        let (channel, said) = written_suppression(put)?;
        Some(of("suppressions", json!({channel.as_deref().unwrap_or(suppression::ALL): said})))
    });
    wishes.into_iter().chain(facts).chain(suppressions).collect()
}

fn written_fact(fact: &Fact) -> Value {
    let mut written = json!({"value": to_json(&fact.value)});
    if let (Some(as_of), Some(members)) = (fact.as_of, written.as_object_mut()) {
        members.insert("as_of".to_owned(), as_of.to_string().into());
    }
    written
}

fn written_suppression(put: &SuppressionPut) -> Option<(&Option<Name>, Value)> {
    match put {
        SuppressionPut::Lift { channel, purposes } => {
            purposes.is_empty().then_some((channel, Value::Bool(false)))
        }
        SuppressionPut::Suppress { channel, scopes, until, reason: _, source: _ } => {
            let mut said = Map::new();
            let purposes: Vec<&Name> = scopes.iter().filter_map(Scope::purpose).collect();
            if scopes.contains(&Scope::EveryPurpose) {
                said.insert("purposes".to_owned(), suppression::ALL.into());
            } else if !purposes.is_empty() {
                said.insert("purposes".to_owned(), json!(purposes));
            }
            if let Some(until) = until {
                said.insert("expires_at".to_owned(), until.to_string().into());
            }
            Some((channel, said.into()))
        }
    }
}

fn finished(errors: Vec<FieldError>, put: Put) -> Result<Put, Problem> {
    if errors.is_empty() { Ok(put) } else { Err(Problem::fields(errors)) }
}

fn read_wishes(value: &Value, pointer: &str, policy: &Policy, put: &mut Put, errors: &mut Vec<FieldError>) {
    let Some(mut fields) = Fields::of(value, pointer, errors) else { return };
    let mut wishes = Wishes::default();
    let limits = fields.list("at_most").unwrap_or_default();
    let limits_pointer = fields.pointer_to("at_most");
    for (index, limit) in limits.iter().enumerate() {
        wishes.at_most.extend(read_limit(
            limit,
            &format!("{limits_pointer}/{index}"),
            policy,
            fields.errors(),
        ));
    }
    wishes.channels = read_channels(&mut fields, policy);
    if let Some(hours) = fields.get("hours") {
        let pointer = fields.pointer_to("hours");
        wishes.hours = read_hours(hours, &pointer, fields.errors());
    }
    wishes.pause_until = fields.moment("pause_until");
    (put.by, put.through) = (fields.name("by"), fields.name("through"));
    fields.finish();
    put.wishes = Some(wishes);
}

fn read_channels(fields: &mut Fields<'_, '_>, policy: &Policy) -> Option<Vec<Name>> {
    let values = fields.list("channels")?;
    let known = policy.company.channels.iter().map(|channel| &channel.name);
    let mut channels = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let channel = match value.as_str() {
            Some(text) => among(text, known.clone()),
            None => Err(format!("expected a string, found {}", described(value))),
        };
        match channel {
            Ok(channel) => channels.push(channel),
            Err(detail) => fields.entry_error("channels", index, detail),
        }
    }
    Some(channels)
}

fn read_limit(
    value: &Value,
    pointer: &str,
    policy: &Policy,
    errors: &mut Vec<FieldError>,
) -> Option<WishedLimit> {
    let mut fields = Fields::of(value, pointer, errors)?;
    let limit = fields.required("limit").and_then(|value| {
        let limit = whole(value).and_then(|limit| u32::try_from(limit).ok());
        if limit.is_none() {
            fields.error("limit", "expected a whole number from 0");
        }
        limit
    });
    fields.required("window");
    let window = fields.text("window").and_then(|text| match Window::parse(text) {
        Ok(window) => Some(window),
        Err(error) => {
            fields.error("window", format!("is {error}"));
            None
        }
    });
    let channels = read_channels(&mut fields, policy).unwrap_or_default();
    fields.finish();
    Some(WishedLimit { limit: limit?, window: window?, channels })
}

fn read_hours(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Option<OpeningHours> {
    let mut object = |pointer: String, detail: String| errors.push(FieldError { pointer, detail });
    let Value::Object(members) = value else {
        object(pointer.to_owned(), format!("expected an object, found {}", described(value)));
        return None;
    };
    let mut week = Week::default();
    for (key, value) in members {
        let pointer = format!("{pointer}/{}", escaped(key));
        let texts = match value {
            Value::Array(texts) if texts.len() <= LONGEST_LIST => texts.as_slice(),
            other => {
                object(pointer, format!("expected a list of hours, found {}", described(other)));
                continue;
            }
        };
        let mut ranges = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let range = text.as_str().map_or_else(
                || Err(format!("expected a string, found {}", described(text))),
                OpenRange::parse,
            );
            match range {
                Ok(range) => ranges.push(range),
                Err(detail) => object(format!("{pointer}/{index}"), detail),
            }
        }
        if let Err(detail) = week.open(key, &ranges) {
            object(pointer, detail);
        }
    }
    Some(week.hours())
}
