//! What is set about a customer.

use contact_governor::wire::suppression::ALL;
use serde_json::{Value, json};
use utoipa::openapi::schema::Type;

use super::super::shape::{
    Members, Shape, about, format, label, like, list, map_named, moment, named, one_of, or, pattern, some,
    whole_within, words,
};

/// A day of the week, or a range of them.
const DAYS: &str = "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$";

pub fn wishes_example() -> Value {
    json!({
        "at_most": [{"limit": 1, "window": "rolling 7d", "channels": ["email"]}],
        "channels": ["email", "mail"], "hours": {"mon-fri": ["18:00-20:00"]}, "by": "ravi",
        "through": "telephone",
    })
}

/// Opening hours as they are written.
pub fn hours() -> Shape {
    let range = like(format(format::OPEN_RANGE), "18:00-20:00");
    let said =
        "Hours on the customer's own clock, by `mon` or `mon-fri`, no day twice; days left out are closed.";
    about(map_named(pattern(DAYS), list(range), 7), said)
}

pub fn limit() -> Shape {
    Members::of("How often the customer wants to be contacted.")
        .must("limit", "At most so many …", whole_within(0, i64::from(u32::MAX)))
        .must("window", "… within this window.", like(format(format::WINDOW), "rolling 7d"))
        .may("channels", "On these channels together; on all if left out.", list(named("Channel")))
        .closed()
}

/// The wishes themselves, as they are set and as they stand.
fn members() -> Members {
    Members::of("What the customer wishes; it binds wherever it is stricter than the policy.")
        .may("at_most", "How often.", list(named("WishedLimit")))
        .may("channels", "On which channels only; any other is a `deny`.", list(named("Channel")))
        .may("hours", "At which hours only.", named("Hours"))
        .may("pause_until", "Not before.", moment())
}

fn by_and_through(members: Members) -> Members {
    members.may("by", "Who sets it.", label()).may(
        "through",
        "Through what: a form, a call, an import.",
        label(),
    )
}

pub fn wishes_to_set() -> Shape {
    by_and_through(members()).closed()
}

pub fn wishes() -> Shape {
    members().open()
}

pub fn suppression_to_set() -> Shape {
    let said = Members::of("What it reaches, and what accounts for it.")
        .may(
            "purposes",
            "For these purposes only; `all`: for every purpose without exception. Left out: for every purpose the policy \
             does not exempt.",
            one_of([words([ALL]), some(named("Purpose"))]),
        )
        .may("expires_at", "Until when.", moment())
        .may("reason", "Why.", label())
        .may("source", "Where it was said.", label());
    let said_what = "Nothing at all, or what it reaches; `false` takes it back.";
    about(or(by_and_through(said).closed(), [Type::Boolean, Type::Null]), said_what)
}
