//! The refusals that many operations share, each described once.

use contact_governor::wire::problem::ProblemKind;
use serde_json::{Value, json};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

use super::operation::content;
use super::shape::{self, Shape, text, whole_from};
use super::shapes::problems::example;

pub const PROBLEM: &str = "application/problem+json";

/// The refusal of that name.
pub fn named(name: &str) -> RefOr<Response> {
    RefOr::Ref(Ref::from_response_name(name))
}

pub fn problem(said: &str, example: Value) -> ResponseBuilder {
    ResponseBuilder::new().description(said).content(PROBLEM, content(shape::named("Problem"), Some(example)))
}

pub fn header(said: &str, shape: Shape) -> Header {
    HeaderBuilder::new().schema(Some(shape)).description(Some(said)).build()
}

fn retry_after() -> Header {
    header("In how many seconds to try again.", whole_from(0))
}

/// One that this program has a kind of problem for.
fn of_kind(kind: ProblemKind, said: &str, detail: &str) -> Response {
    problem(said, example(kind, detail)).build()
}

fn bad_request() -> Response {
    let detail = "`emial` is none of `email`, `sms`, `voice`, `mail`; did you mean `email`?";
    let mut example = example(ProblemKind::InvalidFields, &format!("/channel: {detail}"));
    if let Some(members) = example.as_object_mut() {
        members.insert("errors".to_owned(), json!([{"pointer": "/channel", "detail": detail}]));
    }
    problem("Something is not right: every bad field is named.", example).build()
}

fn unavailable(said: &str, kind: ProblemKind, detail: &str) -> Response {
    let example = example(kind, detail);
    problem(said, example).header("Retry-After", retry_after()).build()
}

/// Names and refusals, in the order of their status.
pub fn all() -> Vec<(&'static str, Response)> {
    let unauthorized = problem(
        "The key is missing, unknown or expired.",
        example(
            ProblemKind::Unauthenticated,
            "this takes a key that is known here, as `Authorization: Bearer cg_…`",
        ),
    )
    .header("WWW-Authenticate", header("How to show a key.", text()));
    let throttled = problem(
        "Too many requests by this caller. It never means a customer's cap.",
        example(
            ProblemKind::Throttled,
            "too many requests of one caller; call again in 1 s. No customer's cap is meant",
        ),
    )
    .header("Retry-After", retry_after())
    .header("RateLimit", header("What is left, and when more is; after the IETF draft.", text()))
    .header("RateLimit-Policy", header("How many requests are allowed in which time.", text()));
    vec![
        ("BadRequest", bad_request()),
        ("Unauthorized", unauthorized.build()),
        (
            "Forbidden",
            of_kind(
                ProblemKind::Forbidden,
                "The key is not for this.",
                "this takes a key with the scope `read`",
            ),
        ),
        (
            "TimedOut",
            of_kind(
                ProblemKind::TimedOut,
                "The body took too long to arrive.",
                "the body took longer than 10 s",
            ),
        ),
        (
            "TooLarge",
            of_kind(ProblemKind::TooLarge, "The body is too large.", "a body may have at most 1048576 bytes"),
        ),
        (
            "UnsupportedMediaType",
            of_kind(
                ProblemKind::UnsupportedMediaType,
                "The body is of another media type.",
                "a body is read as `application/json`, and must say so in `Content-Type`",
            ),
        ),
        ("TooManyRequests", throttled.build()),
        (
            "Unavailable",
            unavailable(
                "The ledger cannot be reached, or there is too much to do. It is safe to send the same again.",
                ProblemKind::LedgerUnavailable,
                "the ledger did not answer within 2000 ms",
            ),
        ),
        (
            "TooBusy",
            unavailable(
                "There is too much to do.",
                ProblemKind::Overloaded,
                "more is asked at the moment than can be answered in time; ask again a little later",
            ),
        ),
    ]
}
