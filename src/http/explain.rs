//! `POST /v1/explain`

use actix_web::{HttpResponse, web};

use crate::wire::explanation::ExplanationBody;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;

pub async fn post(shared: web::Data<Shared>, body: JsonBody) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let question = shared.questions.read(&body.0, now, Shared::mint)?;
    let explanation = shared.gate.explain(&question, now).await?;
    Ok(json(&ExplanationBody(&explanation)))
}
