//! `GET /livez` and `GET /readyz`

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Shared;
use super::answering::{Refusal, json};

/// The process answers.
pub async fn livez() -> HttpResponse {
    json(&json!({"live": true}))
}

/// The process can do its work; else what is wrong.
pub async fn readyz(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    shared.gate.health()?;
    Ok(json(&json!({"ready": true, "policy": shared.gate.policy().mark.hash})))
}
