//! What one policy says and another does not, in sentences.
//!
//! Texts are compared, member by member, so nothing that differs goes unsaid; rules that are new or gone are told as
//! `policy show` tells them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::domain::words::Name;
use crate::rules::Rule;

use super::sentences;
use super::source::Source;

/// The arrays in which rules stand.
const RULES: [&str; 4] = ["caps", "holds", "contact_hours", "requirements"];
/// A value longer than this is not shown in full.
const LONGEST_VALUE: usize = 200;

/// Everything that changes, a sentence each; nothing where both say the same.
#[must_use]
pub fn changes(old: &Source, new: &Source) -> Vec<String> {
    let (before, after) = (Parsed::of(old), Parsed::of(new));
    let mut changes = settled(&before.settled, &after.settled);
    let (gone, kept): (Vec<&Rule>, Vec<&Rule>) =
        old.policy.rules.iter().partition(|rule| find(new, &rule.id).is_none());
    changes.extend(gone.iter().map(|rule| format!("Rule `{}` is gone: {}", rule.id, told(rule))));
    for rule in &kept {
        if let Some(now) = find(new, &rule.id) {
            changes.extend(rule_changes(rule, now, &before, &after));
        }
    }
    let added = new.policy.rules.iter().filter(|rule| find(old, &rule.id).is_none());
    changes.extend(added.map(|rule| format!("Rule `{}` is new: {}", rule.id, told(rule))));
    let in_new = new.policy.rules.iter().filter(|rule| find(old, &rule.id).is_some());
    if changes.is_empty() && !kept.iter().map(|rule| &rule.id).eq(in_new.map(|rule| &rule.id)) {
        changes.push("Rules are listed in another order; nothing is judged otherwise.".to_owned());
    }
    changes
}

/// What is said where two texts differ and nothing changes.
pub const NOTHING: &str = "Nothing is judged otherwise.";

fn find<'s>(source: &'s Source, id: &str) -> Option<&'s Rule> {
    source.policy.rules.iter().find(|rule| *rule.id == *id)
}

fn told(rule: &Rule) -> String {
    let from = rule.preset.as_ref().map_or_else(String::new, |preset| format!(" (from {preset})"));
    format!("{}{from}", sentences::rule(rule))
}

/// A policy's text as a table: its own rules by their ids, and all that is no rule by its path.
struct Parsed {
    rules: BTreeMap<String, (&'static str, Table)>,
    settled: BTreeMap<String, Value>,
}

impl Parsed {
    fn of(source: &Source) -> Self {
        // It was compiled, so it parses.
        let mut table: Table = source.text.parse().unwrap_or_default();
        let mut rules = BTreeMap::new();
        for kind in RULES {
            let Some(Value::Array(list)) = table.remove(kind) else { continue };
            for rule in list {
                let Value::Table(rule) = rule else { continue };
                let id = rule.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                rules.insert(id, (kind, rule));
            }
        }
        let mut settled = BTreeMap::new();
        flatten(String::new(), Value::Table(table), &mut settled);
        Self { rules, settled }
    }
}

fn flatten(path: String, value: Value, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Table(table) if !table.is_empty() => {
            for (name, value) in table {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(path, value, out);
            }
        }
        value => drop(out.insert(path, value)),
    }
}

fn settled(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let members: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let each = members.into_iter().filter_map(|path| {
        let change = member(before.get(path), after.get(path))?;
        Some(format!("`{path}` {change}."))
    });
    each.collect()
}

/// "is 3 instead of 2"
fn member(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    match (before, after) {
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) => Some(format!("is {} instead of {}", shown(after), shown(before))),
        (None, Some(after)) => Some(format!("is {}, and was not given", shown(after))),
        (Some(before), None) => Some(format!("is not given any more, and was {}", shown(before))),
        (None, None) => None,
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string().trim().replace('\n', " ");
    if text.chars().count() <= LONGEST_VALUE {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(LONGEST_VALUE).collect::<String>())
}

