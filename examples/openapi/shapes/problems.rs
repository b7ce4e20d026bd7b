//! What is answered where there is no answer, and what an operator asks.

use contact_governor::wire::problem::ProblemKind;
use serde_json::{Value, json};

use super::super::shape::{Members, Shape, boolean, every, named, or_null, text, whole_within, words};

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

pub fn policy() -> Shape {
    Members::of("The policy in force.")
        .must("version", "As it calls itself.", text())
        .must("hash", "A digest of it.", text())
        .must("extends", "The presets it begins with.", every(text()))
        .must("time_zone", "The company's.", text())
        .must("channels", "The channels it knows.", every(text()))
        .must("purposes", "The purposes it knows.", every(text()))
        .must("rules", "Every rule, in order.", every(named("PolicyRule")))
        .open()
}

pub fn policy_rule() -> Shape {
    Members::of("A rule.")
        .must("id", "Its id.", text())
        .must("kind", "Its kind.", words(["cap", "hold", "contact_hours", "requirement"]))
        .must("verdict", "What it says when it does not pass.", super::answers::rule_verdict())
        .must("mode", "Whether it binds.", words(["enforce", "shadow"]))
        .must("preset", "The preset it comes from.", or_null(text()))
        .must("sentence", "The rule as a sentence.", text())
        .must("because", "Why there is such a rule.", text())
        .open()
}

pub fn live() -> Shape {
    Members::of("The process answers.").must("live", "`true`.", boolean()).open()
}

pub fn ready() -> Shape {
    Members::of("The process can do its work.")
        .must("ready", "`true`.", boolean())
        .must("policy", "The hash of the policy in force.", text())
        .open()
}
