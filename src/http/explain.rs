//! `POST /v1/explain`

use actix_web::{HttpResponse, web};

use crate::claims::Message;
use crate::wire::claims::ClaimsBody;
use crate::wire::explanation::ExplanationBody;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;
use super::channels::{self, CalledBy};

pub async fn post(
    shared: web::Data<Shared>,
    called: CalledBy,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let question = shared.questions().read(&body.0, now, Shared::mint)?;
    channels::may_ask(&called.caller, &question)?;
    let explanation = shared.gate.explain(&question, now).await?;
    let message = Message::of(&question.content, Some(question.channel()));
    let reading = shared.questions().read_claims(&message);
    let declared = question.tags.claims.without(question.undeclared);
    let claims = ClaimsBody { message: &message, reading: &reading, declared };
    Ok(json(&ExplanationBody { explanation: &explanation, claims }))
}
