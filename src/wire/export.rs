//! Everything held about one customer, as JSON: the answer to a data-subject request.

use serde_json::{Map, Value, json};

use crate::domain::contact::{Contact, Standing};
use crate::domain::event::Event;
use crate::domain::moment::Moment;
use crate::domain::record::{Record, Tally, Waiting};
use crate::domain::suppression;
use crate::domain::words::{Claim, Delivery, Tags};

use super::customer;

/// The whole record, nothing left out and nothing derived.
#[must_use]
pub fn body(customer: &str, record: &Record, now: Moment) -> Value {
    json!({
        "customer": customer,
        "exported_at": now.to_string(),
        "contacts": record.contacts().iter().map(contact).collect::<Vec<_>>(),
        "events": record.events().iter().map(event).collect::<Vec<_>>(),
        "told_of_unknown_contacts": record.waiting.iter().map(waiting).collect::<Vec<_>>(),
        "contacts_no_longer_kept": record.tallies.iter().map(tally).collect::<Vec<_>>(),
        "consents": customer::consents(record),
        "facts": customer::facts(record),
        "wishes": customer::wishes(&record.wishes),
        "suppressions": record.suppressions.standings().iter().map(suppressed).collect::<Vec<_>>(),
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
        ("purposes", if event.every_purpose { "all".into() } else { Value::Null }),
        ("expires_at", moment(event.expires_at)),
    ];
    object(members, Some(&event.tags))
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

fn suppressed(standing: &suppression::Standing) -> Value {
    let members = [
        ("channel", standing.channel.as_ref().map_or_else(|| "all".into(), |channel| json!(channel))),
        ("unsubscribed_at", moment(standing.unsubscribed_at)),
        ("unsubscribed_for_every_purpose_at", moment(standing.unsubscribed_for_every_purpose_at)),
        ("resubscribed_at", moment(standing.resubscribed_at)),
    ];
    object(members, None)
}
