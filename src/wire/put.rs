//! What is set about a customer: wishes, facts, suppressions.

use serde_json::Value;

use crate::domain::opening_hours::{OpenRange, OpeningHours, Week};
use crate::domain::window::Window;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::Name;
use crate::gate::put::Put;
use crate::policy::Policy;

use super::fact::read_facts;
use super::fields::{Fields, LONGEST_LIST, described, escaped};
use super::problem::{FieldError, Problem};
use super::question::not_among;

/// The word for every channel at once.
pub const ALL_CHANNELS: &str = "all";

/// # Errors
/// Every bad field.
pub fn read_wishes_body(value: &Value, policy: &Policy) -> Result<Put, Problem> {
    let mut errors = Vec::new();
    let wishes = read_wishes(value, "", policy, &mut errors);
    finished(errors, Put { wishes, ..Put::default() })
}

/// # Errors
/// Every bad field.
pub fn read_facts_body(value: &Value) -> Result<Put, Problem> {
    let mut errors = Vec::new();
    let facts = read_facts(value, "", &mut errors);
    finished(errors, Put { facts, ..Put::default() })
}

/// # Errors
/// When the policy knows no such channel.
pub fn read_suppression(channel: &str, suppressed: bool, policy: &Policy) -> Result<Put, Problem> {
    match suppressed_channel(channel, policy) {
        Ok(channel) => Ok(Put { suppressions: vec![(channel, suppressed)], ..Put::default() }),
        Err(detail) => Err(Problem::fields(vec![FieldError { pointer: String::new(), detail }])),
    }
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
            put.wishes = read_wishes(wishes, &pointer, policy, fields.errors());
        }
        if let Some(facts) = fields.get("facts") {
            let pointer = fields.pointer_to("facts");
            put.facts = read_facts(facts, &pointer, fields.errors());
        }
        if let Some(suppressions) = fields.get("suppressions") {
            let pointer = fields.pointer_to("suppressions");
            put.suppressions = read_suppressions(suppressions, &pointer, policy, fields.errors());
        }
        fields.finish();
    }
    let put = finished(errors, put)?;
    customer.map(|customer| (customer, put)).ok_or_else(|| Problem::fields(Vec::new()))
}

fn finished(errors: Vec<FieldError>, put: Put) -> Result<Put, Problem> {
    if errors.is_empty() { Ok(put) } else { Err(Problem::fields(errors)) }
}

fn suppressed_channel(channel: &str, policy: &Policy) -> Result<Option<Name>, String> {
    if channel == ALL_CHANNELS {
        return Ok(None);
    }
    let known = policy.company.channels.iter().map(|known| &known.name);
    known
        .clone()
        .find(|name| ***name == *channel)
        .cloned()
        .map(Some)
        .ok_or_else(|| not_among(channel, known.map(|name| &**name).chain([ALL_CHANNELS])))
}

fn read_suppressions(
    value: &Value,
    pointer: &str,
    policy: &Policy,
    errors: &mut Vec<FieldError>,
) -> Vec<(Option<Name>, bool)> {
    let Value::Object(members) = value else {
        let detail = format!("expected an object, found {}", described(value));
        errors.push(FieldError { pointer: pointer.to_owned(), detail });
        return Vec::new();
    };
    let mut suppressions = Vec::new();
    for (channel, value) in members {
        let pointer = format!("{pointer}/{}", escaped(channel));
        match (suppressed_channel(channel, policy), value) {
            (Ok(channel), Value::Bool(suppressed)) => suppressions.push((channel, *suppressed)),
            (Err(detail), _) => errors.push(FieldError { pointer, detail }),
            (Ok(_), other) => {
                let detail = format!("expected true or false, found {}", described(other));
                errors.push(FieldError { pointer, detail });
            }
        }
    }
    suppressions
}

fn read_wishes(
    value: &Value,
    pointer: &str,
    policy: &Policy,
    errors: &mut Vec<FieldError>,
) -> Option<Wishes> {
    let mut fields = Fields::of(value, pointer, errors)?;
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
    fields.finish();
    Some(wishes)
}

fn read_channels(fields: &mut Fields<'_, '_>, policy: &Policy) -> Option<Vec<Name>> {
    let values = fields.list("channels")?;
    let known = policy.company.channels.iter().map(|channel| &channel.name);
    let mut channels = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let channel = match value.as_str() {
            Some(text) => super::question::among(text, known.clone()),
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
        let limit = value.as_u64().and_then(|limit| u32::try_from(limit).ok());
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
