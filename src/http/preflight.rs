//! `POST /v1/preflight`

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::gate::ask::Wanted;
use crate::wire::answer::AnswerBody;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;
use super::channels::CalledBy;

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    #[serde(default)]
    alternatives: bool,
}

pub async fn post(
    shared: web::Data<Shared>,
    called: CalledBy,
    query: Option<web::Query<Query>>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let wanted = Wanted { alternatives: query.is_some_and(|query| query.alternatives) };
    let answer = shared.ask(&called.caller, body.0, wanted, now).await?;
    Ok(json(&AnswerBody { at: None, answer: &answer }))
}
