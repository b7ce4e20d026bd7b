//! Every route, and the order of what stands before them, on one page.

mod access;
mod answering;
mod batch;
mod body;
mod callers;
mod campaigns;
mod channels;
mod claims;
mod connection;
mod customers;
mod docs;
mod draining;
mod events;
mod explain;
mod follow_ups;
mod following;
mod health;
mod listener;
mod measured;
mod metrics;
mod openapi;
mod overload;
mod policy;
mod preflight;
mod routes;
mod shadow;
mod throttle;
mod timeline;
pub mod tls;
mod verbs;
mod wishes_page;

pub use wishes_page::SAVED as WISHES_PAGE_SAVED;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, web};
use arc_swap::ArcSwap;

use crate::audit::Auditor;
use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::domain::caller::Scope;
use crate::domain::moment::Span;
use crate::domain::words::Name;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::reload::Reloader;
use crate::settings::Settings;
use crate::telemetry::spans::Recorder;
use crate::wire::question::QuestionReader;
use crate::wire::wishes_link::WishesLinks;

pub use access::{About, Access};
use callers::Callers;
pub use draining::Draining;
use overload::Load;
use routes::{Path, at, delete, get, post, put};
use tls::Certificates;

/// What every handler shares.
pub struct Shared {
    gate: Arc<Gate>,
    callers: Callers,
    questions: ArcSwap<QuestionReader>,
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    decision_log: Option<Arc<DecisionLog>>,
    auditor: Option<Arc<Auditor>>,
    /// Opens customers' own pages; nothing where there are none.
    wishes_links: Option<WishesLinks>,
    draining: Draining,
    clock: Clock,
    following: following::Terms,
    max_body_bytes: usize,
    max_batch_lines: u64,
    max_batch_time: Span,
    request_timeout: Duration,
}

impl Shared {
    /// Reads questions in the words of the policy in force.
    fn questions(&self) -> Arc<QuestionReader> {
        let (questions, policy) = (self.questions.load_full(), self.gate.policy());
        if Arc::ptr_eq(questions.policy(), &policy) {
            return questions;
        }
        let questions = Arc::new(QuestionReader::new(policy));
        self.questions.store(Arc::clone(&questions));
        questions
    }

    /// A contact id for a question that brings none.
    fn mint() -> Name {
        let id = uuid::Uuid::now_v7();
        (&*id.as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer())).into()
    }
}

/// Every path but that of customers' own pages, which a sealed link opens, and of the page about this interface.
fn table() -> Vec<Path> {
    use About::{EveryChannel, NoChannel, OneChannel};
    use Access::{Needs, Open};
    use Scope::{Admin, Ask, Read, Tell};
    vec![
        at("/v1/preflight", [post(Needs(Ask, OneChannel), preflight::post)]),
        at("/v1/preflight/batch", [post(Needs(Ask, OneChannel), batch::post)]),
        at("/v1/explain", [post(Needs(Ask, OneChannel), explain::post)]),
        at("/v1/claims", [post(Needs(Ask, NoChannel), claims::post)]),
        at("/v1/events", [post(Needs(Tell, OneChannel), events::post)]),
        at(
            "/v1/customers/{customer}",
            [
                get(Needs(Read, EveryChannel), customers::get),
                delete(Needs(Admin, EveryChannel), customers::delete),
            ],
        ),
        at("/v1/customers/{customer}/export", [get(Needs(Read, EveryChannel), customers::export)]),
        at("/v1/customers/{customer}/timeline", [get(Needs(Read, EveryChannel), timeline::get)]),
        at("/v1/customers/{customer}/wishes", [put(Needs(Tell, EveryChannel), customers::put_wishes)]),
        at("/v1/customers/{customer}/facts", [put(Needs(Tell, EveryChannel), customers::put_facts)]),
        at(
            "/v1/customers/{customer}/suppressions/{channel}",
            [
                put(Needs(Tell, OneChannel), customers::put_suppression),
                delete(Needs(Admin, OneChannel), customers::delete_suppression),
            ],
        ),
        at(
            "/v1/campaigns/{campaign}/halt",
            [
                put(Needs(Admin, EveryChannel), campaigns::put_halt),
                delete(Needs(Admin, EveryChannel), campaigns::delete_halt),
            ],
        ),
        at("/v1/follow-ups", [get(Needs(Read, EveryChannel), follow_ups::list)]),
        at("/v1/follow-ups/{id}", [get(Needs(Read, EveryChannel), follow_ups::get)]),
        at("/v1/follow-ups/{id}/claim", [post(Needs(Tell, EveryChannel), follow_ups::claim)]),
        at("/v1/follow-ups/{id}/done", [post(Needs(Tell, EveryChannel), follow_ups::done)]),
        at(
            "/v1/policy",
            [get(Needs(Read, NoChannel), policy::get), put(Needs(Admin, EveryChannel), policy::put)],
        ),
        at("/v1/policy/shadow", [get(Needs(Read, EveryChannel), shadow::get)]),
        at("/metrics", [get(Needs(Read, NoChannel), metrics::get)]),
        at("/openapi.json", [get(Open, openapi::get)]),
        at("/livez", [get(Open, health::livez)]),
        at("/readyz", [get(Open, health::readyz)]),
    ]
}

