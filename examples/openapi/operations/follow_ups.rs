//! What a person owes a customer.

use contact_governor::wire::follow_up::{LARGEST_PAGE, USUAL_PAGE};
use contact_governor::wire::problem::ProblemKind;
use serde_json::json;

use super::super::operation::{Described, FOLLOW_UPS, Scope, get, in_path, post};
use super::super::shape::{like, spoken_text, usually, whole_within};
use super::super::shapes::customers;

pub fn all() -> Vec<Described> {
    vec![list(), one(), claim(), done()]
}

fn list() -> Described {
    let limit = usually(whole_within(1, LARGEST_PAGE as i64), USUAL_PAGE);
    get("/v1/follow-ups", "followUps")
        .said(FOLLOW_UPS, "Open follow-ups", "Those due first in front.")
        .needs(Scope::Read)
        .query("limit", "At most so many.", limit)
        .answers_json(
            "The tasks.",
            "FollowUps",
            Some(json!({"follow_ups": [customers::follow_up_example()]})),
        )
        .bad_request()
        .needs_the_ledger()
}

fn of_follow_up(described: Described) -> Described {
    described
        .parameter(in_path("id", "The follow-up's id, as it was listed.", like(spoken_text(), "3q2-7w")))
        .refuses(ProblemKind::NotFound, "No open follow-up has that id.", "no open follow-up has this id")
        .bad_request()
        .needs_the_ledger()
}

fn one() -> Described {
    of_follow_up(get("/v1/follow-ups/{id}", "followUp"))
        .said(FOLLOW_UPS, "One open follow-up", "As it stands.")
        .needs(Scope::Read)
        .answers_json("The task.", "FollowUp", Some(customers::follow_up_example()))
}

fn taken() -> (ProblemKind, &'static str, &'static str) {
    (ProblemKind::AlreadyClaimed, "Somebody else has it.", "`ravi` claimed it at 2026-11-16T12:00:00Z")
}

fn claim() -> Described {
    let (kind, said, detail) = taken();
    of_follow_up(post("/v1/follow-ups/{id}/claim", "claimFollowUp"))
        .said(FOLLOW_UPS, "Take it on", "So that nobody else does the same.")
        .needs(Scope::Tell)
        .json("Who.", "ClaimOfFollowUp", json!({"by": "ravi"}))
        .answers_json("The task as it stands now.", "FollowUp", Some(customers::follow_up_example()))
        .refuses(kind, said, detail)
}

fn done() -> Described {
    let (kind, said, detail) = taken();
    of_follow_up(post("/v1/follow-ups/{id}/done", "followUpDone"))
        .said(FOLLOW_UPS, "Say that it is done", "A person has done it, and it is closed.")
        .needs(Scope::Tell)
        .json("What was done.", "Done", json!({"what": "called back", "by": "ravi"}))
        .answers_nothing(204, "It is closed.")
        .refuses(kind, said, detail)
}
