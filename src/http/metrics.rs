//! `GET /metrics`, for Prometheus.

use actix_web::{HttpResponse, web};

use super::Shared;

pub async fn get(shared: web::Data<Shared>) -> HttpResponse {
    shared.metrics.unshown_refusals(shared.gate.refusals_dropped());
    if let Some(log) = &shared.decision_log {
        shared.metrics.decision_log(log.lines_written(), log.lines_dropped());
    }
    if let Some(auditor) = &shared.auditor {
        shared.metrics.audit(auditor.lines_written(), auditor.acts_unwritten());
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(shared.metrics.text())
}
