//! What is told: CloudEvents 1.0, one shape for the kinds that are told alike.

use contact_governor::domain::event::{EventKind, OWN_PREFIX};
use contact_governor::wire::event::NEAR_EXPIRES_AT;
use contact_governor::wire::fields::LONGEST_ID;
use contact_governor::wire::suppression::ALL;
use serde_json::{Value, json};

use super::super::shape::{
    Members, Shape, about, boolean, bounded_pattern, every, id, label, like, list, moment, named, null,
    one_of, some, words,
};
use super::super::vocabulary::{event_kinds, or_blank};

pub fn example() -> Value {
    json!({
        "specversion": "1.0", "id": "e-4711", "source": "service-desk", "type": "conversation.opened",
        "subject": "c-1001", "data": {"channel": "email"},
    })
}

/// A CloudEvent of these kinds, with this `data`; told without any where that may be.
fn event(said: &str, kinds: Shape, data: Shape, needs_data: bool) -> Shape {
    let members = Members::of(said)
        .must("specversion", "The version of CloudEvents.", words(["1.0"]))
        .must(
            "id",
            "With `source` it tells events apart: the same again is known, and counts once.",
            like(id(), "e-4711"),
        )
        .must("source", "Who tells.", like(id(), "service-desk"))
        .must("type", "What happened.", kinds)
        .must("subject", "The customer.", like(id(), "c-1001"))
        .may(
            "time",
            "When it happened, at most 5 minutes ahead; now if left out. Late ones are put in their place.",
            moment(),
        )
        .maybe("data_base64", "Not read here: put an object into `data`.", null());
    let said = "What else is known of it; members nobody described are passed over.";
    let members = if needs_data { members.must("data", said, data) } else { members.may("data", said, data) };
    members.open()
}

fn by_and_through(members: Members) -> Members {
    members.may("by", "Who noted it.", label()).may(
        "through",
        "Through what: a form, a call, an import.",
        label(),
    )
}

/// The contact's tags. With `contact_id` alone the event takes that contact's.
fn tags(said: &str) -> Members {
    tags_with(said, |members| {
        members.may("contact_id", "The contact it is about.", id()).may(
            "channel",
            "By which way.",
            or_blank(named("Channel")),
        )
    })
}

fn tags_with(said: &str, first: impl FnOnce(Members) -> Members) -> Members {
    first(Members::of(said))
        .may("purpose", "What for.", or_blank(named("Purpose")))
        .may("delivery", "Who spoke.", or_blank(named("Delivery")))
        .may("campaign", "The campaign.", label())
        .may("category", "What kind of matter.", label())
        .may("brand", "In whose name.", label())
        .may("subject", "What it was about.", label())
        .may("sender", "The system that sent it.", label())
        .may("claims", "What the words asserted.", list(named("Claim")))
}

fn without_what_is_near_expires_at(members: Members) -> Members {
    NEAR_EXPIRES_AT
        .into_iter()
        .fold(members, |members, near| members.maybe(near, "Misspelt; it is `expires_at`.", null()))
}

fn is_special(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::ContactSent
            | EventKind::ContactCancelled
            | EventKind::ContactFailed
            | EventKind::CustomerUnsubscribed
            | EventKind::CustomerResubscribed
            | EventKind::ConsentGranted
            | EventKind::ConsentWithdrawn
    )
}

pub fn sent() -> Shape {
    let of = |one: EventKind| event_kinds(move |kind| *kind == one);
    let known = tags_with("Of a contact with an id.", |members| {
        members.must("contact_id", "The contact it is about.", id()).may(
            "channel",
            "By which way, if not as it was asked.",
            or_blank(named("Channel")),
        )
    });
    let unknown = tags_with("Of a contact without an id; it is known by its event.", |members| {
        members.must("channel", "By which way.", named("Channel")).maybe(
            "contact_id",
            "There is none.",
            null(),
        )
    });
    let data = one_of([by_and_through(known).open(), by_and_through(unknown).open()]);
    let said = "A contact was sent. At another time or channel than was asked it moves the contact; told without having \
                been asked it becomes one, with the tags in `data`.";
    event(said, of(EventKind::ContactSent), data, true)
}

