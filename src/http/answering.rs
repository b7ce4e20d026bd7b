//! The one place where errors meet status codes.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::gate::explain::ExplainError;
use crate::gate::put::PutError;
use crate::ledger::LedgerError;
use crate::telemetry::passage;
use crate::telemetry::request_id::RequestId;
use crate::wire::problem::{Problem, ProblemKind};

use super::verbs::Undone;

/// A problem on its way out.
#[derive(Debug)]
pub struct Refusal(pub Problem);

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.detail)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/problem+json");
        match self.status_code() {
            StatusCode::SERVICE_UNAVAILABLE => response.insert_header((RETRY_AFTER, "1")),
            StatusCode::UNAUTHORIZED => response.insert_header((WWW_AUTHENTICATE, "Bearer")),
            _ => &mut response,
        };
        let told = Told { problem: &self.0, instance: passage::request().map(instance) };
        response.body(serde_json::to_vec(&told).unwrap_or_default())
    }
}

/// A problem, and what went wrong with it: which request.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

fn instance(request: RequestId) -> String {
    format!("urn:contact-governor:request:{request}")
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        tracing::warn!(%error, "refused a call for want of the ledger");
        Self(Problem::ledger(&error))
    }
}

impl From<PutError> for Refusal {
    fn from(error: PutError) -> Self {
        match error {
            PutError::TooManyFacts => Self(Problem::put(&error)),
            PutError::Ledger(error) => error.into(),
        }
    }
}

impl<E> From<Undone<E>> for Refusal
where
    Self: From<E>,
{
    fn from(undone: Undone<E>) -> Self {
        match undone {
            Undone::Untold(error) => Self(Problem::new(ProblemKind::AuditUnavailable, error.to_string())),
            Undone::Refused(error) => error.into(),
        }
    }
}

impl From<ExplainError> for Refusal {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Misused(misuses) => Self(Problem::misused(&misuses)),
            ExplainError::Ledger(error) => error.into(),
        }
    }
}

/// 200 and a JSON body.
pub fn json(body: &impl Serialize) -> HttpResponse {
    // Most answers fit, and need not be moved while they grow.
    let mut bytes = Vec::with_capacity(1_024);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => HttpResponse::Ok().content_type(ContentType::json()).body(bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

pub async fn not_found() -> Result<HttpResponse, Refusal> {
    Err(Problem::new(ProblemKind::NotFound, "no such path").into())
}

/// Says which methods there are, in the words of `Allow`.
pub async fn method_not_allowed(allowed: String) -> HttpResponse {
    let detail = format!("this path has no such method; there is {allowed}");
    let mut response = Refusal(Problem::new(ProblemKind::MethodNotAllowed, detail)).error_response();
    if let Ok(allowed) = allowed.parse() {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
