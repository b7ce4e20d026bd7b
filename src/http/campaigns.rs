//! `PUT|DELETE /v1/campaigns/{campaign}/halt`

use actix_web::{HttpResponse, web};

use crate::wire::fields::{LONGEST_NAME, name_error};
use crate::wire::problem::{FieldError, Problem};

use super::Shared;
use super::answering::Refusal;
use super::callers::Called;
use super::channels::CalledBy;

async fn set(
    shared: &Shared,
    called: &Called,
    campaign: &str,
    halted: bool,
) -> Result<HttpResponse, Refusal> {
    if let Some(detail) = name_error(campaign, LONGEST_NAME) {
        let error =
            FieldError { pointer: String::new(), detail: format!("the campaign in the path {detail}") };
        return Err(Problem::fields(vec![error]).into());
    }
    shared.halt(campaign, halted, &called.acting(), shared.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn put_halt(
    shared: web::Data<Shared>,
    called: CalledBy,
    campaign: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    set(&shared, &called, &campaign, true).await
}

pub async fn delete_halt(
    shared: web::Data<Shared>,
    called: CalledBy,
    campaign: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    set(&shared, &called, &campaign, false).await
}
