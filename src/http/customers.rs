//! `/v1/customers/{customer}` and what is set about a customer.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::gate::put::Put;
use crate::wire::fields::{LONGEST_ID, name_error};
use crate::wire::problem::{FieldError, Problem};
use crate::wire::put::{read_facts_body, read_lift, read_suppression_body, read_wishes_body};
use crate::wire::query::Query;
use crate::wire::{customer, export};

use super::Shared;
use super::answering::{Refusal, json};
use super::body::{JsonBody, OptionalJsonBody};
use super::callers::Called;
use super::channels::{self, CalledBy};

/// The customer in the path, who must be one.
pub(super) fn checked(customer: &str) -> Result<&str, Refusal> {
    match name_error(customer, LONGEST_ID) {
        Some(detail) => {
            let error =
                FieldError { pointer: String::new(), detail: format!("the customer in the path {detail}") };
            Err(Problem::fields(vec![error]).into())
        }
        None => Ok(customer),
    }
}

async fn set(shared: &Shared, called: &Called, customer: &str, put: &Put) -> Result<HttpResponse, Refusal> {
    shared.put(checked(customer)?, put, &called.acting(), shared.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn get(shared: web::Data<Shared>, customer: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let record = shared.gate.record(checked(&customer)?).await?;
    let outlook = shared.gate.outlook(&customer, &record, now);
    let owed = shared.gate.owed_to(&customer.as_str().into(), &record);
    Ok(json(&customer::body(&customer, &record, &shared.gate.policy(), &outlook, &owed, now)))
}

pub async fn export(shared: web::Data<Shared>, customer: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let record = shared.gate.record(checked(&customer)?).await?;
    let refusals = shared.gate.refusals(&customer).await?;
    Ok(json(&export::body(&customer, &record, &refusals, shared.clock.now())))
}

pub async fn delete(
    shared: web::Data<Shared>,
    called: CalledBy,
    customer: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let kept = shared.erase(checked(&customer)?, &called.acting(), shared.clock.now()).await?;
    Ok(json(&customer::erased(&kept)))
}

pub async fn put_wishes(
    shared: web::Data<Shared>,
    called: CalledBy,
    customer: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let put = read_wishes_body(&body.0, &shared.gate.policy())?;
    set(&shared, &called, &customer, &put).await
}

pub async fn put_facts(
    shared: web::Data<Shared>,
    called: CalledBy,
    customer: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let put = read_facts_body(&body.0)?;
    set(&shared, &called, &customer, &put).await
}

pub async fn put_suppression(
    shared: web::Data<Shared>,
    called: CalledBy,
    path: web::Path<(String, String)>,
    body: OptionalJsonBody,
) -> Result<HttpResponse, Refusal> {
    let (customer, channel) = path.into_inner();
    let put = read_suppression_body(&channel, &body.0, &shared.gate.policy())?;
    channels::may_put(&called.caller, &put.suppressions)?;
    set(&shared, &called, &customer, &put).await
}

pub async fn delete_suppression(
    shared: web::Data<Shared>,
    called: CalledBy,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (customer, channel) = path.into_inner();
    let put = read_lift(&channel, Query::of(request.query_string()), &shared.gate.policy())?;
    channels::may_put(&called.caller, &put.suppressions)?;
    set(&shared, &called, &customer, &put).await
}
