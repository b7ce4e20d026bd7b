//! What is asked: a question, its content, a line of a batch, a text whose claims are to be read.

use contact_governor::policy::compile::LONGEST_REGION;
use serde_json::{Value, json};

use super::super::shape::{
    Members, Shape, bounded_pattern, format, id, label, like, list, moment, named, number, one_of, text,
    usually, whole_within,
};

/// Letters and digits, in parts joined by hyphens: `US`, `US-FL`.
const REGION: &str = "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$";

pub fn example() -> Value {
    json!({
        "contact_id": "msg-8812", "customer": "c-1001", "channel": "email", "purpose": "marketing",
        "delivery": "template", "sender": "newsletter", "campaign": "autumn-wellness", "category": "wellness",
        "content": {
            "subject": "Autumn at our practice", "body": "Dear Ms Byron, our autumn hours begin on Monday.",
            "media_type": "text/plain", "language": "en", "addressee": "Ms Ada Byron",
        },
        "facts": {"purchases": 12}, "time_zone": "Europe/London",
    })
}

pub fn time_zone() -> Shape {
    like(format(format::TIME_ZONE), "America/New_York")
}

pub fn region() -> Shape {
    like(bounded_pattern(REGION, LONGEST_REGION), "US-FL")
}

fn members() -> Members {
    Members::of("May this customer be contacted, on this channel, with these words, then? Unknown members are a problem.")
        .must("customer", "An opaque id of yours. Never an e-mail address or telephone number.", like(id(), "c-1001"))
        .must("channel", "By which way.", named("Channel"))
        .must("purpose", "What for.", named("Purpose"))
        .must("delivery", "Who speaks.", named("Delivery"))
        .may(
            "contact_id",
            "Minted by the sender, unique within one customer. It makes the call idempotent: the same id and the \
             same question get the first `allow` again and count once. Left out, the governor mints one.",
            like(id(), "msg-8812"),
        )
        .may("sender", "The system that sends.", label())
        .may("campaign", "The campaign it belongs to; campaigns can be halted.", label())
        .may("category", "What kind of matter it is.", label())
        .may("brand", "In whose name.", label())
        .may("subject", "What it is about, as rules count it (not the subject line: that is in `content`).", label())
        .may(
            "send_at",
            "The moment of contact, for direct mail the day it arrives; now if left out. At most 5 minutes past and \
             90 days ahead. The decision is about that moment.",
            moment(),
        )
        .may("deadline", "Later than this the message is worthless: a wait beyond it is a `deny`. Not before `send_at`.", moment())
        .may("content", "What the message says.", named("Content"))
        .may(
            "audience",
            "Whom the message is for: a condition in CEL over `facts`, which the customer's facts must fulfil.",
            like(format(format::CEL), "years_since(facts.child_born) <= 3"),
        )
        .may("facts", "Facts known to the sender; they win over those kept, for this answer only.", named("Facts"))
        .may(
            "time_zone",
            "Where the customer may be. With several, hours must be open in all.",
            one_of([time_zone(), list(time_zone())]),
        )
        .may("regions", "Whose rules bind; `US` covers `US-FL`.", one_of([region(), list(region())]))
}

pub fn question() -> Shape {
    members().closed()
}

pub fn content() -> Shape {
    Members::of("What a message says, as far as rules look at it.")
        .may("subject", "The subject line.", text())
        .may("body", "The words themselves.", text())
        .may("media_type", "`text/plain` or `text/html`; guessed if left out.", label())
        .may("language", "`en`, `de` …; all known ones are tried if left out.", label())
        .may("addressee", "Whom it names, as in `Ms Ada Byron`.", label())
        .may("claims", "What the sender knows the words to assert.", list(named("Claim")))
        .closed()
}

pub fn batch_line() -> Shape {
    let said = "Which of one customer's lines goes first where `?arbitrate=true`; the highest does.";
    members().may("priority", said, usually(whole_within(i64::MIN, i64::MAX), 0)).closed()
}

pub fn text_to_read() -> Shape {
    Members::of("A message to be read before anybody sends it. Other members are passed over.")
        .must("text", "The words themselves.", like(text(), "We care about you."))
        .may("id", "Given back as it came.", one_of([text(), number()]))
        .may("subject", "The subject line.", text())
        .may("media_type", "`text/plain` or `text/html`; guessed if left out.", text())
        .may("language", "`en`, `de` …; all known ones are tried if left out.", text())
        .may("channel", "By which way it would go.", text())
        .open()
}
