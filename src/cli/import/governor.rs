//! A running governor, spoken to over HTTP.

use std::time::Duration;

use awc::http::StatusCode;
use awc::{Client, ClientRequest};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::wire::problem::FieldError;

use super::entry::Entry;
use super::target::{Refused, Stop, customer_error};

/// How many events go into one batch: its customers are stored one after the other, so that longer ones
/// would leave the lanes beside it waiting.
const MOST_IN_BATCH: usize = 64;
/// How large one batch may grow; governors take bodies of a megabyte unless they are told otherwise.
const LARGEST_BATCH_BYTES: usize = 256 * 1024;
/// A batch waits for as many commits as it has events.
const TIMEOUT: Duration = Duration::from_mins(1);

pub struct Governor {
    client: Client,
    url: String,
}

/// What a governor said.
enum Said {
    Stored,
    /// Nothing of it: these fields are bad.
    Bad(Vec<FieldError>),
    TooLarge(String),
}

impl Governor {
    /// Must be called within an actix system.
    #[must_use]
    pub fn at(url: &str) -> Self {
        let client = Client::builder().timeout(TIMEOUT).finish();
        Self { client, url: url.trim_end_matches('/').to_owned() }
    }

    /// Tells events in their order, and again without those the governor will not have.
    ///
    /// # Errors
    /// When the governor is away, or refuses more than an event.
    pub async fn tell(&self, lane: &[(usize, &Entry)]) -> Result<Vec<Refused>, Stop> {
        let mut refused = Vec::new();
        let mut batches = batches(lane);
        // The first batch stands last.
        while let Some(mut batch) = batches.pop() {
            let Some(first) = batch.first() else { continue };
            let line = first.line;
            let texts: Vec<&str> = batch.iter().map(|event| event.text.as_str()).collect();
            let body = format!("[{}]", texts.join(","));
            let request = self.client.post(format!("{}/v1/events", self.url));
            match self.send(request, "application/cloudevents-batch+json", body, line).await? {
                Said::Stored => {}
                Said::Bad(errors) => {
                    let bad = take_bad(&mut batch, errors);
                    if bad.is_empty() {
                        let why = "the governor refuses these events and does not say which".to_owned();
                        return Err(Stop { line, why, may_pass: false });
                    }
                    refused.extend(bad);
                    batches.push(batch);
                }
                Said::TooLarge(detail) => {
                    if let [only] = batch.as_slice() {
                        let errors = vec![FieldError { pointer: String::new(), detail }];
                        refused.push(Refused { place: only.place, errors });
                    } else {
                        let rest = batch.split_off(batch.len() / 2);
                        batches.push(rest);
                        batches.push(batch);
                    }
                }
            }
        }
        Ok(refused)
    }

    /// Puts facts, one customer after the other.
    ///
    /// # Errors
    /// When the governor is away, or refuses more than the facts.
    pub async fn put(&self, lane: &[(usize, &Entry)]) -> Result<Vec<Refused>, Stop> {
        let mut refused = Vec::new();
        for (place, entry) in lane {
            // In a path there is no telling which field it was.
            if let Some(error) = customer_error(&entry.customer) {
                refused.push(Refused { place: *place, errors: vec![error] });
                continue;
            }
            // What says nothing of a customer makes no record of one.
            if entry.body.as_object().is_some_and(serde_json::Map::is_empty) {
                continue;
            }
            let customer = utf8_percent_encode(&entry.customer, NON_ALPHANUMERIC);
            let request = self.client.put(format!("{}/v1/customers/{customer}/facts", self.url));
            match self.send(request, "application/json", entry.body.to_string(), entry.line).await? {
                Said::Stored => {}
                Said::Bad(errors) => refused.push(Refused { place: *place, errors }),
                Said::TooLarge(detail) => {
                    let errors = vec![FieldError { pointer: String::new(), detail }];
                    refused.push(Refused { place: *place, errors });
                }
            }
        }
        Ok(refused)
    }

    async fn send(
        &self,
        request: ClientRequest,
        content_type: &str,
        body: String,
        line: u64,
    ) -> Result<Said, Stop> {
        let away = |why: String| {
            // Perhaps it has only closed a connection that was idle, or is being started again.
            let why = format!("cannot reach {}: {why}", self.url);
            Stop { line, why, may_pass: true }
        };
        let request = request.insert_header(("content-type", content_type));
        let mut response = request.send_body(body).await.map_err(|error| away(error.to_string()))?;
        let status = response.status();
        let body = response.body().await.map_err(|error| away(error.to_string()))?;
        if status.is_success() {
            return Ok(Said::Stored);
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("it does not say why");
        let errors = read_errors(&problem);
        match status {
            StatusCode::BAD_REQUEST if !errors.is_empty() => Ok(Said::Bad(errors)),
            StatusCode::PAYLOAD_TOO_LARGE => Ok(Said::TooLarge(detail.to_owned())),
            _ => {
                let why = format!("{} answered {}: {detail}", self.url, status.as_u16());
                Err(Stop { line, why, may_pass: status == StatusCode::SERVICE_UNAVAILABLE })
            }
        }
    }
}

/// One event of a batch.
struct Event {
    place: usize,
    line: u64,
    text: String,
}

/// The events in batches, the last in front.
fn batches(lane: &[(usize, &Entry)]) -> Vec<Vec<Event>> {
    let mut batches: Vec<Vec<Event>> = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for (place, entry) in lane {
        let text = entry.body.to_string();
        if batch.len() == MOST_IN_BATCH || (!batch.is_empty() && bytes + text.len() > LARGEST_BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += text.len();
        batch.push(Event { place: *place, line: entry.line, text });
    }
    batches.push(batch);
    batches.reverse();
    batches
}

/// Takes the events out that errors are about; pointers say which, as in `/3/data/channel`.
fn take_bad(batch: &mut Vec<Event>, errors: Vec<FieldError>) -> Vec<Refused> {
    let mut errors: Vec<(usize, FieldError)> = errors
        .into_iter()
        .filter_map(|error| {
            let pointer = error.pointer.strip_prefix('/')?;
            let (index, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
            let pointer = format!("/{rest}");
            Some((index.parse().ok()?, FieldError { pointer, detail: error.detail }))
        })
        .collect();
    let mut refused = Vec::new();
    let mut index = 0;
    batch.retain(|event| {
        let own: Vec<_> = errors.extract_if(.., |(at, _)| *at == index).map(|(_, error)| error).collect();
        index += 1;
        let sound = own.is_empty();
        if !sound {
            refused.push(Refused { place: event.place, errors: own });
        }
        sound
    });
    refused
}

fn read_errors(problem: &Value) -> Vec<FieldError> {
    let errors = problem.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text = |error: &Value, member: &str| error.get(member).and_then(Value::as_str).map(str::to_owned);
    errors
        .iter()
        .filter_map(|error| {
            Some(FieldError { pointer: text(error, "pointer")?, detail: text(error, "detail")? })
        })
        .collect()
}
