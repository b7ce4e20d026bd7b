//! What is kept about one customer, as JSON.

use serde_json::{Map, Value, json};

use crate::domain::account::Provenance;
use crate::domain::consent::{Consent, ConsentState};
use crate::domain::follow_up::FollowUp;
use crate::domain::moment::Moment;
use crate::domain::opening_hours::{OpeningHours, WEEKDAYS, clock};
use crate::domain::record::Record;
use crate::domain::tombstone::Tombstone;
use crate::domain::wishes::Wishes;
use crate::gate::outlook::Outlook;
use crate::policy::Policy;

use super::{fact, follow_up, outlook, suppression};

/// The customer's wishes, suppressions, facts and consents, the holds in force, the budgets, and when each
/// channel is next welcome.
#[must_use]
pub fn body(
    customer: &str,
    record: &Record,
    policy: &Policy,
    outlook: &[Outlook],
    owed: &[FollowUp],
    now: Moment,
) -> Value {
    let mut body = json!({
        "customer": customer,
        "wishes": wishes(&record.wishes),
        "wishes_set": record.wishes_set.as_ref().map(provenance),
        "suppressions": suppression::body(record, policy, now),
        "facts": facts(record),
        "consents": standing_consents(record, now),
        "contacts": record.contacts().len(),
        "events": record.events().len(),
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(erased_at) = record.erased_at {
            body.insert("erased_at".to_owned(), moment(erased_at));
        }
        outlook::add_to(body, outlook, now);
        body.insert("follow_ups".to_owned(), owed.iter().map(|one| follow_up::body(one, now)).collect());
    }
    body
}

fn moment(moment: Moment) -> Value {
    Value::from(moment.to_string())
}

/// When somebody was erased, and what of their suppressions is kept.
#[must_use]
pub fn erased(kept: &Tombstone) -> Value {
    let suppressions: Vec<Value> = kept.suppressions.all().iter().map(suppression::one).collect();
    json!({
        "erased_at": kept.erased_at.to_string(),
        "suppressions": suppressions,
    })
}

/// Who set something, when, and through what.
pub(super) fn provenance(set: &Provenance) -> Value {
    json!({"at": set.at.to_string(), "by": set.by, "through": set.through})
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

/// How consent stands on each channel and purpose.
fn standing_consents(record: &Record, now: Moment) -> Value {
    record.consents.latest().into_iter().map(|one| consent(one, now)).collect()
}

/// One word on consent, and how it stands if it is the latest.
pub(super) fn consent(consent: &Consent, now: Moment) -> Value {
    json!({
        "channel": consent.channel,
        "purpose": consent.purpose,
        "granted": consent.state(now) == ConsentState::Granted,
        "state": consent.state(now).name(),
        "since": consent.time.to_string(),
        "expires_at": consent.expires_at.map(moment),
        "evidence": consent.evidence,
        "source": consent.source,
    })
}
