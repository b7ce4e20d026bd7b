//! What texts assert, as JSON: a message in, labels and spans out.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::claims::{Message, Part, Reading, Span};
use crate::domain::words::{Claim, ClaimSet};

use super::fields::Fields;
use super::problem::{FieldError, Problem};

/// A message to be read, as its author gives it.
#[derive(Debug)]
pub struct Asked<'v> {
    /// Given back as it came.
    pub id: Option<&'v Value>,
    pub message: Message<'v>,
}

/// Reads `{"id"?, "text", "subject"?, "media_type"?, "language"?, "channel"?}`. Other members are passed
/// over, so that a set of labelled messages can be read as it is.
///
/// # Errors
/// A problem that names every bad field.
pub fn read(value: &Value) -> Result<Asked<'_>, Problem> {
    let mut errors: Vec<FieldError> = Vec::new();
    let asked = Fields::of(value, "", &mut errors).map(|mut fields| {
        let id = fields.get("id");
        if id.is_some_and(|id| !(id.is_string() || id.is_number())) {
            fields.error("id", "expected a string or a number");
        }
        let body = fields.required("text").and_then(|text| fields.as_text("text", text));
        let message = Message {
            subject: fields.text("subject").unwrap_or(""),
            body: body.unwrap_or(""),
            media_type: fields.text("media_type"),
            language: fields.text("language"),
            channel: fields.text("channel"),
        };
        Asked { id, message }
    });
    match asked {
        Some(asked) if errors.is_empty() => Ok(asked),
        _ => Err(Problem::fields(errors)),
    }
}

/// What a message asserts.
pub struct ReadingBody<'a> {
    pub asked: &'a Asked<'a>,
    pub reading: &'a Reading,
}

impl Serialize for ReadingBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = self.asked.id {
            map.serialize_entry("id", id)?;
        }
        let labels: Vec<_> = self.reading.claims.iter().map(Claim::name).collect();
        map.serialize_entry("labels", &labels)?;
        map.serialize_entry("spans", &spans(&self.asked.message, self.reading, None))?;
        if self.reading.truncated {
            map.serialize_entry("truncated", &true)?;
        }
        map.end()
    }
}

/// The claims of one question: each with who says so, and where the text does.
pub struct ClaimsBody<'a> {
    pub message: &'a Message<'a>,
    pub reading: &'a Reading,
    pub declared: ClaimSet,
}

impl Serialize for ClaimsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.declared.union(self.reading.claims).iter().map(|claim| OneClaim { body: self, claim }),
        )
    }
}

struct OneClaim<'a> {
    body: &'a ClaimsBody<'a>,
    claim: Claim,
}

impl Serialize for OneClaim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let only = ClaimSet::default().with(self.claim);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("claim", self.claim.name())?;
        map.serialize_entry("declared", &self.body.declared.intersects(only))?;
        map.serialize_entry("spans", &spans(self.body.message, self.body.reading, Some(self.claim)))?;
        map.end()
    }
}

/// A span for people and programs: places are counted in characters, as JSON's strings are.
#[derive(Debug, Serialize)]
struct SpanBody<'a> {
    claim: &'static str,
    part: &'static str,
    start: usize,
    end: usize,
    text: &'a str,
}

fn spans<'a>(message: &Message<'a>, reading: &Reading, only: Option<Claim>) -> Vec<SpanBody<'a>> {
    let wanted = reading.spans.iter().filter(|span| only.is_none_or(|claim| span.claim == claim));
    wanted.filter_map(|span| span_body(message, span)).collect()
}

fn span_body<'a>(message: &Message<'a>, span: &Span) -> Option<SpanBody<'a>> {
    let (part, whole) = match span.part {
        Part::Subject => ("subject", message.subject),
        Part::Body => ("body", message.body),
    };
    let text = whole.get(span.start..span.end)?;
    let start = whole.get(..span.start)?.chars().count();
    Some(SpanBody { claim: span.claim.name(), part, start, end: start + text.chars().count(), text })
}
