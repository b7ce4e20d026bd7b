//! Some requests are refused, early and cheaply, while there is more to do than can be done in time.
//!
//! Each worker judges for itself. A request with a body is judged when its body has arrived, since a client that is
//! slow to send is no load; one without, when its head has. What says how the program is (`/livez`, `/readyz`,
//! `/metrics`) is never refused.

mod controller;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, ResponseError};
use futures_util::future::{Either, FutureExt, LocalBoxFuture, Ready, ready};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::backoff::wait;
use crate::metrics::Metrics;
use crate::settings::OverloadSettings;
use crate::wire::problem::{Problem, ProblemKind};

use super::answering::Refusal;
use super::connection::Requests;
use controller::{Controller, Terms};

/// What one worker knows of its load; cloning gives another handle to it.
#[derive(Clone)]
pub struct Load(Rc<State>);

struct State {
    began: Instant,
    controller: RefCell<Controller>,
    probe: Probe,
    metrics: Arc<Metrics>,
}

/// Measures how long work waits in the worker: a task that does nothing is woken, and comes behind everything that
/// is ready to be done.
#[derive(Default)]
struct Probe {
    bell: Notify,
    rung_at: Cell<Option<Duration>>,
}

/// A request that was let in; it is answered once this is dropped.
pub struct Admitted {
    load: Option<Load>,
    since: Duration,
}

/// A request that was not let in, and for how long that is not to be said.
#[derive(Debug)]
pub struct Shed {
    refusal: Refusal,
    hold: Duration,
}

impl Shed {
    /// What is answered, when it is time to.
    async fn told(self) -> Refusal {
        // The timer counts in milliseconds.
        if self.hold >= Duration::from_millis(1) {
            wait(self.hold).await;
        }
        self.refusal
    }
}

impl Load {
    /// Of the worker that this thread is; must be called within its runtime.
    pub fn of_this_worker(settings: OverloadSettings, metrics: Arc<Metrics>) -> Self {
        let terms = Terms { target: settings.target_delay, least_under_way: settings.least_under_way };
        let load = Self(Rc::new(State {
            began: Instant::now(),
            controller: RefCell::new(Controller::new(terms)),
            probe: Probe::default(),
            metrics,
        }));
        let probed = load.clone();
        actix_web::rt::spawn(async move {
            loop {
                probed.0.probe.bell.notified().await;
                probed.has_waited();
            }
        });
        load
    }

    fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// How long work has waited by now; begins to measure unless that is being done.
    fn wait(&self, now: Duration) -> Duration {
        let probe = &self.0.probe;
        if let Some(rung_at) = probe.rung_at.get() {
            return now.saturating_sub(rung_at);
        }
        probe.rung_at.set(Some(now));
        probe.bell.notify_one();
        Duration::ZERO
    }

    fn has_waited(&self) {
        if let Some(rung_at) = self.0.probe.rung_at.take() {
            let now = self.now();
            self.0.controller.borrow_mut().waited(now.saturating_sub(rung_at), now);
        }
    }

    /// Lets a request in.
    ///
    /// # Errors
    /// When it had better not be: that it is refused is counted.
    pub fn admit(&self) -> Result<Admitted, Shed> {
        let now = self.now();
        let wait = self.wait(now);
        let mut controller = self.0.controller.borrow_mut();
        if controller.admit(wait, now) {
            return Ok(Admitted { load: Some(self.clone()), since: now });
        }
        Err(Shed { refusal: self.refuse(), hold: controller.hold(now) })
    }

    /// Lets in what goes on for as long as it likes and makes way for others, unless there is too much to do.
    ///
    /// # Errors
    /// As [`Load::admit`].
    pub fn admit_batch(&self) -> Result<(), Refusal> {
        if self.is_crowded() { Err(self.refuse()) } else { Ok(()) }
    }

    /// Whether single requests are being refused.
    pub fn is_crowded(&self) -> bool {
        let now = self.now();
        let wait = self.wait(now);
        self.0.controller.borrow().is_crowded(wait, now)
    }

    fn refuse(&self) -> Refusal {
        self.0.metrics.http.shed();
        let detail = "more is asked at the moment than can be answered in time; ask again a little later";
        Refusal(Problem::new(ProblemKind::Overloaded, detail))
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(load) = &self.load {
            let now = load.now();
            let mut controller = load.0.controller.borrow_mut();
            controller.answered(now.saturating_sub(self.since), now);
        }
    }
}

/// For handlers whose answer to being refused is their own, and for bodies.
impl FromRequest for Admitted {
    type Error = Refusal;
    type Future = Either<Ready<Result<Self, Refusal>>, LocalBoxFuture<'static, Result<Self, Refusal>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = match request.app_data::<Load>() {
            Some(load) => load.admit(),
            None => Ok(Self { load: None, since: Duration::ZERO }),
        };
        match admitted {
            Ok(admitted) => Either::Left(ready(Ok(admitted))),
            Err(shed) => Either::Right(shed.told().map(Err).boxed_local()),
        }
    }
}

/// Stands before all routes: judges requests that have no body, and tells the connection of every one.
pub fn guard<S, B>(
    request: ServiceRequest,
    routes: &S,
) -> impl Future<Output = Result<ServiceResponse<EitherBody<B>>, actix_web::Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let unanswered = request.conn_data::<Requests>().map(Requests::begin);
    let outcome = match judge(&request) {
        Ok(admitted) => Ok((admitted, routes.call(request))),
        Err(shed) => Err((request, shed)),
    };
    async move {
        let _unanswered = unanswered;
        match outcome {
            Ok((_admitted, answer)) => Ok(answer.await?.map_into_left_body()),
            Err((request, shed)) => {
                let refused = shed.told().await.error_response();
                Ok(request.into_response(refused).map_into_right_body())
            }
        }
    }
}

/// The others are judged by those who read their bodies, or turn people away in words of their own.
fn judge(request: &ServiceRequest) -> Result<Option<Admitted>, Shed> {
    let is_judged =
        request.path().starts_with("/v1/") && !matches!(*request.method(), Method::POST | Method::PUT);
    match request.app_data::<Load>() {
        Some(load) if is_judged => load.admit().map(Some),
        _ => Ok(None),
    }
}
