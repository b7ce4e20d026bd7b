//! Every route, and the order of what stands before them, on one page.

mod answering;
mod batch;
mod body;
mod campaigns;
mod claims;
mod customers;
mod docs;
mod events;
mod explain;
mod follow_ups;
mod health;
mod metrics;
mod openapi;
mod policy;
mod preflight;
mod timeline;
mod verbs;
mod wishes_page;

pub use wishes_page::SAVED as WISHES_PAGE_SAVED;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::{App, FromRequest, Handler, HttpServer, Resource, Responder, Route, web};

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
    app.service(resource("/v1/preflight", [post(preflight::post)]))
        .service(resource("/v1/preflight/batch", [post(batch::post)]))
        .service(resource("/v1/explain", [post(explain::post)]))
        .service(resource("/v1/claims", [post(claims::post)]))
        .service(resource("/v1/events", [post(events::post)]))
        .service(resource("/v1/customers/{customer}", [get(customers::get), delete(customers::delete)]))
        .service(resource("/v1/customers/{customer}/export", [get(customers::export)]))
        .service(resource("/v1/customers/{customer}/timeline", [get(timeline::get)]))
        .service(resource("/v1/customers/{customer}/wishes", [put(customers::put_wishes)]))
        .service(resource("/v1/customers/{customer}/facts", [put(customers::put_facts)]))
        .service(resource(
            "/v1/customers/{customer}/suppressions/{channel}",
            [put(customers::put_suppression), delete(customers::delete_suppression)],
        ))
        .service(resource(
            "/v1/campaigns/{campaign}/halt",
            [put(campaigns::put_halt), delete(campaigns::delete_halt)],
        ))
        .service(resource("/v1/follow-ups", [get(follow_ups::list)]))
        .service(resource("/v1/follow-ups/{id}", [get(follow_ups::get)]))
        .service(resource("/v1/follow-ups/{id}/claim", [post(follow_ups::claim)]))
        .service(resource("/v1/follow-ups/{id}/done", [post(follow_ups::done)]))
        .service(resource("/v1/policy", [get(policy::get)]))
        .service(wishes_page::resource("/wishes/{token}"))
        .service(resource("/openapi.json", [get(openapi::get)]))
        .service(docs::resource("/docs"))
        .service(resource("/metrics", [get(metrics::get)]))
        .service(resource("/livez", [get(health::livez)]))
        .service(resource("/readyz", [get(health::readyz)]))
        .default_service(web::to(answering::not_found));
}

fn get<F: Handler<A, Output: Responder>, A: FromRequest + 'static>(handler: F) -> (Method, Route) {
    (Method::GET, web::get().to(handler))
}

fn put<F: Handler<A, Output: Responder>, A: FromRequest + 'static>(handler: F) -> (Method, Route) {
    (Method::PUT, web::put().to(handler))
}

fn post<F: Handler<A, Output: Responder>, A: FromRequest + 'static>(handler: F) -> (Method, Route) {
    (Method::POST, web::post().to(handler))
}

fn delete<F: Handler<A, Output: Responder>, A: FromRequest + 'static>(handler: F) -> (Method, Route) {
    (Method::DELETE, web::delete().to(handler))
}

/// A path with its methods; any other is told which there are.
fn resource<const N: usize>(path: &str, routes: [(Method, Route); N]) -> Resource {
    let allowed: Vec<&str> = routes.iter().map(|(method, _)| method.as_str()).collect();
    let allowed = allowed.join(", ");
    let refused = web::to(move || answering::method_not_allowed(allowed.clone()));
    let resource = web::resource(path).default_service(refused);
    routes.into_iter().fold(resource, |resource, (_, route)| resource.route(route))
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
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    decision_log: Option<Arc<DecisionLog>>,
    clock: Clock,
) -> std::io::Result<(Server, SocketAddr)> {
    let shared = web::Data::from(Arc::new(Shared {
        questions: QuestionReader::new(Arc::clone(gate.policy())),
        metrics,
        decision_log,
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
