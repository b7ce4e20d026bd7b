//! A running governor, spoken to over HTTP.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use awc::http::StatusCode;
use awc::http::header::{DATE, HeaderMap, HeaderName, HttpDate, RETRY_AFTER};
use awc::{Client, ClientRequest};
use serde_json::Value;
use tokio::time::Instant;

use crate::settings::inherited_trace;
use crate::telemetry::trace_context::Parent;
use crate::wire::problem::FieldError;

use super::console;
use super::failure::{Failure, misused};
use super::lanes::{Again, LONGEST_WAIT, Stop};
use super::trust::Trust;

/// A batch waits for as many commits as it has members.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The answers to a batch of questions are no larger.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Whoever has too many requests and does not say until when is asked again after this.
const WAIT_UNSAID: Duration = Duration::from_secs(1);
/// How often it is said that there is something to wait for.
const TOLD_EVERY: Duration = Duration::from_mins(1);

pub struct Connection {
    client: Client,
    pub url: String,
    /// The command that is run.
    command: &'static str,
    /// The `traceparent` of whoever started this, which is passed on as it is: a command records nothing.
    trace: Option<String>,
    /// When it was last said that there is something to wait for.
    told: Cell<Option<Instant>>,
}

/// What a governor said.
pub enum Said {
    Done(Vec<u8>),
    /// Nothing of it: these fields are bad.
    Bad(Vec<FieldError>),
    TooLarge(String),
}

impl Connection {
    /// Must be called within an actix system.
    ///
    /// # Errors
    /// When what is trusted, or what is shown, cannot be read.
    pub fn to(url: &str, trust: &Trust, command: &'static str) -> Result<Self, Failure> {
        let client = trust.client(TIMEOUT).map_err(misused)?;
        let url = url.trim_end_matches('/').to_owned();
        let trace = inherited_trace().filter(|trace| Parent::parse(trace.as_bytes()).is_some());
        Ok(Self { client, url, command, trace, told: Cell::new(None) })
    }

    pub fn post(&self, path: &str) -> ClientRequest {
        self.traced(self.client.post(format!("{}{path}", self.url)))
    }

    pub fn put(&self, path: &str) -> ClientRequest {
        self.traced(self.client.put(format!("{}{path}", self.url)))
    }

    fn traced(&self, request: ClientRequest) -> ClientRequest {
        match &self.trace {
            Some(trace) => request.insert_header(("traceparent", trace.as_str())),
            None => request,
        }
    }

    /// Sends what `line` and perhaps others after it say.
    ///
    /// # Errors
    /// When the governor is away, or refuses more than the fields.
    pub async fn send(
        &self,
        request: ClientRequest,
        content_type: &str,
        body: String,
        line: u64,
    ) -> Result<Said, Stop> {
        let away = |why: String| {
            // Perhaps it has only closed a connection that was idle, or is being started again.
            let why = format!("cannot reach {}: {why}", self.url);
            Stop { line, why, again: Again::Soon }
        };
        let request = request.insert_header(("content-type", content_type));
        let mut response = request.send_body(body).await.map_err(|error| away(error.to_string()))?;
        let status = response.status();
        let asked_to_wait = retry_after(response.headers());
        let body =
            response.body().limit(LARGEST_ANSWER_BYTES).await.map_err(|error| away(error.to_string()))?;
        if status.is_success() {
            return Ok(Said::Done(body.to_vec()));
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = detail(&problem);
        let errors = read_errors(&problem);
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if !errors.is_empty() => {
                Ok(Said::Bad(errors))
            }
            StatusCode::PAYLOAD_TOO_LARGE => Ok(Said::TooLarge(detail.to_owned())),
            _ => {
                let why = format!("{} answered {}: {detail}", self.url, status.as_u16());
                let again = match (status, asked_to_wait) {
                    (StatusCode::TOO_MANY_REQUESTS, wait) => Again::After(wait.unwrap_or(WAIT_UNSAID)),
                    (StatusCode::SERVICE_UNAVAILABLE, Some(wait)) => Again::After(wait),
                    (StatusCode::SERVICE_UNAVAILABLE, None) => Again::Soon,
                    _ => Again::Never,
                };
                let stop = Stop { line, why, again };
                self.tell_of_wait(&stop);
                Err(stop)
            }
        }
    }

    /// Says that and why nothing seems to happen; now and then, for there may be many waits.
    fn tell_of_wait(&self, stop: &Stop) {
        let Again::After(wait) = stop.again else { return };
        let now = Instant::now();
        if wait <= LONGEST_WAIT && self.told.get().is_none_or(|told| now - told >= TOLD_EVERY) {
            self.told.set(Some(now));
            console::complain(format!("{}: waiting {} s, for {}", self.command, wait.as_secs(), stop.why));
        }
    }
}

/// How long the other side asks us to wait: seconds, or a moment by its own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let said = text(RETRY_AFTER)?;
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = |text: &str| text.parse::<HttpDate>().ok().map(SystemTime::from);
    Some(moment(said)?.duration_since(moment(text(DATE)?)?).unwrap_or_default())
}

/// What a problem says of itself.
#[must_use]
pub fn detail(problem: &Value) -> &str {
    problem.get("detail").and_then(Value::as_str).unwrap_or("it does not say why")
}

/// The bad fields that a problem names.
#[must_use]
pub fn read_errors(problem: &Value) -> Vec<FieldError> {
    let errors = problem.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let text = |error: &Value, member: &str| error.get(member).and_then(Value::as_str).map(str::to_owned);
    errors
        .iter()
        .filter_map(|error| {
            Some(FieldError { pointer: text(error, "pointer")?, detail: text(error, "detail")? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_wait_is_told_in_seconds_or_as_a_moment_of_the_other_clock() {
        let cases = [
            ("120", None, Some(120)),
            ("0", None, Some(0)),
            ("Fri, 20 Nov 2026 18:00:30 GMT", Some("Fri, 20 Nov 2026 18:00:00 GMT"), Some(30)),
            ("Fri, 20 Nov 2026 18:00:00 GMT", Some("Fri, 20 Nov 2026 18:00:30 GMT"), Some(0)),
            ("Fri, 20 Nov 2026 18:00:30 GMT", None, None),
            ("soon", None, None),
            ("-1", None, None),
        ];
        for (said, date, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(said));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers).map(|wait| wait.as_secs()), expected, "{said}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
