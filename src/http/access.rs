//! What a caller must be allowed to do before a route answers; the table of routes says it of each.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};

use crate::domain::caller::{Caller, Scope};
use crate::wire::problem::{Problem, ProblemKind};

use super::Shared;
use super::answering::Refusal;
use super::callers::Called;
use super::throttle::{Empty, Fields};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a key.
    Open,
    /// Whoever has the scope, and may speak of what the route is about.
    Needs(Scope, About),
}

/// Which channels a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// None: nothing of one customer's.
    NoChannel,
    /// One that the request names: the handler looks whether it is the caller's.
    OneChannel,
    /// All there are: not for a caller that speaks for some.
    EveryChannel,
}

/// Stands before a route.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    scope: Scope,
    about: About,
}

impl Guard {
    pub const fn new(scope: Scope, about: About) -> Self {
        Self { scope, about }
    }

    /// Whose request it is, if they may make it.
    fn admit(self, request: &ServiceRequest) -> Result<Admitted, TurnedAway> {
        let shared = request.app_data::<web::Data<Shared>>();
        let authorization = request.headers().get(AUTHORIZATION);
        let called = shared.and_then(|shared| shared.callers.find(authorization, &shared.clock));
        let called = called.cloned().ok_or(TurnedAway::Unauthenticated)?;
        self.check(&called.caller)?;
        let fields = match &called.bucket {
            None => None,
            Some(bucket) => match bucket.take() {
                Ok(left) => Some(bucket.fields(left)),
                Err(empty) => return Err(TurnedAway::Throttled(empty, bucket.fields(0))),
            },
        };
        Ok(Admitted { called, fields })
    }

    fn check(self, caller: &Caller) -> Result<(), TurnedAway> {
        if !caller.scopes.contains(self.scope) {
            let detail = format!("this takes a key with the scope `{}`", self.scope.name());
            return Err(TurnedAway::Forbidden(detail));
        }
        if self.about == About::EveryChannel && !caller.channels.is_every() {
            let detail =
                "this is about every channel, and takes a key that is not limited to some".to_owned();
            return Err(TurnedAway::Forbidden(detail));
        }
        Ok(())
    }
}

/// Why a request goes no further.
#[derive(Debug)]
enum TurnedAway {
    /// The same for a key that is unknown, expired, cut off or not there.
    Unauthenticated,
    Forbidden(String),
    Throttled(Empty, Fields),
}

impl TurnedAway {
    fn response(self) -> HttpResponse {
        let refused = |kind, detail: &str| Refusal(Problem::new(kind, detail)).error_response();
        match self {
            Self::Unauthenticated => {
                let detail = "this takes a key that is known here, as `Authorization: Bearer cg_…`";
                refused(ProblemKind::Unauthenticated, detail)
            }
            Self::Forbidden(detail) => refused(ProblemKind::Forbidden, &detail),
            Self::Throttled(empty, fields) => {
                let seconds = empty.seconds();
                let detail = format!(
                    "too many requests of one caller; call again in {seconds} s. No customer's cap is meant"
                );
                let mut response = refused(ProblemKind::Throttled, &detail);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                add_fields(response.headers_mut(), fields);
                response
            }
        }
    }
}

fn add_fields(headers: &mut HeaderMap, fields: Fields) {
    headers.insert(RATE_LIMIT_POLICY, fields.policy);
    headers.insert(RATE_LIMIT, fields.standing);
}

struct Admitted {
    called: Called,
    fields: Option<Fields>,
}

impl<S> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
    S::Future: Unpin,
{
    type Response = ServiceResponse;
    type Error = Error;
    type InitError = ();
    type Transform = Guarded<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Guarded { guard: *self, service }))
    }
}

/// A route and what stands before it.
pub struct Guarded<S> {
    guard: Guard,
    service: S,
}

impl<S> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
    S::Future: Unpin,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.guard.admit(&request) {
            Ok(Admitted { called, fields }) => {
                request.extensions_mut().insert(called);
                Answering::Handled(self.service.call(request), fields)
            }
            Err(turned_away) => Answering::Refused(Some(request.into_response(turned_away.response()))),
        }
    }
}

/// An answer on its way: the route's, or none.
pub enum Answering<F> {
    Handled(F, Option<Fields>),
    Refused(Option<ServiceResponse>),
}

impl<F: Future<Output = Result<ServiceResponse, Error>> + Unpin> Future for Answering<F> {
    type Output = Result<ServiceResponse, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Refused(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Nobody asks twice.
                None => Poll::Pending,
            },
            Self::Handled(answer, fields) => Pin::new(answer).poll(context).map_ok(|mut response| {
                if let Some(fields) = fields.take() {
                    add_fields(response.headers_mut(), fields);
                }
                response
            }),
        }
    }
}
