//! Follow-ups, as JSON.

use serde_json::{Value, json};

use crate::domain::follow_up::FollowUp;
use crate::domain::moment::Moment;
use crate::domain::words::Name;

use super::fields::Fields;
use super::problem::{FieldError, Problem};

/// How many are listed when nothing is said.
pub const USUAL_PAGE: usize = 50;
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
        "id": one.name,
        "customer": one.handle.customer,
        "kind": one.kind,
        "opened_at": one.opened_at.to_string(),
        "due_at": one.due_at.to_string(),
        "overdue": one.is_overdue(now),
        "escalated_at": one.escalated_at.map(|at| at.to_string()),
        "channel": one.tags.channel,
        "purpose": one.tags.purpose,
        "campaign": one.tags.campaign,
        "contact_id": one.contact_id,
        "claimed": one.claimed.as_ref().map(|(by, at)| json!({"by": by, "at": at.to_string()})),
    })
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
