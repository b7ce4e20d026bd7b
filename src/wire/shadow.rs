//! What a policy that is only tried would change, as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::answer::PolicyMark;
use crate::domain::words::{Name, Verdict};
use crate::gate::shadow::{Difference, Grid, Refusals, Seen};
use crate::policy::diff;
use crate::policy::source::Source;

/// `sources` are the two policies, the one in force first.
#[must_use]
pub fn body(seen: &Seen, sources: Option<&(Source, Source)>) -> Value {
    let mark = |mark: &PolicyMark| json!({"version": mark.version, "hash": mark.hash});
    let (in_force, in_shadow) = seen.marks.as_ref().map(|(one, other)| (mark(one), mark(other))).unzip();
    let changes = sources.map_or_else(Vec::new, |(in_force, shadow)| diff::changes(in_force, shadow));
    let named = |grids: &BTreeMap<Name, Grid>| {
        let each = grids.iter().map(|(name, grid)| (name.to_string(), self::grid(grid)));
        Value::Object(each.collect())
    };
    let rules = seen.rules.iter().map(|(rule, Refusals { in_force, in_shadow })| {
        (rule.to_string(), json!({"in_force": in_force, "in_shadow": in_shadow}))
    });
    json!({
        "in_force": in_force,
        "in_shadow": in_shadow,
        "changes": changes,
        "since": seen.since.map(|since| since.to_string()),
        "until": seen.until.map(|until| until.to_string()),
        "asks": seen.asks,
        "differing": seen.differing(),
        "not_judged": seen.misfits,
        "verdicts": grid(&seen.verdicts),
        "by_channel": named(&seen.channels),
        "by_purpose": named(&seen.purposes),
        "by_rule": Value::Object(rules.collect()),
        "examples": seen.examples.iter().rev().map(example).collect::<Vec<_>>(),
    })
}

/// By the verdict in force, and then by the other; pairs that never met are left out.
fn grid(grid: &Grid) -> Value {
    let mut rows = Map::new();
    for (verdict, counts) in Verdict::ALL.iter().zip(grid) {
        let met = Verdict::ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
        let row: Map<String, Value> =
            met.map(|(other, count)| (other.name().to_owned(), Value::from(*count))).collect();
        if !row.is_empty() {
            rows.insert(verdict.name().to_owned(), Value::Object(row));
        }
    }
    Value::Object(rows)
}

fn example(one: &Difference) -> Value {
    json!({
        "at": one.at.to_string(),
        "customer": one.customer,
        "contact_id": one.contact_id,
        "channel": one.channel,
        "purpose": one.purpose,
        "verdict": one.verdict.name(),
        "rules": one.rules,
        "in_shadow": one.in_shadow.name(),
        "shadow_rules": one.shadow_rules,
    })
}
