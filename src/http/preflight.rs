//! `POST /v1/preflight`

use actix_web::{HttpRequest, HttpResponse, web};

use crate::gate::ask::Wanted;
use crate::wire::answer::AnswerBody;
use crate::wire::query::Query;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;
use super::channels::CalledBy;

pub async fn post(
    shared: web::Data<Shared>,
    called: CalledBy,
    request: HttpRequest,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let mut query = Query::of(request.query_string());
    let wanted = Wanted { alternatives: query.switch("alternatives") };
    query.finish()?;
    let answer = shared.ask(&called.caller, body.0, wanted, now).await?;
    Ok(json(&AnswerBody { at: None, answer: &answer }))
}
