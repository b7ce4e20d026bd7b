//! `GET /metrics`, for Prometheus.

use actix_web::{HttpResponse, web};

use super::Shared;

pub async fn get(shared: web::Data<Shared>) -> HttpResponse {
    shared.metrics.ledger.stand(&shared.gate, shared.clock.now());
    let logs = &shared.metrics.logs;
    logs.unshown_refusals(shared.gate.refusals_dropped());
    if let Some(log) = &shared.decision_log {
        logs.decision_log(log.lines_written(), log.lines_dropped());
    }
    if let Some(auditor) = &shared.auditor {
        logs.audit(auditor.lines_written(), auditor.acts_unwritten());
    }
    if let Some(spans) = &shared.following.recorder {
        logs.spans(spans.spans_sent(), spans.spans_dropped());
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(shared.metrics.text())
}
