//! Every route, and the order of what stands before them, on one page.

mod answering;
mod batch;
mod body;
mod campaigns;
mod claims;
mod connection;
mod customers;
mod events;
mod explain;
mod follow_ups;
mod health;
mod listener;
mod metrics;
mod overload;
mod policy;
mod preflight;
mod timeline;
pub mod tls;
mod verbs;
mod wishes_page;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, Resource, Route, web};

use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::domain::moment::Span;
use crate::domain::words::Name;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::wire::question::QuestionReader;
use crate::wire::wishes_link::WishesLinks;

use overload::Load;
use tls::Certificates;

/// What every handler shares.
pub struct Shared {
    gate: Arc<Gate>,
    questions: QuestionReader,
    metrics: Arc<Metrics>,
    decision_log: Option<Arc<DecisionLog>>,
    /// Opens customers' own pages; nothing where there are none.
    wishes_links: Option<WishesLinks>,
    clock: Clock,
    max_body_bytes: usize,
    max_batch_lines: u64,
    max_batch_time: Span,
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

/// Binds the address and returns the server, which serves once it is awaited.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    settings: &Settings,
    certificates: Option<Arc<Certificates>>,
    gate: Arc<Gate>,
    metrics: &Arc<Metrics>,
    decision_log: Option<Arc<DecisionLog>>,
    clock: Clock,
) -> std::io::Result<(Server, SocketAddr)> {
    let shared = web::Data::from(Arc::new(Shared {
        questions: QuestionReader::new(Arc::clone(gate.policy())),
        metrics: Arc::clone(metrics),
        decision_log,
        gate,
        wishes_links: WishesLinks::new(&settings.wishes_page),
        clock,
        max_body_bytes: settings.max_body_bytes,
        max_batch_lines: settings.max_batch_lines,
        max_batch_time: Span::from_millis(settings.max_batch_time.as_millis() as i64),
        request_timeout: settings.request_timeout,
    }));
    let (terms, counted) = (settings.overload, Arc::clone(metrics));
    listener::listen(settings, workers(settings), certificates, metrics, move || {
        App::new()
            .app_data(shared.clone())
            .app_data(Load::of_this_worker(terms, Arc::clone(&counted)))
            .configure(routes)
            .wrap_fn(overload::guard)
    })
}