fn rule_changes(old: &Rule, new: &Rule, before: &Parsed, after: &Parsed) -> Vec<String> {
    let id: &Name = &new.id;
    match (before.rules.get(&**id), after.rules.get(&**id)) {
        // Both are a preset's, which does not change while the program runs, or nearly: two presets may have an id in
        // common.
        (None, None) if old.preset == new.preset => Vec::new(),
        (Some((old_kind, old)), Some((new_kind, new))) if old_kind == new_kind => {
            let members: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            let each = members.into_iter().filter_map(|name| {
                let change = member(old.get(name), new.get(name))?;
                Some(format!("Rule `{id}`: `{name}` {change}."))
            });
            each.collect()
        }
        _ => vec![format!("Rule `{id}` is another one now: {} Before: {}", told(new), told(old))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::compile("p.toml".to_owned(), format!("time_zone = \"UTC\"\n{text}")).expect(text)
    }

    fn diff(old: &str, new: &str) -> Vec<String> {
        changes(&source(old), &source(new))
    }

    const CAP: &str = "[[caps]]\nid = \"few\"\nlimit = 3\nwindow = \"rolling 7d\"\n";

    #[test]
    fn the_same_changes_nothing() {
        assert!(diff(CAP, CAP).is_empty());
        assert!(diff(CAP, &format!("# But for a word to the reader.\n{CAP}")).is_empty());
    }

    #[test]
    fn each_member_is_told_with_what_it_was() {
        let tighter = CAP.replace('3', "2") + "channels = [\"sms\"]\n";
        assert_eq!(
            diff(CAP, &tighter),
            [
                "Rule `few`: `channels` is `[\"sms\"]`, and was not given.",
                "Rule `few`: `limit` is `2` instead of `3`."
            ]
        );
        assert_eq!(
            diff("[purposes]\nmarketing = { when_blind = \"defer\" }", "lapse_after = \"2d\""),
            [
                "`lapse_after` is `\"2d\"`, and was not given.",
                "`purposes.marketing.when_blind` is not given any more, and was `\"defer\"`."
            ]
        );
    }

    #[test]
    fn rules_that_come_and_go_are_told_in_their_own_sentences() {
        let other =
            "[[requirements]]\nid = \"care\"\nclaims = [\"care\"]\nrequires = \"delivery == 'human'\"\n";
        assert_eq!(
            diff(CAP, other),
            [
                "Rule `few` is gone: At most 3 contacts in any 7 days, whatever the channel. Otherwise the contact \
                 waits until it fits.",
                "Rule `care` is new: A contact that claims care needs `delivery == 'human'`. Otherwise it is refused."
            ]
        );
    }

    #[test]
    fn a_preset_brings_its_rules_and_an_own_rule_takes_the_place_of_one() {
        let changes = diff("", "extends = [\"courtesy\"]");
        assert!(changes.contains(&"`extends` is `[\"courtesy\"]`, and was not given.".to_owned()));
        assert!(changes.iter().any(|change| change.starts_with("Rule `three-a-week` is new: At most 3")
            && change.ends_with("(from courtesy)")));
        let own =
            "extends = [\"courtesy\"]\n[[caps]]\nid = \"three-a-week\"\nlimit = 1\nwindow = \"rolling 7d\"\n";
        let changes = diff("extends = [\"courtesy\"]", own);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(
            changes[0].starts_with("Rule `three-a-week` is another one now: At most 1 contact"),
            "{changes:?}"
        );
    }

    #[test]
    fn another_order_is_said_to_be_no_more_than_that() {
        let second = CAP.replace("few", "fewer");
        let changes = diff(&format!("{CAP}{second}"), &format!("{second}{CAP}"));
        assert_eq!(changes, ["Rules are listed in another order; nothing is judged otherwise."]);
    }
}
