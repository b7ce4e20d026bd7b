//! Stands before everything else: counts requests and how long they take, by route, and tells clients of an instance
//! that is about to stop to come by another connection next time.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, Method};
use actix_web::web;
use tokio::time::Instant;

use crate::metrics::Metrics;

use super::Shared;

/// The path of a route, as the table has it; never the one that was asked for, in which customers stand.
#[derive(Clone, Copy, Debug)]
pub struct RoutePath(pub &'static str);

/// What is no route, or no method that any has.
const OTHER: &str = "other";

pub fn measure<S, B>(
    request: ServiceRequest,
    rest: &S,
    metrics: &Arc<Metrics>,
) -> impl Future<Output = Result<ServiceResponse<B>, actix_web::Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let began = Instant::now();
    let metrics = Arc::clone(metrics);
    let in_flight = metrics.http.begin();
    let is_draining =
        request.app_data::<web::Data<Shared>>().is_some_and(|shared| shared.draining.is_draining());
    let method = name(request.method());
    let answer = rest.call(request);
    async move {
        let _in_flight = in_flight;
        let mut answer = answer.await?;
        let path = answer.request().app_data::<RoutePath>().map_or(OTHER, |route| route.0);
        metrics.http.took(method, path).observe(began.elapsed().as_secs_f64());
        metrics.http.answers(method, path, answer.status().as_str()).inc();
        if is_draining {
            answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        Ok(answer)
    }
}

fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}
