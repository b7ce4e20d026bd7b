//! `GET /docs`: a page to read the document of this interface and to try it. It loads nothing from anywhere but this
//! instance.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::ContentType;
use actix_web::middleware::DefaultHeaders;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::access::Access;
use super::routes::{self, at};

const STYLE: &str = include_str!("../../templates/docs/style.css");
const SCRIPT: &str = include_str!("../../templates/docs/script.js");

/// Only the page's own style and script, known by their digests, are applied, and only this instance is spoken to.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let of = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        of(STYLE),
        of(SCRIPT)
    )
});

#[derive(Template)]
#[template(path = "docs/page.html")]
struct Page {
    style: &'static str,
    script: &'static str,
}

pub(super) fn resource(path: &'static str) -> impl HttpServiceFactory + 'static {
    let headers = DefaultHeaders::new()
        .add(("content-security-policy", CONTENT_SECURITY_POLICY.as_str()))
        .add(("referrer-policy", "no-referrer"))
        .add(("x-content-type-options", "nosniff"));
    at(path, [routes::get(Access::Open, get)]).resource().wrap(headers)
}

async fn get() -> HttpResponse {
    match (Page { style: STYLE, script: SCRIPT }).render() {
        Ok(page) => HttpResponse::Ok().content_type(ContentType::html()).body(page),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
