//! The policy in force, as JSON: since when, and which one is tried beside it.

use serde_json::{Value, json};

use crate::domain::answer::PolicyMark;
use crate::domain::moment::Moment;
use crate::policy::{Policy, sentences};
use crate::rules::Mode;

#[must_use]
pub fn body(policy: &Policy, since: Moment, shadow: Option<&PolicyMark>) -> Value {
    let rules: Vec<Value> = policy
        .rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "kind": rule.kind.name(),
                "verdict": rule.verdict.name(),
                "mode": match rule.mode { Mode::Enforce => "enforce", Mode::Shadow => "shadow" },
                "preset": rule.preset,
                "sentence": sentences::rule(rule),
                "because": rule.because,
            })
        })
        .collect();
    json!({
        "version": policy.mark.version,
        "hash": policy.mark.hash,
        "since": since.to_string(),
        "shadow": shadow.map(|mark| json!({"version": mark.version, "hash": mark.hash})),
        "extends": policy.extends,
        "time_zone": policy.company.zone.name(),
        "channels": policy.company.channels.iter().map(|channel| &channel.name).collect::<Vec<_>>(),
        "purposes": policy.company.purposes.iter().map(|purpose| &purpose.name).collect::<Vec<_>>(),
        "rules": rules,
    })
}
