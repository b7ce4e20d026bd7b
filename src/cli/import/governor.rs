//! Storing through a running governor.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cli::connection::{Connection, Said};
use crate::cli::lanes::{Again, Stop};
use crate::wire::problem::FieldError;

use super::entry::Entry;
use super::target::{Refused, customer_error};

/// How many events go into one batch: its customers are stored one after the other, so that longer ones
/// would leave the lanes beside it waiting.
const MOST_IN_BATCH: usize = 64;
/// How large one batch may grow; governors take bodies of a megabyte unless they are told otherwise.
const LARGEST_BATCH_BYTES: usize = 256 * 1024;
pub struct Governor(pub Connection);

impl Governor {
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
            let request = self.0.post("/v1/events");
            match self.0.send(request, "application/cloudevents-batch+json", body, line).await? {
                Said::Done(_) => {}
                Said::Bad(errors) => {
                    let bad = take_bad(&mut batch, errors);
                    if bad.is_empty() {
                        let why = "the governor refuses these events and does not say which".to_owned();
                        return Err(Stop { line, why, again: Again::Never });
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
            let request = self.0.put(&format!("/v1/customers/{customer}/facts"));
            match self.0.send(request, "application/json", entry.body.to_string(), entry.line).await? {
                Said::Done(_) => {}
                Said::Bad(errors) => refused.push(Refused { place: *place, errors }),
                Said::TooLarge(detail) => {
                    let errors = vec![FieldError { pointer: String::new(), detail }];
                    refused.push(Refused { place: *place, errors });
                }
            }
        }
        Ok(refused)
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
