//! Everything that can refuse a question, in the order reasons are listed.

use std::sync::Arc;

use crate::domain::answer::{Finding, Reason, RuleVerdict};
use crate::domain::condition::Condition;
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::suppression::Reach;
use crate::domain::words::{Name, Verdict};
use crate::policy::Policy;
use crate::rules::cap::Cap;
use crate::rules::company::Exemption;
use crate::rules::scene::Scene;
use crate::rules::wish::{self, Wish};
use crate::rules::{Judgement, Rule, audience, halt, suppression};

/// One thing that may refuse: the customer's own say, the campaign's, or a rule of the policy.
#[derive(Clone, Copy, Debug)]
pub enum Clause<'a> {
    Suppression,
    Halt(&'a Halts),
    Wish(Wish<'a>),
    Audience(&'a Condition),
    Rule(&'a Rule),
    /// A cap alone, whether or not the purpose is exempt: for budgets.
    Cap(&'a Rule, &'a Cap),
}

/// The clauses of one question: suppression, halt, wishes, audiences (the question's, then the
/// campaign's), then the policy's rules in their order.
#[must_use]
pub fn all<'a>(
    policy: &'a Policy,
    halts: &'a Halts,
    record: &'a Record,
    question: &'a Question,
) -> Vec<Clause<'a>> {
    let campaign = question.tags.campaign.as_deref();
    let campaign_audience = campaign.and_then(|campaign| policy.company.audiences.get(campaign));
    let mut clauses = Vec::with_capacity(policy.rules.len() + 8);
    clauses.push(Clause::Suppression);
    clauses.push(Clause::Halt(halts));
    clauses.extend(wish::each(&record.wishes).map(Clause::Wish));
    clauses.extend(question.audience.as_deref().map(Clause::Audience));
    clauses.extend(campaign_audience.map(Clause::Audience));
    clauses.extend(policy.rules.iter().map(Clause::Rule));
    clauses
}

impl Clause<'_> {
    /// What the clause finds; `None` when it passes or is about something else.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Option<Judgement> {
        let deny = |finding| Judgement { finding, verdict: RuleVerdict::Refuse(Verdict::Deny) };
        match self {
            Self::Suppression => suppression::judge(scene).map(deny),
            Self::Halt(halts) => halt::judge(halts, scene).map(deny),
            Self::Wish(_) if scene.is_exempt(Exemption::Wishes) => None,
            Self::Wish(wish) => wish.judge(scene),
            Self::Audience(condition) => audience::judge(condition, scene).map(deny),
            Self::Rule(rule) => rule.judge(scene),
            Self::Cap(rule, cap) => {
                cap.judge(&rule.narrowing, scene).map(|finding| Judgement { finding, verdict: rule.verdict })
            }
        }
    }

    /// The next moment at which the clause, now refusing, might not; see [`Rule::next_change`].
    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        match self {
            Self::Suppression => suppression::next_change(scene),
            Self::Halt(_) => None,
            Self::Wish(wish) => wish.next_change(scene),
            Self::Audience(condition) => scene.next_outcome(condition),
            Self::Rule(rule) => rule.next_change(scene),
            Self::Cap(rule, cap) => cap.next_change(&rule.narrowing, scene),
        }
    }

    /// The verdict that counts; `None` where the clause only advises.
    #[must_use]
    pub fn blocks(&self, judgement: Judgement) -> Option<Verdict> {
        match (self, judgement.verdict) {
            (_, RuleVerdict::Advise) => None,
            (Self::Rule(rule) | Self::Cap(rule, _), RuleVerdict::Refuse(verdict)) => {
                super::is_enforced(rule.mode).then_some(verdict)
            }
            (
                Self::Suppression | Self::Halt(_) | Self::Wish(_) | Self::Audience(_),
                RuleVerdict::Refuse(verdict),
            ) => Some(verdict),
        }
    }

    /// What answers call it.
    #[must_use]
    pub fn name(&self) -> Name {
        match self {
            Self::Suppression => "suppression".into(),
            Self::Halt(_) => "halt".into(),
            Self::Wish(_) => "wish".into(),
            Self::Audience(_) => "audience".into(),
            Self::Rule(rule) | Self::Cap(rule, _) => rule.id.clone(),
        }
    }

    /// The reason a judgement gives.
    #[must_use]
    pub fn reason(&self, judgement: Judgement, not_before: Option<Moment>) -> Reason {
        let shadow = match self {
            Self::Rule(rule) | Self::Cap(rule, _) => !super::is_enforced(rule.mode),
            Self::Suppression | Self::Halt(_) | Self::Wish(_) | Self::Audience(_) => false,
        };
        Reason {
            rule: self.name(),
            finding: judgement.finding,
            verdict: judgement.verdict,
            because: self.because(judgement.finding),
            not_before,
            shadow,
        }
    }

    fn because(&self, finding: Finding) -> Arc<str> {
        match (self, finding) {
            (Self::Rule(rule) | Self::Cap(rule, _), _) => Arc::clone(&rule.because),
            (_, Finding::Suppression { reach: Reach::EveryPurpose, .. }) => {
                "The customer asked not to be contacted at all, for any purpose.".into()
            }
            (_, Finding::Suppression { .. }) => "The customer asked not to be contacted.".into(),
            (_, Finding::Halt { .. }) => "The campaign has been halted.".into(),
            (_, Finding::WishedChannel) => {
                "The customer does not want to be contacted on this channel.".into()
            }
            (_, Finding::WishedPause { until }) => {
                format!("The customer asked to be left in peace until {until}.").into()
            }
            (_, Finding::WishedLimit { limit, window, .. }) => {
                format!("The customer asked for at most {limit} {}.", window.in_words()).into()
            }
            (_, Finding::WishedHours) => "The customer asked to be contacted at other hours.".into(),
            (_, Finding::Audience { unknown: true }) => {
                "Nobody knows whether the message is meant for this customer.".into()
            }
            (_, Finding::Audience { unknown: false }) => "The message is not meant for this customer.".into(),
            (
                _,
                Finding::Cap { .. }
                | Finding::Hold { .. }
                | Finding::ContactHours { .. }
                | Finding::Requirement { .. }
                | Finding::Undeclared { .. }
                | Finding::Blind,
            ) => "".into(),
        }
    }
}
