//! `GET /v1/follow-ups`, `GET /v1/follow-ups/{id}`, `POST /v1/follow-ups/{id}/claim|done`

use actix_web::{HttpRequest, HttpResponse, web};

use crate::gate::follow_up::FollowUpError;
use crate::wire::follow_up::{self, LARGEST_PAGE, USUAL_PAGE};
use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::query::Query;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;

impl From<FollowUpError> for Refusal {
    fn from(error: FollowUpError) -> Self {
        match error {
            FollowUpError::NotOpen => Self(Problem::new(ProblemKind::NotFound, error.to_string())),
            FollowUpError::Claimed { .. } => {
                Self(Problem::new(ProblemKind::AlreadyClaimed, error.to_string()))
            }
            FollowUpError::Ledger(error) => error.into(),
        }
    }
}

pub async fn list(shared: web::Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let mut query = Query::of(request.query_string());
    let limit = query.whole("limit", 1..=LARGEST_PAGE).unwrap_or(USUAL_PAGE);
    query.finish()?;
    let follow_ups = shared.gate.follow_ups(limit).await?;
    Ok(json(&follow_up::list(&follow_ups, shared.clock.now())))
}

pub async fn get(shared: web::Data<Shared>, id: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let follow_up = shared.gate.follow_up(&id).await?;
    Ok(json(&follow_up::body(&follow_up, shared.clock.now())))
}

pub async fn claim(
    shared: web::Data<Shared>,
    id: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let by = follow_up::read_claim(&body.0)?;
    let now = shared.clock.now();
    let claimed = shared.gate.claim(&id, &by, now).await?;
    Ok(json(&follow_up::body(&claimed, now)))
}

pub async fn done(
    shared: web::Data<Shared>,
    id: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let done = follow_up::read_done(&body.0)?;
    shared.done(&id, &done, shared.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
