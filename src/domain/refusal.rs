//! Refusals: what was asked about a customer and not allowed. For the timeline only; no rule looks at them.

use super::answer::Answer;
use super::moment::{Moment, Span};
use super::question::Question;
use super::tombstone::Tombstone;
use super::words::{Name, Tags, Verdict};

/// The most refusals kept about one customer; of more, the oldest go first.
pub const MOST_REFUSALS: usize = 30;
/// The most reasons kept of one refusal.
const MOST_REASONS: usize = 4;
/// Refusals of one kind no further apart than this are one, with a count: a dialler that tries every minute.
const TOGETHER: Span = Span::from_days(1);

/// A message that was not to be sent, perhaps asked about several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub first_at: Moment,
    /// When it was last asked about.
    pub at: Moment,
    pub times: u32,
    pub verdict: Verdict,
    pub tags: Tags,
    /// The rules that refused, each with its plain words of then.
    pub reasons: Vec<(Name, Name)>,
    pub not_before: Option<Moment>,
}

impl Refusal {
    /// What an answer refused; `None` for one that allowed.
    #[must_use]
    pub fn of(question: &Question, answer: &Answer, now: Moment) -> Option<Self> {
        if answer.verdict == Verdict::Allow {
            return None;
        }
        let reasons = answer.reasons.iter().take(MOST_REASONS);
        Some(Self {
            first_at: now,
            at: now,
            times: 1,
            verdict: answer.verdict,
            tags: question.tags.clone(),
            reasons: reasons.map(|reason| (reason.rule.clone(), reason.because.clone())).collect(),
            not_before: answer.not_before,
        })
    }

    /// Whether somebody asked the same and was told the same not long before or after.
    fn is_again(&self, other: &Self) -> bool {
        let apart = (self.first_at - other.at).max(other.first_at - self.at);
        apart <= TOGETHER
            && self.verdict == other.verdict
            && self.tags == other.tags
            && self.reasons.iter().map(|(rule, _)| rule).eq(other.reasons.iter().map(|(rule, _)| rule))
    }
}

/// Counts an answer among refusals that are known already, without making one; `false` where none is alike.
pub fn count_again(known: &mut [Refusal], question: &Question, answer: &Answer, now: Moment) -> bool {
    let rules = || answer.reasons.iter().take(MOST_REASONS).map(|reason| &reason.rule);
    let again = known.last_mut().filter(|last| {
        let is_soon = last.at <= now && now - last.at <= TOGETHER;
        is_soon
            && last.verdict == answer.verdict
            && last.tags == question.tags
            && last.reasons.iter().map(|(rule, _)| rule).eq(rules())
    });
    let Some(again) = again else { return false };
    again.times = again.times.saturating_add(1);
    (again.at, again.not_before) = (now, answer.not_before);
    true
}

/// Adds refusals to those known, but for what was asked before an erasure.
pub fn add_all(known: &mut Vec<Refusal>, new: Vec<Refusal>, tombstone: Option<&Tombstone>) {
    let is_of_now = |one: &Refusal| tombstone.is_none_or(|tombstone| one.first_at > tombstone.erased_at);
    new.into_iter().filter(is_of_now).for_each(|one| add(known, one));
}

/// Adds a refusal to those known, which stay oldest first, bounded, and each once.
pub fn add(known: &mut Vec<Refusal>, new: Refusal) {
    if let Some(again) = known.iter_mut().rev().find(|known| known.is_again(&new)) {
        again.times = again.times.saturating_add(new.times);
        again.first_at = again.first_at.min(new.first_at);
        if new.at >= again.at {
            (again.at, again.not_before, again.reasons) = (new.at, new.not_before, new.reasons);
        }
    } else {
        known.push(new);
    }
    known.sort_by_key(|refusal| refusal.at);
    let excess = known.len().saturating_sub(MOST_REFUSALS);
    known.drain(..excess);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::{Finding, PolicyMark, Reason, RuleVerdict};
    use crate::domain::words::ClaimSet;

    fn refused(hour: i64, rule: &str) -> Refusal {
        let at = Moment::from_millis(hour * 3_600_000);
        Refusal {
            first_at: at,
            at,
            times: 1,
            verdict: Verdict::Defer,
            tags: Tags { channel: Some("email".into()), ..Tags::default() },
            reasons: vec![(rule.into(), "because".into())],
            not_before: None,
        }
    }

    #[test]
    fn the_same_asked_again_is_one_refusal_with_a_count() {
        let mut known = Vec::new();
        for hour in [1, 2, 3, 40] {
            add(&mut known, refused(hour, "cap"));
        }
        add(&mut known, refused(41, "hold"));
        let shown: Vec<_> = known.iter().map(|one| (one.times, &*one.reasons[0].0)).collect();
        assert_eq!(shown, [(3, "cap"), (1, "cap"), (1, "hold")]);
        assert_eq!((known[0].first_at, known[0].at), (refused(1, "").at, refused(3, "").at));
    }

    #[test]
    fn counting_again_is_as_adding_another() {
        let answer = |rule: &str, verdict| Answer {
            verdict,
            contact_id: "m".into(),
            send_at: None,
            not_before: None,
            reasons: vec![Reason {
                rule: rule.into(),
                finding: Finding::WishedChannel,
                verdict: RuleVerdict::Refuse(verdict),
                because: "because".into(),
                not_before: None,
                shadow: false,
            }],
            advice: Vec::new(),
            claims: ClaimSet::default(),
            budgets: Vec::new(),
            alternatives: None,
            follow_up: None,
            policy: PolicyMark { version: "v".into(), hash: "h".into() },
            degraded: false,
            aside: None,
        };
        let tags = Tags { channel: Some("email".into()), ..Tags::default() };
        let asked = Question { tags, ..Question::plain("c", "email".into(), "marketing".into()) };
        let (mut counted, mut added) = (Vec::new(), Vec::new());
        for (hour, rule, verdict) in [
            (1, "cap", Verdict::Defer),
            (2, "cap", Verdict::Defer),
            (3, "cap", Verdict::Deny),
            (4, "hold", Verdict::Deny),
            (40, "hold", Verdict::Deny),
            (41, "hold", Verdict::Deny),
        ] {
            let (answer, now) = (answer(rule, verdict), Moment::from_millis(hour * 3_600_000));
            let refused = Refusal::of(&asked, &answer, now).expect("a refusal");
            add(&mut added, refused.clone());
            if !count_again(&mut counted, &asked, &answer, now) {
                add(&mut counted, refused);
            }
            assert_eq!(counted, added, "{hour} h");
        }
        assert_eq!(counted.iter().map(|one| one.times).collect::<Vec<_>>(), [2, 1, 1, 2]);
    }

    #[test]
    fn they_are_bounded_and_the_oldest_go_first() {
        let mut known = Vec::new();
        for number in 0..100 {
            add(&mut known, refused(number * 100, "cap"));
        }
        assert_eq!(known.len(), MOST_REFUSALS);
        assert_eq!(known[0].at, refused(70 * 100, "").at);
    }
}
