//! Answers without the ledger: the purpose's `when_blind`, plainly marked.

use crate::domain::answer::{Answer, Finding, Reason, RuleVerdict};
use crate::domain::moment::{Moment, SECOND_MS, Span};
use crate::domain::question::Question;
use crate::domain::words::Verdict;
use crate::policy::Policy;

/// When to ask again. Not the tight promise that an answer with the ledger makes: nobody can know.
const ASK_AGAIN_AFTER: Span = Span::from_millis(30 * SECOND_MS);

/// The verdict the policy gives a purpose when nothing is known of the customer.
#[must_use]
pub fn answer(policy: &Policy, question: &Question, now: Moment) -> Answer {
    let verdict =
        policy.company.purpose(question.purpose()).map_or(Verdict::Defer, |purpose| purpose.when_blind);
    let not_before = (verdict == Verdict::Defer).then(|| question.moment(now).max(now + ASK_AGAIN_AFTER));
    let reason = Reason {
        rule: "blind".into(),
        finding: Finding::Blind,
        verdict: RuleVerdict::Refuse(verdict),
        because: "What is known of the customer cannot be looked up at the moment.".into(),
        not_before,
        shadow: false,
    };
    Answer {
        verdict,
        contact_id: question.contact_id.clone(),
        send_at: (verdict == Verdict::Allow).then(|| question.moment(now)),
        not_before,
        reasons: if verdict == Verdict::Allow { Vec::new() } else { vec![reason] },
        advice: Vec::new(),
        claims: question.tags.claims,
        budgets: Vec::new(),
        alternatives: None,
        policy: policy.mark.clone(),
        degraded: true,
    }
}
