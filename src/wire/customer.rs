//! What is kept about one customer, as JSON.

use serde_json::{Map, Value, json};

use crate::domain::follow_up::open;
use crate::domain::moment::Moment;
use crate::domain::opening_hours::{OpeningHours, WEEKDAYS, clock};
use crate::domain::record::Record;
use crate::domain::suppression::Reach;
use crate::domain::wishes::Wishes;
use crate::gate::outlook::Outlook;
use crate::policy::Policy;

use super::put::ALL_CHANNELS;
use super::{fact, follow_up, outlook};

/// The customer's wishes, suppressions, facts and consents, the holds in force, the budgets, and when each
/// channel is next welcome.
#[must_use]
pub fn body(customer: &str, record: &Record, policy: &Policy, outlook: &[Outlook], now: Moment) -> Value {
    let mut body = json!({
        "customer": customer,
        "wishes": wishes(&record.wishes),
        "suppressions": suppressions(record, policy),
        "facts": facts(record),
        "consents": consents(record),
        "contacts": record.contacts().len(),
        "events": record.events().len(),
    });
    if let Some(body) = body.as_object_mut() {
        outlook::add_to(body, outlook, now);
        let open = open(&customer.into(), record, &policy.company.duties);
        body.insert("follow_ups".to_owned(), open.iter().map(|one| follow_up::body(one, now)).collect());
    }
    body
}

fn moment(moment: Moment) -> Value {
    Value::from(moment.to_string())
}

pub(super) fn wishes(wishes: &Wishes) -> Value {
    let mut members = Map::new();
    if !wishes.at_most.is_empty() {
        let limits = wishes.at_most.iter().map(|wished| {
            let mut limit = json!({"limit": wished.limit, "window": wished.window.to_string()});
            if let (false, Some(limit)) = (wished.channels.is_empty(), limit.as_object_mut()) {
                limit.insert("channels".to_owned(), json!(wished.channels));
            }
            limit
        });
        members.insert("at_most".to_owned(), limits.collect());
    }
    if let Some(channels) = &wishes.channels {
        members.insert("channels".to_owned(), json!(channels));
    }
    if let Some(hours) = &wishes.hours {
        members.insert("hours".to_owned(), opening_hours(hours));
    }
    if let Some(pause_until) = wishes.pause_until {
        members.insert("pause_until".to_owned(), moment(pause_until));
    }
    Value::Object(members)
}

fn opening_hours(hours: &OpeningHours) -> Value {
    WEEKDAYS
        .into_iter()
        .zip(hours.days())
        .filter(|(_, ranges)| !ranges.is_empty())
        .map(|(day, ranges)| {
            let ranges: Vec<String> = ranges
                .iter()
                .map(|range| format!("{}-{}", clock(range.open_ms), clock(range.close_ms)))
                .collect();
            (day.to_owned(), json!(ranges))
        })
        .collect::<Map<String, Value>>()
        .into()
}

/// Each channel that is suppressed, and `all` where every one is.
fn suppressions(record: &Record, policy: &Policy) -> Value {
    let mut members = Map::new();
    let mut every_channel = true;
    for channel in &policy.company.channels {
        match record.suppressions.binding(&channel.name) {
            None => every_channel = false,
            Some(suppressed) => {
                let mut body = json!({"since": suppressed.since.to_string()});
                if let (Reach::EveryPurpose, Some(body)) = (suppressed.reach, body.as_object_mut()) {
                    body.insert("purposes".to_owned(), Value::from("all"));
                }
                members.insert(channel.name.to_string(), body);
            }
        }
    }
    let mut body = json!({"channels": members});
    if let Some(body) = body.as_object_mut() {
        body.insert(ALL_CHANNELS.to_owned(), Value::from(every_channel));
    }
    body
}

pub(super) fn facts(record: &Record) -> Value {
    record
        .facts
        .iter()
        .filter_map(|(name, known)| {
            let known = known.as_ref()?;
            let body = json!({"value": fact::to_json(&known.value), "as_of": known.as_of.map(moment)});
            Some((name.to_string(), body))
        })
        .collect::<Map<String, Value>>()
        .into()
}

pub(super) fn consents(record: &Record) -> Value {
    record
        .consents
        .iter()
        .map(|consent| {
            json!({
                "channel": consent.channel,
                "purpose": consent.purpose,
                "granted": consent.granted,
                "since": consent.time.to_string(),
                "expires_at": consent.expires_at.map(moment),
            })
        })
        .collect()
}
