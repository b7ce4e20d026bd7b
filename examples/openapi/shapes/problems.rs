//! What is answered where there is no answer.

use contact_governor::wire::problem::ProblemKind;
use serde_json::{Value, json};

use super::super::shape::{Members, Shape, every, named, text, whole_within, words};

pub fn members(said: &str) -> Members {
    let kinds: Vec<String> = ProblemKind::ALL.into_iter().map(ProblemKind::urn).collect();
    Members::of(said)
        .must(
            "type",
            "What kind of problem; what programs should look at.",
            words(kinds.iter().map(String::as_str)),
        )
        .must("title", "What that means; always the same for one type.", text())
        .must("status", "The HTTP status.", whole_within(400, 599))
        .must("detail", "What is wrong this time.", text())
        .maybe("errors", "Where fields are to blame: every bad one.", every(named("FieldError")))
}

pub fn problem() -> Shape {
    members("A problem after RFC 9457: there is no answer, and this is why.")
        .maybe("instance", "In answer to which request: its `X-Request-Id`, as a URN.", text())
        .open()
}

pub fn field_error() -> Shape {
    Members::of("One bad field.")
        .must(
            "pointer",
            "A JSON pointer into what was sent; empty: the whole of it, or the path; `?limit`: the query.",
            text(),
        )
        .must("detail", "What is wrong with it and what would be right.", text())
        .open()
}

pub fn example(kind: ProblemKind, detail: &str) -> Value {
    json!({"type": kind.urn(), "title": kind.title(), "status": kind.status(), "detail": detail})
}
