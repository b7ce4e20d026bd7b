//! One customer.

use contact_governor::wire::problem::ProblemKind;
use contact_governor::wire::suppression::ALL;
use contact_governor::wire::timeline::{LARGEST_PAGE, USUAL_PAGE};
use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;

use super::super::operation::{CUSTOMERS, Described, JSON, Scope, delete, get, in_path, put};
use super::super::shape::{id, like, named, one_of, pattern, text, usually, whole_within, words};
use super::super::shapes::{customers, puts};
use super::super::vocabulary::timeline_kind;

pub fn all() -> Vec<Described> {
    vec![one(), erase(), timeline(), export(), wishes(), facts(), suppress(), resume()]
}

/// Of one customer.
fn of_customer(described: Described) -> Described {
    let said = "The customer, an id of yours.";
    described
        .parameter(in_path("customer", said, like(id(), "c-1001")))
        .bad_request()
        .refuses(ProblemKind::NotFound, "No customer is named.", "no such path")
        .needs_the_ledger()
}

fn one() -> Described {
    of_customer(get("/v1/customers/{customer}", "customer"))
        .said(
            CUSTOMERS,
            "What holds for a customer now",
            "Wishes, unsubscriptions, holds in force, budgets, facts, consents, follow-ups, and when each channel is next \
             welcome. A customer nobody has told of is not missing: the record is empty.",
        )
        .needs(Scope::Read)
        .answers_json("The customer.", "Customer", Some(customers::example()))
}

fn erase() -> Described {
    let example = json!({"erased_at": "2026-11-16T12:00:00Z", "suppressions": [
        {"channel": "sms", "since": "2026-11-02T09:00:00Z"},
    ]});
    of_customer(delete("/v1/customers/{customer}", "eraseCustomer"))
        .said(
            CUSTOMERS,
            "Erase a customer",
            "Everything held is erased; who had unsubscribed stays so, under a keyed hash. What is asked and told later \
             begins a new record.",
        )
        .needs(Scope::Admin)
        .answers_json("Done.", "Erased", Some(example))
}

fn timeline() -> Described {
    let example = json!({"customer": "c-1001", "timeline": [
        {"at": "2026-11-19T15:00:00Z", "kind": "contact", "contact_id": "m-3", "outcome": "delivered",
         "channel": "email", "purpose": "marketing", "delivery": "template"},
    ], "next": null});
    let sentences = "What happened with c-1001, newest first. Times are those of Europe/London.\n";
    let page = ResponseBuilder::new()
        .description("A page of it.")
        .content(JSON, ContentBuilder::new().schema(Some(named("Timeline"))).example(Some(example)).build())
        .content(
            "text/plain",
            ContentBuilder::new().schema(Some(text())).example(Some(sentences.into())).build(),
        );
    let limit = whole_within(1, LARGEST_PAGE as i64);
    of_customer(get("/v1/customers/{customer}/timeline", "timeline"))
        .said(
            CUSTOMERS,
            "What happened with a customer",
            "Contacts, events, refusals and waits as that customer lived them, newest first, in pages.",
        )
        .needs(Scope::Read)
        .query("channel", "Only what went this way.", named("Channel"))
        .query("kind", "Only things of this kind.", timeline_kind())
        .query("limit", "So many on a page.", usually(limit, USUAL_PAGE))
        .query(
            "before",
            "What the page before gave as `next`.",
            like(pattern("^-?[0-9]{1,18}\\.[0-9]{1,18}$"), "1795100400000.1"),
        )
        .query("as", "`text`: in sentences.", usually(words(["json", "text"]), "json"))
        .respond(200, page.build())
}

fn export() -> Described {
    of_customer(get("/v1/customers/{customer}/export", "exportCustomer"))
        .said(
            CUSTOMERS,
            "Everything held about a customer",
            "For a data-subject request: nothing left out, nothing derived.",
        )
        .needs(Scope::Read)
        .answers_json("Everything.", "Export", None)
}

fn wishes() -> Described {
    of_customer(put("/v1/customers/{customer}/wishes", "setWishes"))
        .said(
            CUSTOMERS,
            "Set what a customer wishes",
            "In place of all wishes before. They bind wherever they are stricter than the policy.",
        )
        .needs(Scope::Tell)
        .json("The wishes.", "WishesToSet", puts::wishes_example())
        .answers_nothing(204, "They are in force.")
}

fn facts() -> Described {
    let example = json!({"purchases": {"value": 12, "as_of": "2026-10-01T00:00:00Z"}, "time_zone": "Europe/London", "nickname": null});
    of_customer(put("/v1/customers/{customer}/facts", "setFacts"))
        .said(CUSTOMERS, "Set facts about a customer", "Merged by name with those kept; `null` forgets one.")
        .needs(Scope::Tell)
        .json("The facts.", "Facts", example)
        .answers_nothing(204, "They are kept.")
}

fn of_channel(described: Described) -> Described {
    let channel = one_of([named("Channel"), words([ALL])]);
    of_customer(described).parameter(in_path("channel", "A channel, or `all`.", channel))
}

fn suppress() -> Described {
    let example = json!({"reason": "asked on the telephone", "by": "ravi", "through": "telephone"});
    of_channel(put("/v1/customers/{customer}/suppressions/{channel}", "suppress"))
        .said(CUSTOMERS, "Note that a customer unsubscribed", "Binds at once, before any other rule.")
        .optional_body(
            "What it reaches; nothing at all: every purpose the policy does not exempt.",
            JSON,
            named("SuppressionToSet"),
            Some(example),
        )
        .takes_json()
        .needs(Scope::Tell)
        .answers_nothing(204, "It is so.")
}

fn resume() -> Described {
    of_channel(delete("/v1/customers/{customer}/suppressions/{channel}", "unsuppress"))
        .said(CUSTOMERS, "Take an unsubscription back", "For every purpose, or one.")
        .query("purpose", "For this purpose only.", named("Purpose"))
        .needs(Scope::Admin)
        .answers_nothing(204, "It is so.")
}
