//! What is kept of a customer, and told of them.
//!
//! Channels and purposes of the past are whatever the policy of then called them.

use contact_governor::domain::consent::ConsentState;
use contact_governor::domain::timeline::Outcome;
use contact_governor::wire::suppression::ALL;
use serde_json::{Value, json};

use super::super::shape::{
    Members, Shape, about, any, boolean, every, id, label, like, map, moment, named, one_of, or_null,
    spoken_label, text, whole_from, words,
};
use super::super::vocabulary::delivery;

pub fn example() -> Value {
    json!({
        "customer": "c-1001",
        "wishes": {"at_most": [{"limit": 1, "window": "rolling 7d"}]},
        "wishes_set": {"at": "2026-11-16T12:00:00Z", "by": "ravi", "through": "telephone"},
        "suppressions": {"channels": {"sms": {"since": "2026-11-02T09:00:00Z"}}, "all": false, "list": [
            {"channel": "sms", "since": "2026-11-02T09:00:00Z", "reason": "asked on the telephone"},
        ]},
        "facts": {"purchases": {"value": 12, "as_of": "2026-10-01T00:00:00Z"}},
        "consents": [], "contacts": 3, "events": 1, "holds": [],
        "budgets": [{"rule": "three-a-week", "limit": 3, "used": 3, "next_free": "2026-11-24T14:00:00Z",
                     "channels": ["email"], "purposes": ["marketing"]}],
        "next_welcome": {"email": {"marketing": "2026-11-24T14:00:00Z"}, "sms": {"marketing": null}},
        "follow_ups": [],
    })
}

pub fn customer() -> Shape {
    Members::of(
        "What is known of a customer and what they may expect. One nobody has told of has an empty record.",
    )
    .must("customer", "As asked.", text())
    .must("wishes", "What the customer wishes.", named("Wishes"))
    .known("wishes_set", "Who set that.", named("Provenance"))
    .must("suppressions", "How their unsubscriptions stand.", named("StandingSuppressions"))
    .must("facts", "What is known.", map(named("KeptFact")))
    .must("consents", "How consent stands, for each channel and purpose.", every(named("Consent")))
    .must("contacts", "So many contacts are kept.", whole_from(0))
    .must("events", "So many events are kept.", whole_from(0))
    .maybe("erased_at", "When all that was before was erased.", moment())
    .must("holds", "The rules that hold something back now.", every(named("HoldInForce")))
    .must("budgets", "Where every cap stands.", every(named("BudgetOf")))
    .must(
        "next_welcome",
        "By channel and purpose: when a plain message would first be allowed; `null`: never.",
        map(map(or_null(moment()))),
    )
    .must("follow_ups", "What a person owes them.", every(named("FollowUp")))
    .open()
}

pub fn provenance() -> Shape {
    Members::of("Who set something.")
        .must("at", "When.", moment())
        .known("by", "Who.", text())
        .known("through", "Through what.", text())
        .open()
}

pub fn standing_suppressions() -> Shape {
    let one = Members::of("A channel on which nothing may be sent.")
        .must("since", "Since when.", moment())
        .maybe("purposes", "It binds every purpose, without exception.", words([ALL]));
    Members::of("Unsubscriptions.")
        .must(
            "channels",
            "Each channel that is suppressed for every purpose the policy does not exempt.",
            map(one.open()),
        )
        .must(ALL, "Whether every channel is.", boolean())
        .must("list", "Each one, with what accounts for it.", every(named("Suppression")))
        .open()
}

pub fn suppression() -> Shape {
    Members::of("One unsubscription.")
        .must("channel", "A channel, or `all`.", text())
        .maybe("purposes", "For these only; `all`: for every purpose without exception.", said_purposes())
        .must("since", "Since when.", moment())
        .maybe("expires_at", "Until when.", moment())
        .maybe("reason", "Why.", text())
        .maybe("source", "Where it was said.", text())
        .open()
}

fn said_purposes() -> Shape {
    one_of([words([ALL]), every(text())])
}

pub fn kept_fact() -> Shape {
    Members::of("A fact.")
        .must("value", "What is so.", any())
        .known("as_of", "Since when that is known.", moment())
        .open()
}

pub fn consent() -> Shape {
    Members::of("A word on consent.")
        .known("channel", "To be contacted this way; `null`: any.", text())
        .known("purpose", "For this; `null`: anything.", text())
        .must("granted", "Whether it is consent now.", boolean())
        .must("state", "How it stands.", words(ConsentState::ALL.map(ConsentState::name)))
        .must("since", "When it was said.", moment())
        .known("expires_at", "When it ends.", moment())
        .known("evidence", "What proves it.", text())
        .known("source", "Where it was said.", text())
        .open()
}

