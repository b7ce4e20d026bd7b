//! What is written of each decision and event: all that is judged by, and nothing else. A line here begins after
//! its `at`.

use serde_json::{Map, Value, json};

use crate::digest::Of;
use crate::domain::answer::Answer;
use crate::domain::event::EventKind;
use crate::domain::follow_up::FollowUp;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::words::Claim;
use crate::gate::put::{Put, SuppressionPut};
use crate::wire::{answered, put};

use super::ids::Ids;

/// An event's own members that are judged by, or tell it from others.
const EVENT_MEMBERS: [&str; 5] = ["type", "source", "time", "specversion", "data"];
/// Of what an event brings: what it is about, and for how long. Not who told it, through what, or why.
const DATA_MEMBERS: [&str; 12] = [
    "contact_id",
    "channel",
    "purpose",
    "delivery",
    "campaign",
    "category",
    "brand",
    "subject",
    "sender",
    "claims",
    "purposes",
    "expires_at",
];
const PENDING: &str = "pending";

/// `asked` as it was sent, without its texts, with the claims that were judged and the id that was answered.
#[must_use]
pub fn seen(mut asked: Value, question: &Question, ids: &Ids) -> Value {
    if let Some(members) = asked.as_object_mut() {
        members.insert("customer".to_owned(), ids.written(Of::Customer, &question.customer).into());
        members.insert("contact_id".to_owned(), ids.written(Of::Contact, &question.contact_id).into());
        if let Some(content) = members.get_mut("content").and_then(Value::as_object_mut) {
            leave_out_texts(content, question, ids);
        }
    }
    asked
}

/// An ask as it was seen, and its answer.
#[must_use]
pub fn ask(seen: &Value, answer: &Answer) -> String {
    let answered = serde_json::to_string(&answered::Body(answer)).unwrap_or_default();
    format!(",\"ask\":{seen},\"answered\":{answered}}}")
}

/// What the texts claim is written in their place, as if it had been declared: it is judged the same.
fn leave_out_texts(content: &mut Map<String, Value>, question: &Question, ids: &Ids) {
    for text in ["subject", "body"] {
        content.remove(text);
    }
    if let Some(addressee) = &question.content.addressee {
        content.insert("addressee".to_owned(), ids.written(Of::Addressee, addressee).into());
    }
    let claims: Vec<&str> = question.tags.claims.iter().map(Claim::name).collect();
    if !claims.is_empty() {
        content.insert("claims".to_owned(), json!(claims));
    }
}

#[must_use]
pub fn tell(event: &Value, ids: &Ids) -> String {
    let mut told = only(event, &EVENT_MEMBERS);
    for (member, of) in [("subject", Of::Customer), ("id", Of::Event)] {
        if let Some(id) = event.get(member).and_then(Value::as_str) {
            told.insert(member.to_owned(), ids.written(of, id).into());
        }
    }
    if let Some(data) = told.get_mut("data") {
        let mut about = only(data, &DATA_MEMBERS);
        about.extend(data.get(PENDING).map(|pending| (PENDING.to_owned(), pending.clone())));
        if let Some(id) = about.get_mut("contact_id")
            && let Some(written) = id.as_str().map(|id| ids.written(Of::Contact, id))
        {
            *id = written.into();
        }
        *data = about.into();
    }
    line("tell", &told.into())
}

fn only(value: &Value, members: &[&str]) -> Map<String, Value> {
    let kept = members.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    kept.collect()
}

/// That a person has replied, which doing a follow-up is.
#[must_use]
pub fn done(follow_up: &FollowUp, ids: &Ids) -> String {
    let id = format!("{:016x}", follow_up.id.0);
    let told = json!({
        "type": EventKind::HumanReplied.name(),
        "source": "contact-governor/follow-ups",
        "id": ids.written(Of::Event, &id),
        "subject": ids.written(Of::Customer, &follow_up.handle.customer),
        "data": {"channel": follow_up.tags.channel},
    });
    line("tell", &told)
}

#[must_use]
pub fn puts(customer: &str, put: &Put, ids: &Ids, now: Moment) -> Vec<String> {
    let customer = ids.written(Of::Customer, customer);
    let puts = put::bodies(&customer, put).into_iter().map(|put| line("put", &put));
    // What no put can say is said as the event that means the same.
    let lifted = put.suppressions.iter().filter_map(|put| match put {
        SuppressionPut::Lift { channel, purposes } if !purposes.is_empty() => {
            let told = json!({
                "type": EventKind::CustomerResubscribed.name(),
                "source": "contact-governor/suppressions",
                "id": format!("{now} {channel:?} {purposes:?}"),
                "subject": customer,
                "data": {"channel": channel, "purposes": purposes},
            });
            Some(line("tell", &told))
        }
        SuppressionPut::Lift { .. } | SuppressionPut::Suppress { .. } => None,
    });
    puts.chain(lifted).collect()
}

#[must_use]
pub fn halt(campaign: &str, on: bool) -> String {
    line("halt", &json!({"campaign": campaign, "on": on}))
}

/// That a customer was erased. In clear it would be one more line that names them, and one that stays longer than those
/// before it.
#[must_use]
pub fn erase(customer: &str, ids: &Ids) -> Option<String> {
    match ids {
        Ids::Clear => None,
        Ids::Digest { .. } => Some(line("erase", &json!({"customer": ids.written(Of::Customer, customer)}))),
    }
}

fn line(verb: &str, what: &Value) -> String {
    format!(",\"{verb}\":{what}}}")
}
