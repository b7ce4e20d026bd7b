//! Explain: the same question, nothing reserved, every rule with what it saw, and what would help.

use crate::decide::{self, examine::Examined};
use crate::domain::answer::Answer;
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question};
use crate::domain::record::Record;
use crate::domain::words::{ClaimSet, Delivery, Name, Verdict};
use crate::ledger::LedgerError;
use crate::policy::Policy;

use super::Gate;
use super::ask::would_allow;

/// The long answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub answer: Answer,
    pub rules: Vec<Examined>,
    /// The smallest change that would allow it; `None` when it is allowed, or nothing tried helps.
    pub smallest_change: Option<Vec<Adjustment>>,
}

/// One thing to change about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjustment {
    SendAt(Moment),
    Channel(Name),
    Delivery(Delivery),
    /// Leave these claims out.
    WithoutClaims(ClaimSet),
}

/// Why nothing can be explained.
#[derive(Debug)]
pub enum ExplainError {
    Misused(Vec<Misuse>),
    Ledger(LedgerError),
}

impl Gate {
    /// Judges the question without reserving anything. A contact already reserved under its id is left
    /// out, so that it does not stand in its own way.
    ///
    /// # Errors
    /// When the question cannot be judged, or the ledger not be read: there is nothing to explain then.
    pub async fn explain(&self, question: &Question, now: Moment) -> Result<Explanation, ExplainError> {
        let loaded = self.within(self.load(&question.customer)).await.map_err(ExplainError::Ledger)?;
        let (halts, policy) = (self.ledger.halts(), self.policy());
        let record = loaded.record.without_contact(&question.contact_id);
        let mut answer =
            decide::decide(&policy, &halts, &record, question, now).map_err(ExplainError::Misused)?.answer;
        answer.follow_up = answer.follow_up.map(|follow_up| self.named(follow_up));
        let rules = decide::examine::examine(&policy, &halts, &record, question, now);
        let smallest_change = (answer.verdict != Verdict::Allow)
            .then(|| smallest_change(&policy, &halts, &record, question, &answer, now))
            .flatten();
        Ok(Explanation { answer, rules, smallest_change })
    }
}

/// Tries one change at a time, the least first, then two together.
fn smallest_change(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    answer: &Answer,
    now: Moment,
) -> Option<Vec<Adjustment>> {
    if let Some(not_before) = answer.not_before {
        return Some(vec![Adjustment::SendAt(not_before)]);
    }
    let mut candidates = Vec::new();
    if question.delivery.is_automated() {
        candidates.push(Adjustment::Delivery(Delivery::Human));
    }
    if !question.tags.claims.is_empty() {
        candidates.push(Adjustment::WithoutClaims(question.tags.claims));
    }
    for channel in &policy.company.channels {
        if *channel.name != *question.channel() {
            candidates.push(Adjustment::Channel(channel.name.clone()));
        }
    }
    let waits = answer.reasons.iter().filter_map(|reason| reason.not_before).max();
    candidates.extend(waits.map(Adjustment::SendAt));

    let helps = |adjustments: &[&Adjustment]| {
        let changed =
            adjustments.iter().fold(question.clone(), |question, adjustment| adjustment.apply(question));
        // A moment far ahead cannot be asked about yet; it is judged as if asked then.
        let asked = changed.send_at.map_or(now, |send_at| send_at.max(now));
        would_allow(policy, halts, record, changed, asked)
    };
    let one =
        candidates.iter().find(|candidate| helps(&[candidate])).map(|candidate| vec![candidate.clone()]);
    one.or_else(|| {
        candidates.iter().enumerate().find_map(|(index, first)| {
            let second = candidates.iter().skip(index + 1).find(|second| helps(&[first, second]))?;
            Some(vec![first.clone(), second.clone()])
        })
    })
}

impl Adjustment {
    fn apply(&self, mut question: Question) -> Question {
        match self {
            Self::SendAt(moment) => {
                question.send_at = Some(*moment);
                question.deadline = None;
            }
            Self::Channel(channel) => question.tags.channel = Some(channel.clone()),
            Self::Delivery(delivery) => {
                question.delivery = *delivery;
                question.tags.delivery = Some(*delivery);
            }
            Self::WithoutClaims(claims) => question.tags.claims = question.tags.claims.without(*claims),
        }
        question
    }
}