fn about_what(members: Members) -> Members {
    members.must("channels", "On these channels.", every(text())).must(
        "purposes",
        "For these purposes.",
        every(text()),
    )
}

fn shadow(members: Members) -> Shape {
    members.maybe("mode", "A shadow rule binds nobody.", words(["shadow"])).open()
}

pub fn hold_in_force() -> Shape {
    let hold = Members::of("A rule that holds something back now.")
        .must("rule", "Its id.", text())
        .must("because", "Why.", text())
        .must("since", "Since when.", moment())
        .known("until", "Until when; `null`: without an end.", moment());
    shadow(about_what(hold))
}

pub fn budget_of() -> Shape {
    let budget = Members::of("Where a cap stands for some channels and purposes.")
        .must("rule", "Its id.", text())
        .must("limit", "So many are allowed.", whole_from(0))
        .must("used", "So many are used.", whole_from(0))
        .maybe("next_free", "When the next would pass; left out where it would now, or never.", moment());
    shadow(about_what(budget))
}

pub fn erased() -> Shape {
    Members::of("That a customer was erased, and what is kept of their wish to be left alone.")
        .must("erased_at", "When.", moment())
        .must("suppressions", "What survives, under a keyed hash.", every(named("Suppression")))
        .open()
}

/// The contact's tags, as far as they are known.
fn tags(members: Members) -> Members {
    members
        .maybe("channel", "By which way.", text())
        .maybe("purpose", "What for.", text())
        .maybe("delivery", "Who spoke.", delivery())
        .maybe("campaign", "The campaign.", text())
        .maybe("category", "What kind of matter.", text())
        .maybe("brand", "In whose name.", text())
        .maybe("subject", "What it was about.", text())
        .maybe("sender", "The system that sent it.", text())
}

fn claims(members: Members) -> Members {
    members.maybe("claims", "What the words asserted.", every(named("Claim")))
}

fn account(members: Members) -> Members {
    members
        .maybe("by", "Who noted it.", text())
        .maybe("through", "Through what.", text())
        .maybe("reason", "Why.", text())
        .maybe("source", "Where it was said.", text())
        .maybe("evidence", "What proves it.", text())
        .maybe("text", "In words.", text())
}

pub fn timeline() -> Shape {
    Members::of("A page of what happened with one customer, newest first.")
        .must("customer", "As asked.", text())
        .must("timeline", "What happened.", every(named("Happening")))
        .known("next", "What `before` must be for the next page; `null`: this is the last.", text())
        .open()
}

pub const HAPPENINGS: [&str; 4] = ["ContactHappened", "EventHappened", "RefusalHappened", "WaitHappened"];

pub fn happening() -> Shape {
    about(one_of(HAPPENINGS.map(named)), "One thing on a timeline.")
}

fn happened(said: &str, kind: &str) -> Members {
    Members::of(said).must("at", "When.", moment()).must("kind", "What kind of thing.", words([kind]))
}

pub fn contact_happened() -> Shape {
    let contact = happened("A contact, and what became of it.", "contact")
        .must("contact_id", "Its id.", text())
        .must("outcome", "What became of it.", words(Outcome::ALL.map(Outcome::name)));
    tags(contact).open()
}

pub fn event_happened() -> Shape {
    let event = happened("An event, or a word on consent.", "event")
        .must("type", "What it was.", text())
        .maybe("contact_id", "The contact it is about.", text())
        .maybe("purposes", "What an unsubscription reaches.", said_purposes())
        .maybe("expires_at", "Until when.", moment())
        .maybe("pending", "Consent that is not confirmed yet.", boolean());
    account(tags(event)).open()
}

fn refused(members: Members) -> Members {
    let reason = Members::of("A rule, and its words of then.").must("rule", "Its id.", text()).must(
        "because",
        "Why.",
        text(),
    );
    let members = members
        .must("verdict", "What was answered.", words(["defer", "handoff", "deny"]))
        .must("reasons", "Why.", every(reason.open()))
        .maybe("not_before", "What was answered with it.", moment())
        .must("times", "So many times it was asked.", whole_from(1))
        .must("first_at", "When first.", moment());
    claims(tags(members))
}

pub fn refusal_happened() -> Shape {
    refused(happened("Something that was not allowed.", "refusal")).open()
}

pub fn wait_happened() -> Shape {
    happened("The customer waited for a person.", "wait")
        .must("since", "From when.", moment())
        .maybe("until", "To when; left out where they still wait.", moment())
        .must("after", "What they did.", text())
        .maybe("channel", "By which way.", text())
        .must("waited", "How long, in words.", text())
        .must("over", "Whether somebody has answered.", boolean())
        .open()
}