pub fn not_sent() -> Shape {
    let kinds = event_kinds(|kind| matches!(kind, EventKind::ContactCancelled | EventKind::ContactFailed));
    let data = tags_with("Which contact.", |members| {
        members.must("contact_id", "The contact it is about.", id()).may(
            "channel",
            "By which way.",
            or_blank(named("Channel")),
        )
    });
    event(
        "A contact was not made after all: its slot is given back.",
        kinds,
        by_and_through(data).open(),
        true,
    )
}

fn purposes_or_all(said: &str, members: Members) -> Members {
    members.may("purposes", said, one_of([words([ALL]), some(named("Purpose"))]))
}

pub fn unsubscribed() -> Shape {
    let data = tags("From what: without a channel, from all of them.");
    let said = "From these purposes only; `all`: from every purpose without exception. Left out: from every purpose the \
                policy does not exempt.";
    let data = purposes_or_all(said, data)
        .may("expires_at", "Until when.", moment())
        .may("reason", "Why.", label())
        .may("source", "Where it was said.", label());
    let data = without_what_is_near_expires_at(by_and_through(data)).open();
    let kinds = event_kinds(|kind| *kind == EventKind::CustomerUnsubscribed);
    event("The customer unsubscribed: suppressed at once.", kinds, data, false)
}

pub fn resubscribed() -> Shape {
    let data = tags("To what: without a channel, to everything.").may(
        "purposes",
        "To these purposes only.",
        some(named("Purpose")),
    );
    let kinds = event_kinds(|kind| *kind == EventKind::CustomerResubscribed);
    event("The customer took an unsubscription back.", kinds, by_and_through(data).open(), false)
}

fn evidence(members: Members) -> Members {
    members.may("evidence", "What proves it: the id of a form, a recording.", id()).may(
        "source",
        "Where it was said.",
        label(),
    )
}

pub fn consent_granted() -> Shape {
    let data = tags("To what: without a channel or purpose, to any.")
        .may("expires_at", "Until when.", moment())
        .may("pending", "Asked for, and not confirmed yet: no consent so far.", boolean());
    let data = without_what_is_near_expires_at(by_and_through(evidence(data))).open();
    let kinds = event_kinds(|kind| *kind == EventKind::ConsentGranted);
    event("The customer agreed.", kinds, data, false)
}

pub fn consent_withdrawn() -> Shape {
    let data = evidence(tags("From what: without a channel or purpose, from any."));
    let kinds = event_kinds(|kind| *kind == EventKind::ConsentWithdrawn);
    event("The customer no longer agrees.", kinds, by_and_through(data).open(), false)
}

pub fn other() -> Shape {
    let data = by_and_through(tags("What it was about."));
    event(
        "Something else happened with a contact, a customer or a conversation.",
        event_kinds(|kind| !is_special(kind)),
        data.open(),
        false,
    )
}

pub fn own() -> Shape {
    let named = bounded_pattern(
        &format!("^{}[^\\u0000-\\u001f\\u007f-\\u009f]+$", OWN_PREFIX.replace('.', "\\.")),
        LONGEST_ID,
    );
    let kinds = like(named, "x.visited");
    event(
        "Something of the operator's own; holds may be about it.",
        kinds,
        tags("Anything; the tags are read.").open(),
        false,
    )
}

pub const KINDS: [&str; 8] = [
    "ContactSent",
    "ContactNotSent",
    "CustomerUnsubscribed",
    "CustomerResubscribed",
    "ConsentGranted",
    "ConsentWithdrawn",
    "OtherEvent",
    "OwnEvent",
];

pub fn any() -> Shape {
    about(one_of(KINDS.map(named)), "A CloudEvent, version 1.0, as structured JSON.")
}

pub fn one_or_many() -> Shape {
    about(
        one_of([named("Event"), every(named("Event"))]),
        "One event, or a batch of them: all are stored, or none.",
    )
}
