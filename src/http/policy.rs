//! `GET /v1/policy`: the policy in force. `PUT /v1/policy`: another one.

use actix_web::http::header::{ACCEPT, ETAG, HeaderValue, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::audit::Acting;
use crate::policy::diff;
use crate::policy::warnings::warnings;
use crate::reload::{Put, PutPolicyError, ReloadError};
use crate::wire::policy;
use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::query::Query;

use super::Shared;
use super::answering::{Refusal, json};
use super::body::{AnyBody, media_type};
use super::channels::CalledBy;

/// What a policy is written in.
const TOML: &str = "application/toml";

pub async fn get(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let wants_text = request.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes() == TOML.as_bytes());
    if wants_text && let Some(source) = shared.reloader.source().await {
        let body = source.text.to_string();
        return tagged(HttpResponse::Ok().content_type(TOML).body(body), &source.policy.mark.hash);
    }
    let (policy, standing) = (shared.gate.policy(), shared.reloader.standing());
    let shadow = standing.shadow.as_ref();
    tagged(json(&policy::body(&policy, standing.since, shadow)), &policy.mark.hash)
}

/// With the hash that the next change must name.
fn tagged(mut response: HttpResponse, hash: &str) -> HttpResponse {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{hash}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

pub async fn put(
    shared: web::Data<Shared>,
    called: CalledBy,
    request: HttpRequest,
    body: AnyBody,
) -> Result<HttpResponse, Refusal> {
    let now = shared.clock.now();
    let mut query = Query::of(request.query_string());
    let for_show = query.switch("dry_run");
    query.finish()?;
    if media_type(&request) != TOML {
        let detail = format!("a policy is read as `{TOML}`");
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into());
    }
    let expected = expected(&request)?;
    let text = String::from_utf8(body.0.to_vec()).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::new(ProblemKind::PolicyRefused, format!("a policy is UTF-8; byte {at} is not"))
    })?;
    let acting = Acting::of(&called.caller);
    let put = shared.reloader.put(text, expected.as_deref(), for_show, &acting, now).await?;
    let Put { source, mut changes } = put;
    let mark = &source.policy.mark;
    if changes.is_empty() {
        changes.push(diff::NOTHING.to_owned());
    }
    let body = json!({
        "version": mark.version,
        "hash": mark.hash,
        "in_force": !for_show,
        "changes": changes,
        "warnings": warnings(&source.policy),
    });
    let in_force = if for_show { shared.gate.policy().mark.hash.clone() } else { mark.hash.clone() };
    Ok(tagged(json(&body), &in_force))
}

/// The hash in `If-Match`; `None`: `*`, any.
fn expected(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    let Some(tags) = request.headers().get(IF_MATCH) else {
        let detail = "say in `If-Match` which policy this one is to replace: the `ETag` of `GET /v1/policy`";
        return Err(Problem::new(ProblemKind::PreconditionRequired, detail).into());
    };
    let tag = tags.to_str().unwrap_or("").trim();
    if tag == "*" {
        return Ok(None);
    }
    let hash =
        tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|hash| !hash.contains('"'));
    hash.map(|hash| Some(hash.to_owned())).ok_or_else(|| {
        let detail = "`If-Match` is read as one tag in quotes, the `ETag` of `GET /v1/policy`, or `*`";
        Problem::new(ProblemKind::PreconditionRequired, detail).into()
    })
}

impl From<PutPolicyError> for Refusal {
    fn from(error: PutPolicyError) -> Self {
        let kind = match &error {
            PutPolicyError::Refused(ReloadError::Mistakes(mistakes)) => {
                return Self(Problem::policy(mistakes));
            }
            PutPolicyError::Refused(ReloadError::Untold(_)) => ProblemKind::AuditUnavailable,
            PutPolicyError::Refused(ReloadError::Unreadable(_)) | PutPolicyError::Unwritable(_) => {
                tracing::error!(%error, "a policy that was sent is not in force");
                ProblemKind::PolicyUnwritable
            }
            PutPolicyError::Changed(_) | PutPolicyError::FileChanged => ProblemKind::PolicyChanged,
            PutPolicyError::NoFile => ProblemKind::NoPolicyFile,
        };
        Self(Problem::new(kind, error.to_string()))
    }
}
