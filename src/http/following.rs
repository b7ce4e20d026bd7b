//! Every request has its ids before anything else is done with it, and they stand in its answer. What became of it is
//! told once the answer has left or is given up, in a line of the log and in a span, to whoever wants to know.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage, HttpRequest};

use crate::clock::Clock;
use crate::domain::moment::Moment;
use crate::domain::words::Name;
use crate::telemetry::passage::Passage;
use crate::telemetry::request_id::RequestId;
use crate::telemetry::spans::{Kind, Recorder, Span, Value};
use crate::telemetry::trace_context::{Parent, TraceContext, trace_state};

use super::Shared;
use super::callers::Called;
use super::measured::RoutePath;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Who says in the log what became of a request.
const ACCESS: &str = "contact_governor::access";

/// How requests are followed; every worker has the same.
#[derive(Clone)]
pub struct Terms {
    /// Whether callers' own ids are gone on with.
    pub trusts_callers: bool,
    pub recorder: Option<Arc<Recorder>>,
}

impl Terms {
    fn begin(&self, headers: &HeaderMap, now: Moment) -> Passage {
        let sent = |name| one(headers, &name).filter(|_| self.trusts_callers);
        let request = sent(X_REQUEST_ID).and_then(RequestId::parse).unwrap_or_else(|| RequestId::mint(now));
        let trace = match sent(TRACEPARENT).and_then(Parent::parse) {
            Some(parent) => TraceContext::after(parent),
            None => self.sample(TraceContext::begin()),
        };
        Passage { request, trace }
    }

    /// Whoever begins a trace decides whether it is recorded.
    fn sample(&self, trace: TraceContext) -> TraceContext {
        let is_sampled = self.recorder.as_ref().is_some_and(|recorder| recorder.samples(trace.trace));
        if is_sampled { trace.sampled() } else { trace }
    }
}

/// A header that is there once: of two, neither is better.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut all = headers.get_all(name);
    all.next().filter(|_| all.next().is_none()).map(HeaderValue::as_bytes)
}

/// Stands before everything else.
pub fn follow<S, B>(
    request: ServiceRequest,
    routes: &S,
) -> impl Future<Output = Result<ServiceResponse<Followed<B>>, actix_web::Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let shared = request.app_data::<web::Data<Shared>>();
    let passage = match shared {
        Some(shared) => shared.following.begin(request.headers(), shared.clock.now()),
        None => Passage { request: RequestId::mint(Moment::from_millis(0)), trace: TraceContext::begin() },
    };
    let told = shared.and_then(|shared| Told::wanted(shared, &request, passage));
    let mut ending = Ending { passage, told };
    let answer = passage.during(|| routes.call(request));
    passage.throughout(async move {
        let response = answer.await?;
        let status = response.status();
        if let Some(told) = &mut ending.told {
            told.answered(response.request(), status);
        }
        let mut response = response.map_body(|_, body| Followed { body, ending });
        add_ids(response.headers_mut(), passage);
        Ok(response)
    })
}

fn add_ids(headers: &mut HeaderMap, passage: Passage) {
    if let Ok(id) = HeaderValue::from_str(passage.request.as_str()) {
        headers.insert(X_REQUEST_ID, id);
    }
    // Of use to whoever has begun the trace, or can look it up.
    let is_of_use = passage.trace.parent.is_some() || passage.trace.is_sampled();
    if is_of_use && let Ok(trace) = HeaderValue::try_from(passage.trace.to_string()) {
        headers.insert(TRACERESPONSE, trace);
    }
}

/// An answer's body; the request is over when this is dropped.
pub struct Followed<B> {
    body: B,
    ending: Ending,
}

impl<B: MessageBody + Unpin> MessageBody for Followed<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, ending } = self.get_mut();
        ending.passage.during(|| Pin::new(body).poll_next(context))
    }
}

/// Tells what became of a request when it is over.
struct Ending {
    passage: Passage,
    told: Option<Box<Told>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            self.passage.during(|| told.tell(self.passage));
        }
    }
}

/// What is told of a request. Never its path, which names customers, nor anything else that a caller may choose freely.
struct Told {
    since: Duration,
    clock: Clock,
    recorder: Option<(Arc<Recorder>, i64)>,
    state: Option<String>,
    method: &'static str,
    route: Option<&'static str>,
    caller: Option<Name>,
    /// `None`: the client left before it was answered.
    status: Option<StatusCode>,
}

impl Told {
    /// Only if somebody listens.
    fn wanted(shared: &Shared, request: &ServiceRequest, passage: Passage) -> Option<Box<Self>> {
        let recorder = shared.following.recorder.as_ref().filter(|_| passage.trace.is_sampled());
        if recorder.is_none() && !tracing::enabled!(target: ACCESS, tracing::Level::DEBUG) {
            return None;
        }
        let is_continued = passage.trace.parent.is_some();
        let states = request.headers().get_all(TRACESTATE).map(HeaderValue::as_bytes);
        Some(Box::new(Self {
            since: shared.clock.elapsed(),
            clock: shared.clock.clone(),
            recorder: recorder.map(|recorder| (Arc::clone(recorder), recorder.now())),
            state: if is_continued { trace_state(states) } else { None },
            method: method(request.method()),
            route: None,
            caller: None,
            status: None,
        }))
    }

    fn answered(&mut self, request: &HttpRequest, status: StatusCode) {
        self.status = Some(status);
        self.route = request.app_data::<RoutePath>().map(|route| route.0);
        self.caller = request.extensions().get::<Called>().map(|called| called.caller.name.clone());
    }

    fn tell(self, passage: Passage) {
        let latency = self.clock.elapsed().saturating_sub(self.since);
        tracing::debug!(
            target: ACCESS,
            method = self.method,
            route = self.route,
            status = self.status.map(|status| status.as_u16()),
            caller = self.caller.as_deref(),
            latency_us = latency.as_micros() as u64,
            "{}",
            if self.status.is_some() { "answered" } else { "left before it was answered" }
        );
        if let Some((recorder, began)) = self.recorder.clone() {
            let ended = recorder.now();
            recorder.record(self.span(passage, began, ended));
        }
    }

    /// Named and described as OpenTelemetry's conventions for HTTP have it, but for `url.path`, which names customers.
    fn span(self, passage: Passage, began: i64, ended: i64) -> Span {
        let mut attributes = vec![
            ("http.request.method", Value::Text(self.method.to_owned())),
            ("contact_governor.request_id", Value::Text(passage.request.to_string())),
        ];
        let name = match &self.route {
            Some(route) => format!("{} {route}", self.method),
            None => self.method.to_owned(),
        };
        attributes.extend(self.route.map(|route| ("http.route", Value::Text(route.to_owned()))));
        attributes
            .extend(self.caller.map(|caller| ("contact_governor.caller", Value::Text(caller.to_string()))));
        let status = self.status.map(|status| i64::from(status.as_u16()));
        attributes.extend(status.map(|status| ("http.response.status_code", Value::Number(status))));
        let failed = self.status.is_none_or(|status| status.is_server_error());
        if failed {
            let why = status.map_or_else(|| "abandoned".to_owned(), |status| status.to_string());
            attributes.push(("error.type", Value::Text(why)));
        }
        let (context, kind, state) = (passage.trace, Kind::Server, self.state);
        Span { context, name, kind, began, ended, attributes, failed, state }
    }
}

/// Methods are the caller's own words, but for those that there are.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}
