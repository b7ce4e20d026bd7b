//! A running governor, spoken to over HTTP.

use std::time::Duration;

use awc::http::StatusCode;
use awc::{Client, ClientRequest};
use serde_json::Value;

use crate::wire::problem::FieldError;

use super::failure::{Failure, misused};
use super::lanes::Stop;
use super::trust::Trust;

/// A batch waits for as many commits as it has members.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The answers to a batch of questions are no larger.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

pub struct Connection {
    client: Client,
    pub url: String,
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
    /// When what is trusted cannot be read.
    pub fn to(url: &str, trust: &Trust) -> Result<Self, Failure> {
        let client = trust.client(TIMEOUT).map_err(misused)?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    pub fn post(&self, path: &str) -> ClientRequest {
        self.client.post(format!("{}{path}", self.url))
    }

    pub fn put(&self, path: &str) -> ClientRequest {
        self.client.put(format!("{}{path}", self.url))
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
            Stop { line, why, may_pass: true }
        };
        let request = request.insert_header(("content-type", content_type));
        let mut response = request.send_body(body).await.map_err(|error| away(error.to_string()))?;
        let status = response.status();
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
                Err(Stop { line, why, may_pass: status == StatusCode::SERVICE_UNAVAILABLE })
            }
        }
    }
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
