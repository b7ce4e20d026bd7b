//! Request bodies: of bounded size, in bounded time; most are JSON.

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde_json::Value;

use crate::wire::problem::{Problem, ProblemKind};

use super::Shared;
use super::answering::Refusal;
use super::overload::Admitted;

/// A body that is JSON; its request is under way for as long as this is held.
pub struct JsonBody(pub Value, #[expect(dead_code, reason = "it is held")] Admitted);

/// A body that is JSON, or nothing, which is `null`.
pub struct OptionalJsonBody(pub Value, #[expect(dead_code, reason = "it is held")] Admitted);

/// A body that may be anything.
pub struct AnyBody(pub Bytes, pub Admitted);

impl FromRequest for JsonBody {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let arriving = AnyBody::from_request(request, payload);
        async move {
            is_json?;
            let AnyBody(bytes, admitted) = arriving.await?;
            Ok(Self(parsed(&bytes)?, admitted))
        }
        .boxed_local()
    }
}

impl FromRequest for OptionalJsonBody {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let arriving = AnyBody::from_request(request, payload);
        async move {
            let AnyBody(bytes, admitted) = arriving.await?;
            if bytes.is_empty() {
                return Ok(Self(Value::Null, admitted));
            }
            is_json?;
            Ok(Self(parsed(&bytes)?, admitted))
        }
        .boxed_local()
    }
}

/// What is compressed is not read: nobody asks in megabytes, and a few kilobytes may hold gigabytes.
///
/// # Errors
/// When a body announces itself as compressed.
pub fn refuse_encoded(request: &HttpRequest) -> Result<(), Refusal> {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let detail = "bodies are read as they are, without a Content-Encoding; send this one uncompressed";
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into())
}

/// The media type of what is sent, without its parameters and in small letters.
pub fn media_type(request: &HttpRequest) -> String {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    given.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Whether the body says that it is JSON, of whatever kind. What says nothing, or something else, is what any page in a
/// browser may send to any address; JSON it may not.
fn is_json(request: &HttpRequest) -> Result<(), Refusal> {
    let given = media_type(request);
    if given == "application/json" || (given.starts_with("application/") && given.ends_with("+json")) {
        return Ok(());
    }
    let detail = "a body is read as `application/json`, and must say so in `Content-Type`";
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into())
}

/// UTF-8 and nesting (at most 128 deep) are the parser's to check.
fn parsed(bytes: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Problem::malformed(&error).into())
}

impl FromRequest for AnyBody {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shared = request.app_data::<web::Data<Shared>>().cloned();
        let announced = request.headers().get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let encoding = refuse_encoded(request);
        let payload = web::Payload::from_request(request, payload);
        let request = request.clone();
        async move {
            encoding?;
            let unset = || Refusal(Problem::new(ProblemKind::NotFound, "not set up"));
            let shared = shared.ok_or_else(unset)?;
            let limit = shared.max_body_bytes;
            let too_large = || {
                Refusal(Problem::new(ProblemKind::TooLarge, format!("a body may have at most {limit} bytes")))
            };
            // What announces itself as too large need not be read first.
            if announced.is_some_and(|length| length > limit) {
                return Err(too_large());
            }
            let payload =
                payload.await.map_err(|error| Problem::new(ProblemKind::Malformed, error.to_string()))?;
            let arriving = tokio::time::timeout(shared.request_timeout, payload.to_bytes_limited(limit));
            match arriving.await {
                Ok(Ok(Ok(bytes))) => Ok(Self(bytes, Admitted::extract(&request).await?)),
                Ok(Ok(Err(error))) => Err(Problem::new(ProblemKind::Malformed, error.to_string()).into()),
                Ok(Err(_)) => Err(too_large()),
                Err(_) => {
                    let detail = format!("the body took longer than {} s", shared.request_timeout.as_secs());
                    Err(Problem::new(ProblemKind::TimedOut, detail).into())
                }
            }
        }
        .boxed_local()
    }
}