fn routes(app: &mut web::ServiceConfig) {
    for path in table() {
        app.service(path.resource());
    }
    app.service(docs::resource("/docs"))
        .service(wishes_page::resource("/wishes/{token}"))
        .default_service(web::to(answering::not_found));
}

/// Every method of every path in the table, and who may call it.
#[must_use]
pub fn endpoints() -> Vec<(String, &'static str, Access)> {
    let of = |Path { path, endpoints }: Path| {
        endpoints.into_iter().map(move |endpoint| (endpoint.method.to_string(), path, endpoint.access))
    };
    table().into_iter().flat_map(of).collect()
}

/// How many threads answer.
#[must_use]
pub fn workers(settings: &Settings) -> usize {
    match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    }
}

/// Where it is written what was decided, what was changed, and what was done for how long.
#[derive(Clone, Default)]
pub struct Logs {
    pub decision_log: Option<Arc<DecisionLog>>,
    pub auditor: Option<Arc<Auditor>>,
    pub spans: Option<Arc<Recorder>>,
}

/// Binds the address and returns the server, which serves once it is awaited.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    settings: &Settings,
    certificates: Option<Arc<Certificates>>,
    reloader: &Arc<Reloader>,
    metrics: &Arc<Metrics>,
    logs: Logs,
    draining: &Draining,
    clock: Clock,
) -> std::io::Result<(Server, SocketAddr)> {
    let gate = Arc::clone(reloader.gate());
    let shared = web::Data::from(Arc::new(Shared {
        callers: Callers::new(settings, metrics, &clock),
        questions: ArcSwap::from_pointee(QuestionReader::new(gate.policy())),
        reloader: Arc::clone(reloader),
        metrics: Arc::clone(metrics),
        decision_log: logs.decision_log,
        auditor: logs.auditor,
        gate,
        following: following::Terms { trusts_callers: settings.tracing.trusts_callers, recorder: logs.spans },
        wishes_links: WishesLinks::new(&settings.wishes_page),
        draining: draining.clone(),
        clock,
        max_body_bytes: settings.max_body_bytes,
        max_batch_lines: settings.max_batch_lines,
        max_batch_time: Span::from_millis(settings.max_batch_time.as_millis() as i64),
        request_timeout: settings.request_timeout,
    }));
    let (terms, counted) = (settings.overload, Arc::clone(metrics));
    listener::listen(settings, workers(settings), certificates, metrics, move || {
        let measured = Arc::clone(&counted);
        App::new()
            .app_data(shared.clone())
            .app_data(Load::of_this_worker(terms, Arc::clone(&counted)))
            .configure(routes)
            .wrap_fn(overload::guard)
            .wrap_fn(move |request, rest| measured::measure(request, rest, &measured))
            .wrap_fn(following::follow)
    })
}
