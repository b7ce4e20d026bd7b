//! Every rule, and what it saw: the long answer behind `explain`.

use crate::domain::answer::{Finding, RuleVerdict};
use crate::domain::condition::{Circumstances, Condition};
use crate::domain::fact::FactValue;
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::policy::Policy;
use crate::rules::scene::Scene;
use crate::rules::{Mode, RuleKind, suppression};

use super::clause::{self, Clause};

/// What one clause saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    pub rule: Name,
    pub kind: &'static str,
    pub mode: Mode,
    /// The preset it came from.
    pub preset: Option<Name>,
    /// Whether it is about this question.
    pub matched: bool,
    /// Whether the question's purpose is exempt from it.
    pub exempt: bool,
    /// `None`: it passes.
    pub verdict: Option<RuleVerdict>,
    pub finding: Option<Finding>,
    /// The ids of the contacts it counted in the window around the moment, oldest first.
    pub counted: Vec<Name>,
    /// The facts it reads, with what is known of them.
    pub facts: Vec<(Name, Option<FactValue>)>,
}

/// Has every clause look at the question, whether it matches or not.
#[must_use]
pub fn examine(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    now: Moment,
) -> Vec<Examined> {
    let scene = Scene::new(&policy.company, record, question, now);
    clause::all(policy, halts, record, question).iter().map(|clause| one(clause, &scene)).collect()
}

fn one(clause: &Clause<'_>, scene: &Scene<'_>) -> Examined {
    let judgement = clause.judge(scene);
    let mut examined = Examined {
        rule: clause.name(),
        kind: "",
        mode: Mode::Enforce,
        preset: None,
        matched: true,
        exempt: false,
        verdict: judgement.map(|judgement| judgement.verdict),
        finding: judgement.map(|judgement| judgement.finding),
        counted: Vec::new(),
        facts: Vec::new(),
    };
    match clause {
        Clause::Suppression => {
            examined.kind = "suppression";
            examined.matched = suppression::binding(scene).is_some();
        }
        Clause::Halt(_) => {
            examined.kind = "halt";
            examined.matched = judgement.is_some();
        }
        Clause::Wish(_) => {
            examined.kind = "wish";
            examined.exempt = scene.is_exempt(crate::rules::company::Exemption::Wishes);
        }
        Clause::Audience(condition) => {
            examined.kind = "audience";
            examined.facts = facts(condition, scene);
        }
        Clause::Rule(rule) | Clause::Cap(rule, _) => {
            examined.kind = rule.kind.name();
            examined.mode = rule.mode;
            examined.preset.clone_from(&rule.preset);
            examined.matched = rule.matches(scene);
            examined.exempt = rule.is_exempt(scene);
            if let Some(when) = &rule.narrowing.when {
                examined.facts = facts(when, scene);
            }
            match &rule.kind {
                RuleKind::Cap(cap) if examined.matched => {
                    examined.counted = cap
                        .counted(&rule.narrowing, scene)
                        .into_iter()
                        .map(|contact| contact.id.clone())
                        .collect();
                }
                RuleKind::Requirement(requirement) => {
                    examined.facts.extend(facts(&requirement.requires, scene));
                }
                RuleKind::Cap(_) | RuleKind::Hold(_) | RuleKind::ContactHours(_) => {}
            }
        }
    }
    examined
}

fn facts(condition: &Condition, scene: &Scene<'_>) -> Vec<(Name, Option<FactValue>)> {
    condition.facts().map(|name| (name.clone(), scene.fact(name).cloned())).collect()
}
