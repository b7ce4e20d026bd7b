//! Words that need something: a person's voice, evidence, a name.

use crate::domain::answer::{Finding, RuleVerdict};
use crate::domain::condition::{Condition, Truth};
use crate::domain::moment::Moment;

use super::Judgement;
use super::scene::Scene;

/// What a fact nobody knows means to a requirement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenUnknown {
    /// The rule's verdict.
    #[default]
    Deny,
    Allow,
    Advise,
}

#[derive(Debug)]
pub struct Requirement {
    pub requires: Condition,
    pub unknown: WhenUnknown,
}

impl Requirement {
    #[must_use]
    pub fn judge(&self, verdict: RuleVerdict, scene: &Scene<'_>) -> Option<Judgement> {
        let unknown = match self.requires.truth(scene) {
            Truth::True => return None,
            Truth::False => false,
            Truth::Unknown => true,
        };
        let verdict = match (unknown, self.unknown) {
            (false, _) | (true, WhenUnknown::Deny) => verdict,
            (true, WhenUnknown::Advise) => RuleVerdict::Advise,
            (true, WhenUnknown::Allow) => return None,
        };
        Some(Judgement { finding: Finding::Requirement { unknown }, verdict })
    }

    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        scene.next_outcome(&self.requires)
    }
}
