//! `GET /v1/policy/shadow`: what the policy that is only tried would change.

use actix_web::{HttpResponse, web};

use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::shadow;

use super::Shared;
use super::answering::{Refusal, json};

pub async fn get(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    let Some(seen) = shared.gate.seen_in_shadow() else {
        let why = shared.reloader.standing().refused.map_or_else(String::new, |why| format!(": {why}"));
        let detail = format!("no policy is tried beside the one in force; set `shadow.policy`{why}");
        return Err(Problem::new(ProblemKind::NotFound, detail).into());
    };
    let sources = shared.reloader.sources().await;
    Ok(json(&shadow::body(&seen, sources.as_ref())))
}
