//! How a line of the log is written: for people, or as JSON. Either says which request it is about.

use std::fmt;

use serde::Serializer as _;
use serde::ser::SerializeMap;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::passage;

/// What every line of JSON may have; an event's own field of such a name gets another.
const OURS: [&str; 6] = ["timestamp", "level", "target", "request_id", "trace_id", "span_id"];

/// Text, or JSON, a line an event.
#[derive(Clone, Copy, Debug)]
pub enum Lines {
    Text,
    Json,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match self {
            Self::Text => {
                // What came through `log` names its own source.
                let normalized = event.normalized_metadata();
                let said = normalized.as_ref().unwrap_or_else(|| event.metadata());
                SystemTime.format_time(&mut writer)?;
                write!(writer, " {:>5} {}: ", said.level(), said.target())?;
                context.format_fields(writer.by_ref(), event)?;
                if let Some(passage) = passage::current() {
                    let (request, trace) = (passage.request, passage.trace);
                    write!(writer, " request_id={request} trace_id={} span_id={}", trace.trace, trace.span)?;
                }
                writeln!(writer)
            }
            Self::Json => {
                let line = json(event).map_err(|_| fmt::Error)?;
                writeln!(writer, "{line}")
            }
        }
    }
}

fn json(event: &Event<'_>) -> serde_json::Result<String> {
    let normalized = event.normalized_metadata();
    let said = normalized.as_ref().unwrap_or_else(|| event.metadata());
    let mut line = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut members = serializer.serialize_map(None)?;
    let mut timestamp = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    members.serialize_entry("timestamp", &timestamp)?;
    members.serialize_entry("level", said.level().as_str())?;
    members.serialize_entry("target", said.target())?;
    let mut fields = Fields { members, outcome: Ok(()) };
    event.record(&mut fields);
    let Fields { mut members, outcome } = fields;
    outcome?;
    if let Some(passage) = passage::current() {
        members.serialize_entry("request_id", passage.request.as_str())?;
        members.serialize_entry("trace_id", &format_args!("{}", passage.trace.trace))?;
        members.serialize_entry("span_id", &format_args!("{}", passage.trace.span))?;
    }
    members.end()?;
    Ok(String::from_utf8(line).unwrap_or_default())
}

/// The fields of an event, as members beside ours.
struct Fields<M: SerializeMap> {
    members: M,
    outcome: Result<(), M::Error>,
}

impl<M: SerializeMap> Fields<M> {
    fn add(&mut self, field: &Field, value: &impl serde::Serialize) {
        let name = field.name();
        // Where something came from that was said through `log` stands in the members for it.
        if self.outcome.is_err() || name.starts_with("log.") {
            return;
        }
        self.outcome = if OURS.contains(&name) {
            self.members.serialize_entry(&format!("event.{name}"), value)
        } else {
            self.members.serialize_entry(name, value)
        };
    }
}

impl<M: SerializeMap> Visit for Fields<M> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, &value);
    }
}
