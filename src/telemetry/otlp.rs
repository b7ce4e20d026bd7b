//! OTLP 1, the JSON of it: spans as collectors read them.
//!
//! A few shapes and no library: the ones there are bring gRPC's types along, a second queue that counts nothing, and clients
//! of their own (ADR 15). What is written here is read in the tests by a reader of its own.

use serde_json::{Value as Json, json};

use super::spans::{Kind, Span, Value};

/// In `flags` of a span: whether its parent is of another process is known; and it is.
const IS_REMOTE_KNOWN: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    pub service_name: String,
    /// Another each time the program starts.
    pub instance: uuid::Uuid,
}

/// The body of a request to a collector.
#[must_use]
pub fn body(sender: &Sender, spans: &[Span]) -> String {
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let resource = [
        ("service.name", Value::Text(sender.service_name.clone())),
        ("service.version", Value::Text(env!("CARGO_PKG_VERSION").to_owned())),
        ("service.instance.id", Value::Text(sender.instance.to_string())),
    ];
    let scope = json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&resource)},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
    .to_string()
}

fn span(span: &Span) -> Json {
    let context = span.context;
    let mut flags = u32::from(context.flags()) | IS_REMOTE_KNOWN;
    if span.kind == Kind::Server && context.parent.is_some() {
        flags |= IS_REMOTE;
    }
    let kind = match span.kind {
        Kind::Internal => 1,
        Kind::Server => 2,
        Kind::Client => 3,
    };
    let mut written = json!({
        "traceId": context.trace.to_string(),
        "spanId": context.span.to_string(),
        "flags": flags,
        "name": span.name,
        "kind": kind,
        // Whole numbers of 64 bits are texts in this JSON.
        "startTimeUnixNano": span.began.to_string(),
        "endTimeUnixNano": span.ended.to_string(),
        "attributes": attributes(&span.attributes),
        "status": if span.failed { json!({"code": 2}) } else { json!({}) },
    });
    if let Some(members) = written.as_object_mut() {
        let parent = context.parent.map(|parent| ("parentSpanId", parent.to_string()));
        let state = span.state.clone().map(|state| ("traceState", state));
        members.extend(parent.into_iter().chain(state).map(|(name, value)| (name.to_owned(), value.into())));
    }
    written
}

fn attributes(attributes: &[(&'static str, Value)]) -> Vec<Json> {
    let value = |value: &Value| match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
    };
    attributes.iter().map(|(key, of)| json!({"key": key, "value": value(of)})).collect()
}

/// How many of the spans a collector says that it did not take, in an answer that is no refusal.
#[must_use]
pub fn rejected(answer: &[u8]) -> usize {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = answer.pointer("/partialSuccess/rejectedSpans");
    // A text by the book, a number by some.
    let text = rejected.map(|rejected| rejected.as_str().map_or_else(|| rejected.to_string(), str::to_owned));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_collector_did_not_take_is_read_in_either_spelling() {
        for (answer, expected) in [
            (&br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no room"}}"#[..], 3),
            (br#"{"partialSuccess":{"rejectedSpans":3}}"#, 3),
            (br#"{"partialSuccess":{}}"#, 0),
            (b"{}", 0),
            (b"", 0),
            (b"\x0a\x00", 0),
        ] {
            assert_eq!(rejected(answer), expected);
        }
    }
}
