//! Everything held about one customer, as JSON: the answer to a data-subject request.

use serde_json::{Map, Value, json};

use crate::domain::account::Account;
use crate::domain::contact::{Contact, Standing};
use crate::domain::event::Event;
use crate::domain::moment::Moment;
use crate::domain::record::{Record, Tally, Waiting};
use crate::domain::refusal::Refusal;
use crate::domain::suppression::Lift;
use crate::domain::words::{Claim, Delivery, Tags};

use super::{customer, suppression};

/// The whole record, nothing left out and nothing derived.
#[must_use]
pub fn body(customer: &str, record: &Record, refusals: &[Refusal], now: Moment) -> Value {
    json!({
        "customer": customer,
        "exported_at": now.to_string(),
        "contacts": record.contacts().iter().map(contact).collect::<Vec<_>>(),
        "events": record.events().iter().map(event).collect::<Vec<_>>(),
        "told_of_unknown_contacts": record.waiting.iter().map(waiting).collect::<Vec<_>>(),
        "contacts_no_longer_kept": record.tallies.iter().map(tally).collect::<Vec<_>>(),
        "refusals": refusals.iter().map(refusal).collect::<Vec<_>>(),
        "consents": record.consents.all().iter().map(|one| customer::consent(one, now)).collect::<Vec<_>>(),
        "facts": customer::facts(record),
        "wishes": customer::wishes(&record.wishes),
        "wishes_set": record.wishes_set.as_ref().map(customer::provenance),
        "suppressions": record.suppressions.all().iter().map(suppression::one).collect::<Vec<_>>(),
        "suppressions_taken_back": record.suppressions.lifts().iter().map(lift).collect::<Vec<_>>(),
    })
}

fn moment(moment: Option<Moment>) -> Value {
    moment.map_or(Value::Null, |moment| moment.to_string().into())
}

/// An object of what is there: members that are `null` are left out.
fn object<const N: usize>(members: [(&str, Value); N], tags: Option<&Tags>) -> Value {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let mut object: Map<String, Value> = members.map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(tags) = tags {
        object.extend(self::tags(tags));
    }
    Value::Object(object)
}

fn tags(tags: &Tags) -> Map<String, Value> {
    let texts = [
        ("channel", &tags.channel),
        ("purpose", &tags.purpose),
        ("campaign", &tags.campaign),
        ("category", &tags.category),
        ("brand", &tags.brand),
        ("subject", &tags.subject),
        ("sender", &tags.sender),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
    let delivery = tags.delivery.map(|delivery| ("delivery".to_owned(), json!(Delivery::name(delivery))));
    let claims: Vec<_> = tags.claims.iter().map(Claim::name).collect();
    let claims = (!claims.is_empty()).then(|| ("claims".to_owned(), json!(claims)));
    texts.chain(delivery).chain(claims).collect()
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Reserved => "reserved",
        Standing::Sent => "sent",
        Standing::Cancelled => "cancelled",
        Standing::Failed => "failed",
    }
}

fn contact(contact: &Contact) -> Value {
    let members = [
        ("contact_id", json!(contact.id)),
        ("at", moment(Some(contact.at))),
        ("reserved_at", moment(Some(contact.reserved_at))),
        ("standing", standing(contact.standing).into()),
        ("told_at", moment(contact.told_at)),
        ("asked", contact.question.is_some().into()),
    ];
    object(members, Some(&contact.tags))
}

fn event(event: &Event) -> Value {
    let members = [
        ("type", event.kind.name().into()),
        ("time", moment(Some(event.time))),
        ("contact_id", json!(event.contact_id)),
        ("purposes", purposes(event)),
        ("expires_at", moment(event.expires_at)),
        ("pending", if event.pending { true.into() } else { Value::Null }),
    ];
    let mut body = object(members, Some(&event.tags));
    if let Some(body) = body.as_object_mut() {
        body.extend(account(event));
    }
    body
}

/// What an unsubscription reaches, where that was said.
pub(super) fn purposes(event: &Event) -> Value {
    match (event.every_purpose, event.purposes.as_slice()) {
        (true, _) => suppression::ALL.into(),
        (false, []) => Value::Null,
        (false, purposes) => json!(purposes),
    }
}

/// What accounts for an event, as far as that was said.
pub(super) fn account(event: &Event) -> Map<String, Value> {
    let Account { by, through, reason, source, evidence, text } = event.accounted();
    let members = [
        ("by", by),
        ("through", through),
        ("reason", reason),
        ("source", source),
        ("evidence", evidence),
        ("text", text),
    ];
    let said = members.into_iter().filter_map(|(name, said)| Some((name.to_owned(), json!(said?))));
    said.collect()
}

fn waiting(waiting: &Waiting) -> Value {
    json!({
        "contact_id": waiting.contact_id,
        "standing": standing(waiting.standing),
        "time": waiting.time.to_string(),
    })
}

fn tally(tally: &Tally) -> Value {
    object([("contacts", tally.contacts.into())], Some(&tally.tags))
}

/// What was not allowed, how often it was asked, and why not.
pub(super) fn refusal(refusal: &Refusal) -> Value {
    let reasons = refusal.reasons.iter().map(|(rule, because)| json!({"rule": rule, "because": because}));
    let members = [
        ("verdict", refusal.verdict.name().into()),
        ("reasons", reasons.collect()),
        ("not_before", moment(refusal.not_before)),
        ("times", refusal.times.into()),
        ("first_at", moment(Some(refusal.first_at))),
        ("at", moment(Some(refusal.at))),
    ];
    object(members, Some(&refusal.tags))
}

fn lift(lift: &Lift) -> Value {
    let channel = lift.channel.as_ref().map_or_else(|| suppression::ALL.into(), |channel| json!(channel));
    object([("channel", channel), ("purpose", json!(lift.purpose)), ("at", moment(Some(lift.at)))], None)
}
