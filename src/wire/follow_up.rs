//! Follow-ups, as JSON.

use serde_json::{Value, json};

use crate::domain::follow_up::{FollowUp, Handle};
use crate::domain::moment::Moment;
use crate::domain::words::Name;

use super::fields::Fields;
use super::problem::{FieldError, Problem, ProblemKind};

/// The longest list of follow-ups in one answer.
pub const LARGEST_PAGE: usize = 500;

/// Open follow-ups, those due first in front.
#[must_use]
pub fn list(follow_ups: &[FollowUp], now: Moment) -> Value {
    json!({"follow_ups": follow_ups.iter().map(|one| body(one, now)).collect::<Vec<_>>()})
}

#[must_use]
pub fn body(one: &FollowUp, now: Moment) -> Value {
    json!({
        "id": one.handle.to_string(),
        "customer": one.handle.customer,
        "kind": one.kind,
        "opened_at": one.opened_at.to_string(),
        "due_at": one.due_at.to_string(),
        "overdue": one.due_at < now,
        "channel": one.tags.channel,
        "purpose": one.tags.purpose,
        "campaign": one.tags.campaign,
        "contact_id": one.contact_id,
        "claimed": one.claimed.as_ref().map(|(by, at)| json!({"by": by, "at": at.to_string()})),
    })
}

/// Reads a follow-up's id out of a path.
///
/// # Errors
/// A problem where it can be nobody's.
pub fn handle(text: &str) -> Result<Handle, Problem> {
    Handle::parse(text).ok_or_else(|| Problem::new(ProblemKind::NotFound, "no follow-up of that id is open"))
}

/// Reads `{"by": …}`.
///
/// # Errors
/// A problem that names every bad field.
pub fn read_claim(value: &Value) -> Result<Name, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    let by = Fields::of(value, "", &mut errors).and_then(|mut fields| {
        fields.required("by");
        let by = fields.name("by");
        fields.finish();
        by
    });
    by.filter(|_| errors.is_empty()).ok_or_else(|| {
        if errors.is_empty() {
            errors.push(FieldError { pointer: "/by".to_owned(), detail: "may not be empty".to_owned() });
        }
        Problem::fields(errors)
    })
}

/// What was done, and by whom.
#[derive(Debug)]
pub struct Done {
    pub by: Option<Name>,
    pub what: Name,
}

/// Reads `{"what": …, "by"?: …}`.
///
/// # Errors
/// A problem that names every bad field.
pub fn read_done(value: &Value) -> Result<Done, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    let done = Fields::of(value, "", &mut errors).and_then(|mut fields| {
        fields.required("what");
        let what = fields.name("what");
        let by = fields.name("by");
        fields.finish();
        Some(Done { by, what: what? })
    });
    done.filter(|_| errors.is_empty()).ok_or_else(|| {
        if errors.is_empty() {
            errors.push(FieldError { pointer: "/what".to_owned(), detail: "may not be empty".to_owned() });
        }
        Problem::fields(errors)
    })
}
