//! Facts: a value, or `{"value": …, "as_of": …}`.

use serde_json::Value;

use crate::domain::fact::{Fact, FactValue, Facts, REGIONS_FACT, TIME_ZONE_FACT};
use crate::domain::moment::Moment;
use crate::domain::wall_clock::{Day, Zone};

use super::fields::{Fields, LONGEST_LIST, LONGEST_NAME, described, escaped, name_error, not_a_moment};
use super::problem::FieldError;
use super::question::{read_region, zone_error};

/// The most facts in one question or one call.
pub const MOST_FACTS: usize = 100;
/// The longest text a fact may be, in characters.
pub const LONGEST_TEXT: usize = 1_024;
/// How deep a fact may nest.
pub const DEEPEST: usize = 4;

/// Reads the facts in `value`, which stands at `pointer`. `null` is a fact said to be unknown.
pub fn read_facts(value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Facts {
    let Value::Object(members) = value else {
        let detail = format!("expected an object, found {}", described(value));
        errors.push(FieldError { pointer: pointer.to_owned(), detail });
        return Facts::new();
    };
    if members.len() > MOST_FACTS {
        errors.push(FieldError {
            pointer: pointer.to_owned(),
            detail: format!("at most {MOST_FACTS} facts at once"),
        });
        return Facts::new();
    }
    let mut facts = Facts::new();
    for (name, value) in members {
        let pointer = format!("{pointer}/{}", escaped(name));
        let name_error = if name.is_empty() {
            Some("a fact needs a name".to_owned())
        } else {
            name_error(name, LONGEST_NAME)
        };
        if let Some(detail) = name_error {
            errors.push(FieldError { pointer, detail });
            continue;
        }
        match read_fact(name, value, &pointer, errors) {
            Read::Fact(fact) => facts.insert(name.as_str().into(), Some(fact)),
            Read::Null => facts.insert(name.as_str().into(), None),
            Read::Wrong => None,
        };
    }
    facts
}

/// What one fact was written as.
enum Read {
    Fact(Fact),
    Null,
    Wrong,
}

fn read_fact(name: &str, value: &Value, pointer: &str, errors: &mut Vec<FieldError>) -> Read {
    let (value, at, as_of) = match value {
        Value::Object(members) if members.contains_key("value") => {
            let Some(mut fields) = Fields::of(value, pointer, errors) else { return Read::Wrong };
            let inner = fields.get_or_null("value").unwrap_or(&Value::Null);
            let as_of = fields.text("as_of").and_then(|text| {
                let as_of = Moment::parse(text).or_else(|| Some(Zone::utc().start_of(Day::parse(text)?)));
                if as_of.is_none() {
                    fields.error("as_of", not_a_moment(text));
                }
                as_of
            });
            fields.finish();
            (inner, format!("{pointer}/value"), as_of)
        }
        plain => (plain, pointer.to_owned(), None),
    };
    if value.is_null() {
        return Read::Null;
    }
    match read_value(value, &at, DEEPEST, errors) {
        Some(value) if check_meaning(name, &value, &at, errors).is_some() => {
            Read::Fact(Fact { value, as_of })
        }
        Some(_) | None => Read::Wrong,
    }
}

/// The two facts the governor itself reads must be readable.
fn check_meaning(name: &str, value: &FactValue, pointer: &str, errors: &mut Vec<FieldError>) -> Option<()> {
    let mut object = |detail: String| errors.push(FieldError { pointer: pointer.to_owned(), detail });
    let what = match name {
        TIME_ZONE_FACT => "a time zone, or a list of them",
        REGIONS_FACT => "a region, or a list of them",
        _ => return Some(()),
    };
    let is_text = |value: &FactValue| matches!(value, FactValue::Text(_));
    let are_texts = match value {
        FactValue::Text(_) => true,
        FactValue::List(values) => values.iter().all(is_text),
        FactValue::Bool(_) | FactValue::Whole(_) | FactValue::Number(_) | FactValue::Object(_) => false,
    };
    if !are_texts {
        object(format!("expected {what}"));
        return None;
    }
    for text in value.texts() {
        let detail = match name {
            TIME_ZONE_FACT => Zone::get(text).is_none().then(|| zone_error(text)),
            _ => read_region(text).err(),
        };
        if let Some(detail) = detail {
            object(detail);
            return None;
        }
    }
    Some(())
}

fn read_value(value: &Value, pointer: &str, depth: usize, errors: &mut Vec<FieldError>) -> Option<FactValue> {
    let mut object = |detail: String| {
        errors.push(FieldError { pointer: pointer.to_owned(), detail });
        None
    };
    if depth == 0 {
        return object(format!("nests deeper than {DEEPEST} levels"));
    }
    match value {
        Value::Null => object("null has no place within a fact".to_owned()),
        Value::Bool(truth) => Some(FactValue::Bool(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(FactValue::Whole(whole)),
            (None, Some(number)) => Some(FactValue::Number(number)),
            (None, None) => object("is not a number that can be kept".to_owned()),
        },
        Value::String(text) if text.chars().count() > LONGEST_TEXT => {
            object(format!("may have at most {LONGEST_TEXT} characters"))
        }
        Value::String(text) => Some(FactValue::Text(text.as_str().into())),
        Value::Array(values) if values.len() > LONGEST_LIST => {
            object(format!("a list may have at most {LONGEST_LIST} members"))
        }
        Value::Array(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| read_value(value, &format!("{pointer}/{index}"), depth - 1, errors))
            .collect::<Option<Vec<_>>>()
            .map(FactValue::List),
        Value::Object(members) if members.len() > LONGEST_LIST => {
            object(format!("an object may have at most {LONGEST_LIST} members"))
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let pointer = format!("{pointer}/{}", escaped(name));
                Some((name.as_str().into(), read_value(value, &pointer, depth - 1, errors)?))
            })
            .collect::<Option<_>>()
            .map(FactValue::Object),
    }
}

/// A fact's value as JSON.
#[must_use]
pub fn to_json(value: &FactValue) -> Value {
    match value {
        FactValue::Bool(truth) => Value::from(*truth),
        FactValue::Whole(number) => Value::from(*number),
        FactValue::Number(number) => Value::from(*number),
        FactValue::Text(text) => Value::from(&**text),
        FactValue::List(values) => values.iter().map(to_json).collect(),
        FactValue::Object(members) => {
            members.iter().map(|(name, value)| (name.to_string(), to_json(value))).collect()
        }
    }
}
