//! `/v1/customers/{customer}` and what is set about a customer.

use actix_web::{HttpResponse, web};

use crate::gate::put::Put;
use crate::wire::fields::{LONGEST_ID, name_error};
use crate::wire::problem::{FieldError, Problem};
use crate::wire::put::{read_facts_body, read_suppression, read_wishes_body};
use crate::wire::{customer, export};

use super::Shared;
use super::answering::{Refusal, json};
use super::body::JsonBody;

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

async fn set(shared: &Shared, customer: &str, put: &Put) -> Result<HttpResponse, Refusal> {
    shared.gate.put(checked(customer)?, put, shared.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn get(shared: web::Data<Shared>, customer: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let record = shared.gate.record(checked(&customer)?).await?;
    let outlook = shared.gate.outlook(&customer, &record, now);
    Ok(json(&customer::body(&customer, &record, shared.gate.policy(), &outlook, now)))
}

pub async fn export(shared: web::Data<Shared>, customer: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let record = shared.gate.record(checked(&customer)?).await?;
    Ok(json(&export::body(&customer, &record, shared.clock.now())))
}

pub async fn put_wishes(
    shared: web::Data<Shared>,
    customer: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let put = read_wishes_body(&body.0, shared.gate.policy())?;
    set(&shared, &customer, &put).await
}

pub async fn put_facts(
    shared: web::Data<Shared>,
    customer: web::Path<String>,
    body: JsonBody,
) -> Result<HttpResponse, Refusal> {
    let put = read_facts_body(&body.0)?;
    set(&shared, &customer, &put).await
}

pub async fn put_suppression(
    shared: web::Data<Shared>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (customer, channel) = path.into_inner();
    let put = read_suppression(&channel, true, shared.gate.policy())?;
    set(&shared, &customer, &put).await
}

pub async fn delete_suppression(
    shared: web::Data<Shared>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (customer, channel) = path.into_inner();
    let put = read_suppression(&channel, false, shared.gate.policy())?;
    set(&shared, &customer, &put).await
}
