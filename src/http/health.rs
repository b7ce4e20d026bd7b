//! `GET /livez` and `GET /readyz`

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::domain::moment::SECOND_MS;
use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::query::Query;

use super::Shared;
use super::answering::{Refusal, json};

/// The process answers.
pub async fn livez() -> HttpResponse {
    json(&json!({"live": true}))
}

/// What may be wrong and is not to count, as Kubernetes' own servers have it: `?exclude=ledger` is for balancers that
/// would rather have answers without the ledger than none.
const LEDGER: &str = "ledger";

/// The process can do its work; else what is wrong.
pub async fn readyz(shared: web::Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let mut query = Query::of(request.query_string());
    let excluded = query.word("exclude", std::iter::once(LEDGER));
    query.finish()?;
    if shared.draining.is_draining() {
        let detail = "this instance was asked to stop: it answers what it is asked, and is about to end";
        return Err(Problem::new(ProblemKind::Draining, detail).into());
    }
    let ledger = shared.gate.health();
    if excluded.is_none() {
        ledger.clone()?;
    }
    let (gate, standing) = (&shared.gate, shared.reloader.standing());
    Ok(json(&json!({
        "ready": true,
        "ledger": ledger.map_or_else(|error| error.to_string(), |()| "ok".to_owned()),
        "journal": {
            "waiting": gate.unsettled(),
            "since": gate.unsettled_since().map(|since| since.to_string()),
        },
        "policy": {
            "version": standing.mark.version,
            "hash": standing.mark.hash,
            "since": standing.since.to_string(),
            "age_seconds": (now - standing.since).millis() / SECOND_MS,
            "refused": standing.refused,
        },
    })))
}
