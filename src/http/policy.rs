//! `GET /v1/policy`: the policy in force.

use actix_web::{HttpResponse, web};

use crate::wire::policy;

use super::Shared;
use super::answering::json;

pub async fn get(shared: web::Data<Shared>) -> HttpResponse {
    json(&policy::body(shared.gate.policy()))
}
