//! `PUT|DELETE /v1/campaigns/{campaign}/halt`

use actix_web::{HttpResponse, web};

use crate::audit::Acting;
use crate::wire::fields::{LONGEST_NAME, name_error};
use crate::wire::problem::{FieldError, Problem};

use super::Shared;
use super::answering::Refusal;

async fn set(shared: &Shared, campaign: &str, halted: bool) -> Result<HttpResponse, Refusal> {
    if let Some(detail) = name_error(campaign, LONGEST_NAME) {
        let error =
            FieldError { pointer: String::new(), detail: format!("the campaign in the path {detail}") };
        return Err(Problem::fields(vec![error]).into());
    }
    shared.halt(campaign, halted, &Acting::local(), shared.clock.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub async fn put_halt(
    shared: web::Data<Shared>,
    campaign: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    set(&shared, &campaign, true).await
}

pub async fn delete_halt(
    shared: web::Data<Shared>,
    campaign: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    set(&shared, &campaign, false).await
}
