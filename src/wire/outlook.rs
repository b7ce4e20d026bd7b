//! What a customer may expect, as JSON: holds in force, budgets, and when each channel is next welcome.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::answer::{Budget, Finding, Reason};
use crate::domain::moment::Moment;
use crate::domain::words::{Name, Verdict};
use crate::gate::outlook::Outlook;

/// The members that go into a customer's body.
pub fn add_to(body: &mut Map<String, Value>, outlook: &[Outlook], now: Moment) {
    body.insert("holds".to_owned(), holds(outlook));
    body.insert("budgets".to_owned(), budgets(outlook));
    body.insert("next_welcome".to_owned(), next_welcome(outlook, now));
}

/// For each channel and purpose the first moment at which a plain message would be allowed; `null` where
/// there is none.
fn next_welcome(outlook: &[Outlook], now: Moment) -> Value {
    let mut channels: Map<String, Value> = Map::new();
    for Outlook { channel, purpose, answer, .. } in outlook {
        let moment = match answer.verdict {
            Verdict::Allow => Some(now),
            Verdict::Defer => answer.not_before,
            Verdict::Handoff | Verdict::Deny => None,
        };
        let purposes = channels.entry(channel.to_string()).or_insert_with(|| json!({}));
        if let Some(purposes) = purposes.as_object_mut() {
            purposes
                .insert(purpose.to_string(), moment.map_or(Value::Null, |moment| moment.to_string().into()));
        }
    }
    Value::Object(channels)
}

/// The channels and purposes that something is about, in the policy's order.
#[derive(Default)]
struct About<'o> {
    channels: Vec<&'o Name>,
    purposes: Vec<&'o Name>,
}

impl<'o> About<'o> {
    fn add(&mut self, outlook: &'o Outlook) {
        if !self.channels.contains(&&outlook.channel) {
            self.channels.push(&outlook.channel);
        }
        if !self.purposes.contains(&&outlook.purpose) {
            self.purposes.push(&outlook.purpose);
        }
    }
}

/// The rules that hold something back now, each once, with what it is about.
fn holds(outlook: &[Outlook]) -> Value {
    let mut found: BTreeMap<&str, (&Reason, About<'_>)> = BTreeMap::new();
    for one in outlook {
        let reasons = one.answer.reasons.iter().chain(&one.answer.advice);
        for reason in reasons.filter(|reason| matches!(reason.finding, Finding::Hold { .. })) {
            found.entry(&reason.rule).or_insert_with(|| (reason, About::default())).1.add(one);
        }
    }
    let holds = found.into_iter().map(|(rule, (reason, about))| {
        let Finding::Hold { since, until } = reason.finding else { return Value::Null };
        let mut hold = json!({
            "rule": rule,
            "because": &*reason.because,
            "since": since.to_string(),
            "until": until.map(|until| until.to_string()),
            "channels": about.channels,
            "purposes": about.purposes,
        });
        if let (true, Some(hold)) = (reason.shadow, hold.as_object_mut()) {
            hold.insert("mode".to_owned(), "shadow".into());
        }
        hold
    });
    holds.collect()
}

/// Where every cap stands, each once for those channels and purposes for which it stands alike.
fn budgets(outlook: &[Outlook]) -> Value {
    let mut found: Vec<(&Budget, About<'_>)> = Vec::new();
    for one in outlook {
        for budget in &one.budgets {
            let place = found.iter().position(|(known, _)| *known == budget);
            let place = place.unwrap_or_else(|| {
                found.push((budget, About::default()));
                found.len() - 1
            });
            if let Some((_, about)) = found.get_mut(place) {
                about.add(one);
            }
        }
    }
    let budgets = found.into_iter().map(|(budget, about)| {
        let mut body = json!({
            "rule": budget.rule,
            "limit": budget.limit,
            "used": budget.used,
            "channels": about.channels,
            "purposes": about.purposes,
        });
        if let Some(body) = body.as_object_mut() {
            if budget.shadow {
                body.insert("mode".to_owned(), "shadow".into());
            }
            if let Some(next_free) = budget.next_free {
                body.insert("next_free".to_owned(), next_free.to_string().into());
            }
        }
        body
    });
    budgets.collect()
}
