//! `POST /v1/events`: one CloudEvent, or a batch of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::wire::event;
use crate::wire::problem::{Problem, ProblemKind};

use super::Shared;
use super::answering::Refusal;
use super::body::JsonBody;
use super::channels::CalledBy;

/// 202 once everything is stored; a batch with a bad event stores nothing.
pub async fn post(
    request: HttpRequest,
    shared: web::Data<Shared>,
    called: CalledBy,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    if request.headers().contains_key("ce-specversion") {
        let detail = "events in binary mode are not read here; send structured JSON";
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into());
    }
    let now = shared.clock.now();
    let policy = &shared.gate.policy();
    let mut errors = Vec::new();
    let told: Vec<_> = match &body.0 {
        Value::Array(events) => events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| {
                event::read(event, &format!("/{index}"), policy, now, None, &mut errors)
            })
            .collect(),
        one => event::read(one, "", policy, now, None, &mut errors).into_iter().collect(),
    };
    if !errors.is_empty() {
        return Err(Problem::fields(errors).into());
    }
    shared.may_tell(&called.caller, &told, body.0.is_array()).await?;
    shared.tell(&body.0, &told, &called.acting(), now).await?;
    Ok(HttpResponse::Accepted().finish())
}
