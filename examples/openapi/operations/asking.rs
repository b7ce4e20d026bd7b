//! Before a message.

use contact_governor::wire::problem::ProblemKind;
use serde_json::json;

use super::super::operation::{ASK, Described, Scope, post};
use super::super::shape::{boolean, lines_of, named, usually};
use super::super::shapes::{answers, question};

const LINES: &str = "application/x-ndjson";

pub fn all() -> Vec<Described> {
    vec![preflight(), batch(), explain(), claims()]
}

fn switch() -> super::super::shape::Shape {
    usually(boolean(), false)
}

fn preflight() -> Described {
    post("/v1/preflight", "preflight")
        .said(
            ASK,
            "May this customer be contacted?",
            "Answers `allow`, `defer`, `handoff` or `deny`, with reasons. An `allow` reserves: the contact counts from \
             that moment, so that no number of concurrent senders can pass a cap. With the ledger away the purpose's \
             `when_blind` decides, and the answer says `degraded`.",
        )
        .needs(Scope::Ask)
        .query("alternatives", "Also name the other channels that would be allowed now.", switch())
        .json("The question.", "Question", question::example())
        .answers_json("The decision, a refusal included.", "Answer", Some(answers::example()))
        .refuses(
            ProblemKind::ContactIdTaken,
            "The `contact_id` belongs to another question.",
            "a contact_id is unique within one customer; the same one with another question is refused",
        )
        .may_be_too_busy()
}

fn batch() -> Described {
    let asked = format!("{}\n", question::example());
    let answered = format!("{}\n", answers::example());
    post("/v1/preflight/batch", "preflightBatch")
        .said(
            ASK,
            "The same for many, streamed",
            "Questions a line in, answers a line out, in the order asked, as they come. One customer's lines are judged \
             in order. A bad line gets a problem in its place and stops nothing. There is no limit but a line's length.",
        )
        .needs(Scope::Ask)
        .query("alternatives", "Also name the other channels that would be allowed now.", switch())
        .query("dry_run", "Judge as if, and reserve nothing.", switch())
        .query("arbitrate", "Judge one customer's lines by their `priority`, the highest first.", switch())
        .body("One `BatchLine` a line.", LINES, lines_of(LINES, named("BatchLine")), Some(asked.into()))
        .bad_request()
        .refuses(
            ProblemKind::UnsupportedMediaType,
            "The body is of another media type.",
            "a batch is read as `application/x-ndjson`: one JSON object a line",
        )
        .answers(200, "One `BatchAnswer` a line.", LINES, lines_of(LINES, named("BatchAnswer")), Some(answered.into()))
        .may_be_too_busy()
}

fn explain() -> Described {
    post("/v1/explain", "explain")
        .said(
            ASK,
            "Why would it be so?",
            "The same decision, with everything that every rule saw and the smallest change that would allow it. Nothing \
             is reserved.",
        )
        .needs(Scope::Ask)
        .json("The question.", "Question", question::example())
        .answers_json("The decision, explained.", "Explanation", None)
        .refuses(
            ProblemKind::ContactIdTaken,
            "The `contact_id` belongs to another question.",
            "a contact_id is unique within one customer; the same one with another question is refused",
        )
        .needs_the_ledger()
}

fn claims() -> Described {
    let example = json!({"id": "greeting-7", "text": "We care about you. You are our most valued customer!", "language": "en"});
    post("/v1/claims", "readClaims")
        .said(ASK, "What does this text assert?", "Reads a text before anybody sends it. Nothing is kept.")
        .needs(Scope::Ask)
        .json("The text.", "TextToRead", example)
        .answers_json("What it asserts, and where.", "Reading", None)
        .may_be_too_busy()
}
