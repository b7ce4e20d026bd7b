//! Suppressions as JSON: what is told, what is set, and how they stand.

use serde_json::{Map, Value, json};

use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::suppression::{Reach, Scope, Suppression};
use crate::domain::words::Name;
use crate::gate::put::SuppressionPut;
use crate::policy::Policy;

use super::fields::{Fields, described, escaped};
use super::problem::FieldError;
use super::question::{among, not_among};

/// The word for every channel at once, and for every purpose.
pub const ALL: &str = "all";

/// What a suppression is said to reach, and what accounts for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub every_purpose: bool,
    pub purposes: Vec<Name>,
    pub until: Option<Moment>,
    pub reason: Option<Name>,
    pub source: Option<Name>,
}

/// Reads `purposes`, `expires_at`, `reason` and `source`.
pub fn read_said(fields: &mut Fields<'_, '_>, policy: &Policy) -> Said {
    let (every_purpose, purposes) = read_purposes(fields, policy);
    Said {
        every_purpose,
        purposes,
        until: fields.moment("expires_at"),
        reason: fields.name("reason"),
        source: fields.name("source"),
    }
}

/// Reads `purposes`: `"all"`, or a list of those the policy knows.
fn read_purposes(fields: &mut Fields<'_, '_>, policy: &Policy) -> (bool, Vec<Name>) {
    if fields.get("purposes").and_then(Value::as_str) == Some(ALL) {
        return (true, Vec::new());
    }
    (false, read_named_purposes(fields, policy))
}

/// Reads `purposes`: a list of those the policy knows.
pub fn read_named_purposes(fields: &mut Fields<'_, '_>, policy: &Policy) -> Vec<Name> {
    let value = fields.get("purposes");
    if let Some(value) = value.filter(|value| !value.is_array()) {
        let detail = format!("expected `all` or a list of purposes, found {}", described(value));
        fields.error("purposes", detail);
        return Vec::new();
    }
    let known = policy.company.purposes.iter().map(|purpose| &purpose.name);
    let mut purposes = Vec::new();
    for (index, value) in fields.list("purposes").unwrap_or_default().iter().enumerate() {
        let purpose = match value.as_str() {
            Some(text) => among(text, known.clone()),
            None => Err(format!("expected a string, found {}", described(value))),
        };
        match purpose {
            Ok(purpose) if purposes.contains(&purpose) => {}
            Ok(purpose) => purposes.push(purpose),
            Err(detail) => fields.entry_error("purposes", index, detail),
        }
    }
    if value.is_some_and(|value| value.as_array().is_some_and(Vec::is_empty)) {
        fields.error("purposes", "names none; leave it out for every purpose the policy does not exempt");
    }
    purposes
}

/// A channel of the policy; `None` for `all`.
///
/// # Errors
/// What is wrong with the name.
pub fn channel(text: &str, policy: &Policy) -> Result<Option<Name>, String> {
    if text == ALL {
        return Ok(None);
    }
    let known = policy.company.channels.iter().map(|known| &known.name);
    let found = known.clone().find(|name| ***name == *text).cloned();
    found.map(Some).ok_or_else(|| not_among(text, known.map(|name| &**name).chain([ALL])))
}

/// What is to be set for one channel: `true`, `false`, or what is said of a suppression.
pub fn read_put(
    channel: Option<Name>,
    value: &Value,
    pointer: &str,
    policy: &Policy,
    errors: &mut Vec<FieldError>,
) -> Option<SuppressionPut> {
    match value {
        Value::Bool(true) | Value::Null => Some(SuppressionPut::plain(channel)),
        Value::Bool(false) => Some(SuppressionPut::taken_back(channel)),
        Value::Object(_) => {
            let mut fields = Fields::of(value, pointer, errors)?;
            let Said { every_purpose, purposes, until, reason, source } = read_said(&mut fields, policy);
            fields.finish();
            let scopes = Scope::of(every_purpose, &purposes);
            Some(SuppressionPut::Suppress { channel, scopes, until, reason, source })
        }
        other => {
            let detail = format!("expected true, false or an object, found {}", described(other));
            errors.push(FieldError { pointer: pointer.to_owned(), detail });
            None
        }
    }
}

/// What is to be set for each channel, as in `simulate`.
pub fn read_puts(
    value: &Value,
    pointer: &str,
    policy: &Policy,
    errors: &mut Vec<FieldError>,
) -> Vec<SuppressionPut> {
    let Value::Object(members) = value else {
        let detail = format!("expected an object, found {}", described(value));
        errors.push(FieldError { pointer: pointer.to_owned(), detail });
        return Vec::new();
    };
    let mut puts = Vec::new();
    for (name, value) in members {
        let pointer = format!("{pointer}/{}", escaped(name));
        match channel(name, policy) {
            Ok(channel) => puts.extend(read_put(channel, value, &pointer, policy, errors)),
            Err(detail) => errors.push(FieldError { pointer, detail }),
        }
    }
    puts
}

/// How they stand: each channel that is suppressed for every purpose the policy does not exempt, whether all
/// are, and each suppression with what accounts for it.
#[must_use]
pub fn body(record: &Record, policy: &Policy, now: Moment) -> Value {
    let mut channels = Map::new();
    let mut every_channel = true;
    for channel in &policy.company.channels {
        // No purpose is called nothing, so what is about one purpose is left out.
        match record.suppressions.binding(&channel.name, "", now) {
            None => every_channel = false,
            Some(suppressed) => {
                let mut body = json!({"since": suppressed.since.to_string()});
                if let (Reach::EveryPurpose, Some(body)) = (suppressed.reach, body.as_object_mut()) {
                    body.insert("purposes".to_owned(), ALL.into());
                }
                channels.insert(channel.name.to_string(), body);
            }
        }
    }
    let standing = record.suppressions.all().iter().filter(|one| one.until.is_none_or(|end| end > now));
    json!({"channels": channels, ALL: every_channel, "list": standing.map(one).collect::<Vec<_>>()})
}

/// One suppression, with what accounts for it.
#[must_use]
pub fn one(one: &Suppression) -> Value {
    let purposes = match &one.scope {
        Scope::Ordinary => Value::Null,
        Scope::Purpose(purpose) => json!([purpose]),
        Scope::EveryPurpose => ALL.into(),
    };
    let members = [
        ("channel", one.channel.as_deref().unwrap_or(ALL).into()),
        ("purposes", purposes),
        ("since", one.since.to_string().into()),
        ("expires_at", one.until.map_or(Value::Null, |until| until.to_string().into())),
        ("reason", json!(one.reason)),
        ("source", json!(one.source)),
    ];
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect())
}