pub fn export() -> Shape {
    let waiting = Members::of("Told of a contact nobody has asked for yet.")
        .must("contact_id", "Its id.", text())
        .must("standing", "What was told.", standing())
        .must("time", "When.", moment());
    let tally =
        Members::of("Contacts no longer kept one by one.").must("contacts", "So many.", whole_from(0));
    let lift = Members::of("An unsubscription that was taken back.")
        .must("channel", "A channel, or `all`.", text())
        .maybe("purpose", "For this purpose only.", text())
        .must("at", "When.", moment());
    Members::of("Everything held about one customer, nothing left out and nothing derived.")
        .must("customer", "As asked.", text())
        .must("exported_at", "When this was written.", moment())
        .must("contacts", "Contacts.", every(named("KeptContact")))
        .must("events", "Events.", every(named("KeptEvent")))
        .must(
            "told_of_unknown_contacts",
            "What was told of contacts that nobody asked for.",
            every(waiting.open()),
        )
        .must("contacts_no_longer_kept", "How many there were before.", every(claims(tags(tally)).open()))
        .must("refusals", "What was not allowed.", every(named("KeptRefusal")))
        .must("consents", "Every word on consent.", every(named("Consent")))
        .must("facts", "Facts.", map(named("KeptFact")))
        .must("wishes", "Wishes.", named("Wishes"))
        .known("wishes_set", "Who set them.", named("Provenance"))
        .must("suppressions", "Unsubscriptions.", every(named("Suppression")))
        .must("suppressions_taken_back", "Those that were taken back.", every(lift.open()))
        .open()
}

fn standing() -> Shape {
    words(["reserved", "sent", "cancelled", "failed"])
}

pub fn kept_contact() -> Shape {
    let contact = Members::of("A contact as it is kept.")
        .must("contact_id", "Its id.", text())
        .must("at", "Its moment.", moment())
        .must("reserved_at", "When it was allowed.", moment())
        .must("standing", "What was last told of it.", standing())
        .maybe("told_at", "When that was.", moment())
        .must("asked", "Whether it was asked for.", boolean());
    claims(tags(contact)).open()
}

pub fn kept_event() -> Shape {
    let event = Members::of("An event as it is kept.")
        .must("type", "What happened.", text())
        .must("time", "When.", moment())
        .maybe("contact_id", "The contact it is about.", text())
        .maybe("purposes", "What an unsubscription reaches.", said_purposes())
        .maybe("expires_at", "Until when.", moment())
        .maybe("pending", "Consent that is not confirmed yet.", boolean());
    account(claims(tags(event))).open()
}

pub fn kept_refusal() -> Shape {
    refused(Members::of("What was not allowed.").must("at", "When it was last asked.", moment())).open()
}

pub fn follow_up() -> Shape {
    let claimed = Members::of("Who has it.").must("by", "Who.", text()).must("at", "Since when.", moment());
    Members::of("A person's task that the governor opened.")
        .must("id", "What to claim and do it by; it does not show whose it is.", text())
        .must("customer", "Whose.", text())
        .must("kind", "What it is, as the policy calls it.", text())
        .must("opened_at", "When it was opened.", moment())
        .must("due_at", "When it should be done.", moment())
        .must("overdue", "Whether that is past.", boolean())
        .known("escalated_at", "When somebody was told that it is overdue.", moment())
        .known("channel", "By which way the customer came.", text())
        .known("purpose", "What the message was for.", text())
        .known("campaign", "The campaign.", text())
        .known("contact_id", "The contact it is about.", text())
        .known("claimed", "Who has it; `null`: nobody.", claimed.open())
        .open()
}

pub fn follow_up_example() -> Value {
    json!({
        "id": "3q2-7w", "customer": "c-1001", "kind": "complaint", "opened_at": "2026-11-16T12:00:00Z",
        "due_at": "2026-11-17T12:00:00Z", "overdue": false, "escalated_at": null, "channel": "email",
        "purpose": null, "campaign": null, "contact_id": null,
        "claimed": {"by": "ravi", "at": "2026-11-16T13:30:00Z"},
    })
}

pub fn follow_ups() -> Shape {
    Members::of("Open follow-ups, those due first in front.")
        .must("follow_ups", "The tasks.", every(named("FollowUp")))
        .open()
}

pub fn opened_follow_up() -> Shape {
    Members::of("A task for a person.")
        .must("id", "Under `/v1/follow-ups`.", id())
        .must("kind", "What it is.", text())
        .must("due_at", "When it should be done.", moment())
        .open()
}

/// What closes a follow-up, and who takes one.
pub fn done() -> Shape {
    Members::of("What was done.")
        .must("what", "In a few words.", like(spoken_label(), "called back"))
        .may("by", "Who did it.", label())
        .closed()
}

pub fn claim_of_follow_up() -> Shape {
    Members::of("Who takes it.")
        .must("by", "A name of yours; the same may claim again.", like(spoken_label(), "ravi"))
        .closed()
}
