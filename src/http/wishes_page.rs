//! `/wishes/{token}`: the page where a customer sets their own wishes, and where mail programs
//! unsubscribe for them. The only answers here that are for people.

mod page;

use actix_web::dev::HttpServiceFactory;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ContentType, LOCATION, RETRY_AFTER};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use crate::audit::Acting;
use crate::domain::moment::Moment;
use crate::domain::words::Name;
use crate::gate::put::PutError;
use crate::ledger::LedgerError;
use crate::wire::one_click::is_one_click;
use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::wishes_form::{Filled, Intent, Mistake, Sent, Standing, stop, take_back};
use crate::wire::wishes_link::Unopened;

use super::Shared;
use super::access::Access::Open;
use super::answering::Refusal;
use super::body::AnyBody;
use super::overload::Admitted;
use super::routes::{self, at};
use super::verbs::Undone;
use page::{Notice, Page};

/// The page as it is after something was saved; beside the address it was sent to, whatever stands
/// before that.
pub const SAVED: &str = "?saved=1";

/// The page, with the headers that every answer of it carries: no style but its own is applied, its
/// address goes nowhere, nobody remembers it.
pub(super) fn resource(path: &'static str) -> impl HttpServiceFactory + 'static {
    let headers = DefaultHeaders::new()
        .add(("content-security-policy", page::content_security_policy()))
        .add(("referrer-policy", "no-referrer"))
        .add(("cache-control", "no-store"))
        .add(("x-content-type-options", "nosniff"))
        .add(("x-robots-tag", "noindex"));
    // The sealed link is the key to it; no other is needed.
    at(path, [routes::get(Open, get), routes::head(Open, get), routes::post(Open, post)])
        .resource()
        .wrap(headers)
}

async fn get(
    shared: web::Data<Shared>,
    request: HttpRequest,
    admitted: Result<Admitted, Refusal>,
) -> Result<HttpResponse, TurnedAway> {
    let _admitted = admitted.map_err(TurnedAway::Refused)?;
    let now = shared.clock.now();
    let customer = opened(&shared, &request, now)?;
    let record = shared.gate.record(&customer).await?;
    let standing = Standing::of(&record, &shared.gate.policy(), now);
    let is_saved = request.query_string() == SAVED.trim_start_matches('?');
    Ok(html(StatusCode::OK, Page::new(&standing, &Filled::of(&standing), &[], is_saved).text()))
}

async fn post(
    shared: web::Data<Shared>,
    request: HttpRequest,
    body: Result<AnyBody, Refusal>,
) -> Result<HttpResponse, TurnedAway> {
    let now = shared.clock.now();
    let customer = opened(&shared, &request, now)?;
    let AnyBody(body, _admitted) = body.map_err(TurnedAway::Refused)?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if is_one_click(content_type.unwrap_or_default(), &body) {
        shared.put(&customer, &stop(), &Acting::customer(), now).await?;
        let said = "Unsubscribed from all messages.\n";
        return Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body(said));
    }
    let sent = Sent::read(&body);
    match sent.intent {
        Intent::Save => return save(&shared, &customer, &sent, now).await,
        Intent::Stop => shared.put(&customer, &stop(), &Acting::customer(), now).await?,
        Intent::TakeBack => shared.put(&customer, &take_back(), &Acting::customer(), now).await?,
    }
    Ok(saved())
}

async fn save(shared: &Shared, customer: &str, sent: &Sent, now: Moment) -> Result<HttpResponse, TurnedAway> {
    let record = shared.gate.record(customer).await?;
    let standing = Standing::of(&record, &shared.gate.policy(), now);
    let mut mistakes: Vec<Mistake> = sent.mistakes.clone();
    match sent.filled.changes(&standing) {
        Ok(put) if mistakes.is_empty() => {
            if let Some(put) = put {
                shared.put(customer, &put, &Acting::customer(), now).await?;
            }
            return Ok(saved());
        }
        Ok(_) => {}
        Err(more) => mistakes.extend(more),
    }
    let page = Page::new(&standing, &sent.filled, &mistakes, false);
    Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page.text()))
}

/// Whose page it is.
fn opened(shared: &Shared, request: &HttpRequest, now: Moment) -> Result<Name, TurnedAway> {
    let links = shared.wishes_links.as_ref().ok_or(TurnedAway::NoPage)?;
    let token = request.match_info().get("token").unwrap_or_default();
    links.open(token, now).map_err(TurnedAway::Unopened)
}

fn saved() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, SAVED)).finish()
}

fn html(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status).content_type(ContentType::html()).body(text)
}

/// Why somebody sees no form.
#[derive(Debug, thiserror::Error)]
enum TurnedAway {
    #[error("the operator has set up no such page")]
    NoPage,
    #[error("the link opens nothing")]
    Unopened(Unopened),
    #[error("{0}")]
    Refused(Refusal),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<PutError> for TurnedAway {
    fn from(error: PutError) -> Self {
        match error {
            PutError::TooManyFacts => Self::Refused(error.into()),
            PutError::Ledger(error) => Self::Ledger(error),
        }
    }
}

impl<E> From<Undone<E>> for TurnedAway
where
    Self: From<E>,
    Refusal: From<Undone<E>>,
{
    fn from(undone: Undone<E>) -> Self {
        match undone {
            Undone::Refused(error) => error.into(),
            untold @ Undone::Untold(_) => Self::Refused(untold.into()),
        }
    }
}

impl ResponseError for TurnedAway {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoPage | Self::Unopened(Unopened::Unreadable) => StatusCode::NOT_FOUND,
            Self::Unopened(Unopened::Ended) => StatusCode::GONE,
            Self::Refused(refusal) => refusal.status_code(),
            Self::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let notice = match self {
            Self::NoPage => {
                return Refusal(Problem::new(ProblemKind::NotFound, "no such path")).error_response();
            }
            Self::Unopened(Unopened::Unreadable) => Notice::UNREADABLE,
            Self::Unopened(Unopened::Ended) => Notice::ENDED,
            Self::Refused(refusal) if refusal.0.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => {
                Notice::TRY_AGAIN
            }
            Self::Refused(_) => Notice::REFUSED,
            Self::Ledger(error) => {
                tracing::warn!(%error, "turned a customer away for want of the ledger");
                Notice::TRY_AGAIN
            }
        };
        let mut response = html(self.status_code(), notice.text());
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, page::retry_after());
        }
        response
    }
}
