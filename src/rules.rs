//! The rules, compiled: pure, synchronous, strangers to each other.
//!
//! Each kind answers two questions about a [`scene::Scene`]: what do you find here, and when, after
//! this moment, might you first find something else? The second is a promise to the search for
//! `not_before`: a rule that refuses goes on refusing until then, unless something that is known now
//! is forgotten before ([`scene::Scene::next_forgetting`]).

pub mod audience;
pub mod cap;
pub mod company;
pub mod contact_hours;
pub mod halt;
pub mod hold;
pub mod narrowing;
pub mod requirement;
pub mod scene;
pub mod suppression;
pub mod usage;
pub mod wish;

use std::sync::Arc;

use crate::domain::answer::{Finding, RuleVerdict};
use crate::domain::moment::Moment;
use crate::domain::words::Name;

use cap::Cap;
use company::Exemption;
use contact_hours::ContactHours;
use hold::Hold;
use narrowing::Narrowing;
use requirement::Requirement;
use scene::Scene;

/// Whether a rule binds or is only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Enforce,
    Shadow,
}

/// One rule of the policy.
#[derive(Debug)]
pub struct Rule {
    pub id: Name,
    pub verdict: RuleVerdict,
    pub mode: Mode,
    pub because: Arc<str>,
    /// The preset it came from; `None` for the operator's own.
    pub preset: Option<Name>,
    pub narrowing: Narrowing,
    pub kind: RuleKind,
}

#[derive(Debug)]
pub enum RuleKind {
    Cap(Cap),
    Hold(Hold),
    ContactHours(ContactHours),
    Requirement(Requirement),
}

/// What a rule says of a scene, where it does not simply pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub finding: Finding,
    pub verdict: RuleVerdict,
}

impl RuleKind {
    /// The word that exempts a purpose from rules of this kind; requirements know no exemption.
    #[must_use]
    pub const fn exemption(&self) -> Option<Exemption> {
        match self {
            Self::Cap(_) => Some(Exemption::Caps),
            Self::Hold(_) => Some(Exemption::Holds),
            Self::ContactHours(_) => Some(Exemption::ContactHours),
            Self::Requirement(_) => None,
        }
    }

    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cap(_) => "cap",
            Self::Hold(_) => "hold",
            Self::ContactHours(_) => "contact_hours",
            Self::Requirement(_) => "requirement",
        }
    }
}

impl Rule {
    /// Whether the question's purpose is exempt from rules of this kind.
    #[must_use]
    pub fn is_exempt(&self, scene: &Scene<'_>) -> bool {
        self.kind.exemption().is_some_and(|exemption| scene.is_exempt(exemption))
    }

    /// Whether the rule is about this question at all.
    #[must_use]
    pub fn matches(&self, scene: &Scene<'_>) -> bool {
        let tags_given = match &self.kind {
            RuleKind::Cap(cap) => cap.finds_its_tags(scene),
            RuleKind::Hold(hold) => hold.finds_its_tags(scene),
            RuleKind::ContactHours(_) | RuleKind::Requirement(_) => true,
        };
        tags_given && self.narrowing.matches(scene)
    }

    /// What the rule finds; `None` when it passes or is about something else.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Option<Judgement> {
        if self.is_exempt(scene) || !self.matches(scene) {
            return None;
        }
        let usual = |finding| Judgement { finding, verdict: self.verdict };
        match &self.kind {
            RuleKind::Cap(cap) => cap.judge(&self.narrowing, scene).map(usual),
            RuleKind::Hold(hold) => hold.judge(scene).map(usual),
            RuleKind::ContactHours(hours) => hours.judge(&self.id, self.verdict, scene),
            RuleKind::Requirement(requirement) => requirement.judge(self.verdict, scene),
        }
    }

    /// The next moment at which the rule, now refusing, might not.
    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        let own = match &self.kind {
            RuleKind::Cap(cap) => cap.next_change(&self.narrowing, scene),
            RuleKind::Hold(hold) => hold.next_change(scene),
            RuleKind::ContactHours(hours) => hours.next_change(&self.id, scene),
            RuleKind::Requirement(requirement) => requirement.next_change(scene),
        };
        earliest(own, self.narrowing.next_change(scene))
    }
}

/// The earlier of two moments, either of which may never come.
#[must_use]
pub fn earliest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
