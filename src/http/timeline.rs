//! `GET /v1/customers/{customer}/timeline`

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::domain::timeline::timeline;
use crate::wire::query::Query;
use crate::wire::timeline::Wanted;
use crate::wire::{story, timeline as body};

use super::Shared;
use super::answering::{Refusal, json};
use super::customers::checked;

pub async fn get(
    shared: web::Data<Shared>,
    customer: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let wanted = Wanted::read(Query::of(request.query_string()), &shared.gate.policy())?;
    let now = shared.clock.now();
    let record = shared.gate.record(checked(&customer)?).await?;
    let refusals = shared.gate.refusals(&customer).await?;
    let all = timeline(&record, &refusals, now);
    let page = wanted.page(&all);
    if wanted.text {
        let zone = shared.gate.policy().company.zone_of(&record);
        let text = story::text(&customer, &page.happenings, page.is_last(), &zone, now);
        return Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(text));
    }
    Ok(json(&body::body(&customer, &page, now)))
}
