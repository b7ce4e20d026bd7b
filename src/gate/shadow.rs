//! What the policy that is only tried would change: every answer given is held against its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::decide;
use crate::domain::answer::{Answer, PolicyMark, Reason};
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::words::{Name, Verdict};

use super::Gate;
use super::force::{Force, Shadow};

/// The last differences are kept to be looked at; the others are only counted.
const MOST_EXAMPLES: usize = 50;
/// Rules, channels and purposes are the policies' own, and few. Should there ever be more, the rest is not told apart.
const MOST_NAMES: usize = 1_000;

/// How often each verdict in force met each of the other policy: `[in force][in shadow]`, in the order of
/// [`Verdict::ALL`].
pub type Grid = [[u64; 4]; 4];

/// An answer that would be another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub at: Moment,
    pub customer: Name,
    pub contact_id: Name,
    pub channel: Name,
    pub purpose: Name,
    pub verdict: Verdict,
    /// The rules behind it.
    pub rules: Vec<Name>,
    pub in_shadow: Verdict,
    pub shadow_rules: Vec<Name>,
}

/// How often a rule refused, under either policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    pub in_force: u64,
    pub in_shadow: u64,
}

/// What was seen since both policies are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub marks: Option<(PolicyMark, PolicyMark)>,
    /// When the first question was judged by both, and the last.
    pub since: Option<Moment>,
    pub until: Option<Moment>,
    pub asks: u64,
    pub verdicts: Grid,
    /// Questions that the other policy cannot judge: their channel or purpose is none of its.
    pub misfits: u64,
    pub channels: BTreeMap<Name, Grid>,
    pub purposes: BTreeMap<Name, Grid>,
    pub rules: BTreeMap<Name, Refusals>,
    pub examples: VecDeque<Difference>,
}

impl Seen {
    /// The questions that would be answered otherwise.
    #[must_use]
    pub fn differing(&self) -> u64 {
        let same: u64 = self.verdicts.iter().enumerate().filter_map(|(place, row)| row.get(place)).sum();
        self.verdicts.iter().flatten().sum::<u64>() - same
    }

    fn add(&mut self, question: &Question, answer: &Answer, shadow: &Answer, now: Moment) {
        self.asks += 1;
        self.since = self.since.or(Some(now));
        self.until = self.until.max(Some(now));
        let pair = (answer.verdict, shadow.verdict);
        add(&mut self.verdicts, pair);
        for (grids, name) in
            [(&mut self.channels, question.channel()), (&mut self.purposes, question.purpose())]
        {
            if let Some(grid) = known(grids, name) {
                add(grid, pair);
            }
        }
        let rules = rules(&answer.reasons);
        let shadow_rules = self::rules(&shadow.reasons);
        for rule in &rules {
            if let Some(refusals) = known(&mut self.rules, rule) {
                refusals.in_force += 1;
            }
        }
        for rule in &shadow_rules {
            if let Some(refusals) = known(&mut self.rules, rule) {
                refusals.in_shadow += 1;
            }
        }
        if answer.verdict == shadow.verdict {
            return;
        }
        if self.examples.len() == MOST_EXAMPLES {
            self.examples.pop_front();
        }
        self.examples.push_back(Difference {
            at: now,
            customer: question.customer.clone(),
            contact_id: answer.contact_id.clone(),
            channel: question.channel().into(),
            purpose: question.purpose().into(),
            verdict: answer.verdict,
            rules,
            in_shadow: shadow.verdict,
            shadow_rules,
        });
    }
}

fn add(grid: &mut Grid, (in_force, in_shadow): (Verdict, Verdict)) {
    if let Some(count) = grid.get_mut(in_force as usize).and_then(|row| row.get_mut(in_shadow as usize)) {
        *count += 1;
    }
}

fn known<'m, T: Default>(names: &'m mut BTreeMap<Name, T>, name: &str) -> Option<&'m mut T> {
    if !names.contains_key(name) {
        if names.len() >= MOST_NAMES {
            return None;
        }
        names.insert(name.into(), T::default());
    }
    names.get_mut(name)
}

/// Each once.
fn rules(reasons: &[Reason]) -> Vec<Name> {
    let mut rules: Vec<Name> = Vec::with_capacity(reasons.len());
    for reason in reasons {
        if !rules.contains(&reason.rule) {
            rules.push(reason.rule.clone());
        }
    }
    rules
}

impl Shadow {
    /// What this policy would answer; `None`: it cannot judge the question.
    pub(super) fn judge(
        &self,
        halts: &Halts,
        record: &Record,
        question: &Question,
        now: Moment,
    ) -> Option<Answer> {
        let company = &self.policy.company;
        let knows_its_words = company.channels.iter().any(|channel| *channel.name == *question.channel())
            && company.purposes.iter().any(|purpose| *purpose.name == *question.purpose());
        if !knows_its_words {
            return None;
        }
        let decision = match self.claims(question) {
            None => decide::decide(&self.policy, halts, record, question, now),
            Some((claims, undeclared)) => {
                let mut question = question.clone();
                (question.tags.claims, question.undeclared) = (claims, undeclared);
                decide::decide(&self.policy, halts, record, &question, now)
            }
        };
        decision.ok().map(|decision| decision.answer)
    }
}

/// Holds answers against those of the policy that is only tried.
#[derive(Debug, Default)]
pub(super) struct Shadowing(Mutex<Seen>);

impl Shadowing {
    /// Compares an answer with what the other policy would have said. What was seen under other policies than those
    /// in force is forgotten.
    pub fn compare(&self, force: &Force, question: &Question, answer: &Answer, now: Moment) {
        let (Some(Shadow { policy, .. }), Some(aside)) = (&force.shadow, &answer.aside) else { return };
        // One that began under others says nothing of these.
        if answer.policy != force.policy.mark {
            return;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_these = seen
            .marks
            .as_ref()
            .is_some_and(|(in_force, in_shadow)| *in_force == force.policy.mark && *in_shadow == policy.mark);
        if !is_of_these {
            let marks = Some((force.policy.mark.clone(), policy.mark.clone()));
            *seen = Seen { marks, ..Seen::default() };
        }
        match &aside.in_shadow {
            Some(shadow) if shadow.policy == policy.mark => seen.add(question, answer, shadow, now),
            Some(_) => {}
            None => seen.misfits += 1,
        }
    }

    fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of one customer is forgotten with them.
    pub fn forget(&self, customer: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.examples.retain(|example| *example.customer != *customer);
    }
}

impl Gate {
    /// What the policy that is only tried would have changed, since both policies are there; `None`: none is tried.
    #[must_use]
    pub fn seen_in_shadow(&self) -> Option<Seen> {
        let force = self.force();
        let shadow = force.shadow.as_ref()?;
        let marks = Some((force.policy.mark.clone(), shadow.policy.mark.clone()));
        let seen = self.shadowing.seen();
        Some(if seen.marks == marks { seen } else { Seen { marks, ..Seen::default() } })
    }
}
