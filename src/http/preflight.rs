//! `POST /v1/preflight`

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::gate::ask::Wanted;
use crate::wire::answer::AnswerBody;
use crate::wire::problem::Problem;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;

#[derive(Debug, Default, Deserialize)]
pub struct Query {
    #[serde(default)]
    alternatives: bool,
}

pub async fn post(
    shared: web::Data<Shared>,
    query: Option<web::Query<Query>>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let question = shared.questions.read(&body.0, now, Shared::mint)?;
    shared.metrics.undeclared(question.undeclared);
    let wanted = Wanted { alternatives: query.is_some_and(|query| query.alternatives) };
    let answer =
        shared.gate.ask(&question, wanted, now).await.map_err(|misuses| Problem::misused(&misuses))?;
    Ok(json(&AnswerBody { at: None, answer: &answer }))
}
