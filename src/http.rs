//! Every route, and the order of what stands before them, on one page.

mod answering;
mod batch;
mod body;
mod campaigns;
mod claims;
mod customers;
mod events;
mod explain;
mod follow_ups;
mod health;
mod metrics;
mod policy;
mod preflight;
mod timeline;
mod verbs;
mod wishes_page;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, Resource, Route, web};

use crate::audit::Auditor;
use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::domain::words::Name;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::wire::question::QuestionReader;
use crate::wire::wishes_link::WishesLinks;

/// What every handler shares.
pub struct Shared {
    gate: Arc<Gate>,
    questions: QuestionReader,
    metrics: Arc<Metrics>,
    decision_log: Option<Arc<DecisionLog>>,
    auditor: Option<Arc<Auditor>>,
    /// Opens customers' own pages; nothing where there are none.
    wishes_links: Option<WishesLinks>,
    clock: Clock,
    max_body_bytes: usize,
    request_timeout: Duration,
}

impl Shared {
    /// A contact id for a question that brings none.
    fn mint() -> Name {
        let id = uuid::Uuid::now_v7();
        (&*id.as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer())).into()
    }
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(resource("/v1/preflight", [web::post().to(preflight::post)]))
        .service(resource("/v1/preflight/batch", [web::post().to(batch::post)]))
        .service(resource("/v1/explain", [web::post().to(explain::post)]))
        .service(resource("/v1/claims", [web::post().to(claims::post)]))
        .service(resource("/v1/events", [web::post().to(events::post)]))
        .service(resource(
            "/v1/customers/{customer}",
            [web::get().to(customers::get), web::delete().to(customers::delete)],
        ))
        .service(resource("/v1/customers/{customer}/export", [web::get().to(customers::export)]))
        .service(resource("/v1/customers/{customer}/timeline", [web::get().to(timeline::get)]))
        .service(resource("/v1/customers/{customer}/wishes", [web::put().to(customers::put_wishes)]))
        .service(resource("/v1/customers/{customer}/facts", [web::put().to(customers::put_facts)]))
        .service(resource(
            "/v1/customers/{customer}/suppressions/{channel}",
            [web::put().to(customers::put_suppression), web::delete().to(customers::delete_suppression)],
        ))
        .service(resource(
            "/v1/campaigns/{campaign}/halt",
            [web::put().to(campaigns::put_halt), web::delete().to(campaigns::delete_halt)],
        ))
        .service(resource("/v1/follow-ups", [web::get().to(follow_ups::list)]))
        .service(resource("/v1/follow-ups/{id}", [web::get().to(follow_ups::get)]))
        .service(resource("/v1/follow-ups/{id}/claim", [web::post().to(follow_ups::claim)]))
        .service(resource("/v1/follow-ups/{id}/done", [web::post().to(follow_ups::done)]))
        .service(resource("/v1/policy", [web::get().to(policy::get)]))
        .service(wishes_page::resource("/wishes/{token}"))
        .service(resource("/metrics", [web::get().to(metrics::get)]))
        .service(resource("/livez", [web::get().to(health::livez)]))
        .service(resource("/readyz", [web::get().to(health::readyz)]))
        .default_service(web::to(answering::not_found));
}

fn resource<const N: usize>(path: &str, routes: [Route; N]) -> Resource {
    let resource = web::resource(path).default_service(web::to(answering::method_not_allowed));
    routes.into_iter().fold(resource, Resource::route)
}

/// How many threads answer.
#[must_use]
pub fn workers(settings: &Settings) -> usize {
    match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    }
}

/// Where it is written what was decided, and what was changed.
#[derive(Clone, Default)]
pub struct Logs {
    pub decision_log: Option<Arc<DecisionLog>>,
    pub auditor: Option<Arc<Auditor>>,
}

/// Binds the address and returns the server, which serves once it is awaited.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    settings: &Settings,
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    logs: Logs,
    clock: Clock,
) -> std::io::Result<(Server, SocketAddr)> {
    let shared = web::Data::from(Arc::new(Shared {
        questions: QuestionReader::new(Arc::clone(gate.policy())),
        metrics,
        decision_log: logs.decision_log,
        auditor: logs.auditor,
        gate,
        wishes_links: WishesLinks::new(&settings.wishes_page),
        clock,
        max_body_bytes: settings.max_body_bytes,
        request_timeout: settings.request_timeout,
    }));
    let server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(routes))
        .keep_alive(settings.keep_alive)
        .client_request_timeout(settings.request_timeout)
        .max_connections(settings.max_connections)
        .shutdown_timeout(settings.shutdown_timeout.as_secs());
    let server = server.workers(workers(settings)).bind(settings.listen)?;
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    Ok((server.run(), address))
}
