//! `POST /v1/claims`: what a text asserts, before anybody sends it.

use actix_web::{HttpResponse, web};

use crate::wire::claims::{self, ReadingBody};

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;

pub async fn post(shared: web::Data<Shared>, body: JsonBody) -> Result<HttpResponse, Refusal> {
    let asked = claims::read(&body.0)?;
    let reading = shared.questions().read_claims(&asked.message);
    Ok(json(&ReadingBody { asked: &asked, reading: &reading }))
}
