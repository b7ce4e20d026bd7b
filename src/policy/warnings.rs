//! What a policy may mean, but its owner may not have meant.

use crate::domain::condition::Condition;
use crate::domain::words::{Claim, ClaimSet};
use crate::rules::usage::Counts;
use crate::rules::{Mode, Rule, RuleKind};

use super::Policy;

/// Words in a fact's name that tell what a customer is worth, rather than what the customer needs.
const WORTH: [&str; 16] = [
    "purchase", "spend", "spent", "revenue", "profit", "margin", "value", "ltv", "tier", "vip", "segment",
    "score", "orders", "income", "balance", "wealth",
];

/// Everything worth a second look, a sentence each.
#[must_use]
pub fn warnings(policy: &Policy) -> Vec<String> {
    let mut warnings: Vec<String> = policy.rules.iter().flat_map(of_rule).collect();
    for (campaign, audience) in &policy.company.audiences {
        if let Some(fact) = worth(audience) {
            warnings.push(format!(
                "campaign `{campaign}` picks its audience by `facts.{fact}`: are people chosen by what they are worth?"
            ));
        }
    }
    warnings
}

fn of_rule(rule: &Rule) -> Vec<String> {
    let mut warnings = Vec::new();
    // A claim of value needs evidence of value: that rule may look.
    let about_value = rule.narrowing.claims == Some(ClaimSet::default().with(Claim::Value));
    let mut conditions: Vec<&Condition> = rule.narrowing.when.iter().collect();
    if let RuleKind::Requirement(requirement) = &rule.kind {
        if rule.narrowing.claims.is_none() {
            conditions.push(&requirement.requires);
        }
        if requirement.requires.constant() == Some(true) {
            warnings.push(format!("rule `{}` requires what is always true: it never refuses", rule.id));
        }
    }
    if !about_value && let Some(fact) = conditions.into_iter().find_map(worth) {
        warnings.push(format!(
            "rule `{}` treats people by their value (`facts.{fact}`): courtesy is meant to bind everybody alike",
            rule.id
        ));
    }
    if let RuleKind::Cap(cap) = &rule.kind {
        if cap.limit == 0 && cap.counts != Counts::Contacts {
            warnings
                .push(format!("rule `{}` has a limit of 0: it refuses always, whatever it counts", rule.id));
        }
        if cap.reserve.as_ref().is_some_and(|reserve| reserve.slots == cap.limit) {
            warnings.push(format!("rule `{}` keeps all its slots: other purposes never pass", rule.id));
        }
    }
    if rule.mode == Mode::Shadow {
        warnings.push(format!("rule `{}` is in shadow mode: it is noted and binds nobody", rule.id));
    }
    warnings
}

/// The first fact about somebody's worth that a condition reads.
fn worth(condition: &Condition) -> Option<&str> {
    condition.facts().map(|fact| &**fact).find(|fact| {
        let fact = fact.to_ascii_lowercase();
        WORTH.iter().any(|word| fact.contains(word))
    })
}
