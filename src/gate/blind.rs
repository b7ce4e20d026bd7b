//! Answers without the ledger: the purpose's `when_blind`, plainly marked, and what is allowed so kept
//! on disk until the ledger can be told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::decide;
use crate::domain::answer::{Answer, Finding, Reason, RuleVerdict};
use crate::domain::contact::Contact;
use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, SECOND_MS, Span};
use crate::domain::question::{Misuse, Question};
use crate::domain::words::Verdict;
use crate::ledger::LedgerError;
use crate::ledger::journal::Entry;
use crate::policy::Policy;

use super::Gate;

/// When to ask again. Not the tight promise that an answer with the ledger makes: nobody can know.
const ASK_AGAIN_AFTER: Span = Span::from_millis(30 * SECOND_MS);

/// How long the journal's disk may take; an answer must not wait for a disk that hangs.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(1);

impl Gate {
    pub(super) async fn ask_blind(
        &self,
        question: &Question,
        now: Moment,
        error: &LedgerError,
    ) -> Result<Answer, Vec<Misuse>> {
        self.spell.one_more(error);
        let known = self.known_blind(question)?;
        let misuses: Vec<_> = question.misplaced(now).collect();
        if known.is_none() && !misuses.is_empty() {
            return Err(misuses);
        }
        let mut answer = answer(&self.policy(), &self.ledger.halts(), question, now);
        if answer.verdict == Verdict::Allow {
            let contact = match known {
                Some(known) => known,
                None => self.journalled(question, now).await,
            };
            answer.send_at = Some(contact.reserved_at);
        }
        Ok(answer)
    }

    /// The contact as it was allowed blind before: the same question asked again keeps its moment.
    fn known_blind(&self, question: &Question) -> Result<Option<Contact>, Vec<Misuse>> {
        let Some(journal) = &self.terms.journal else { return Ok(None) };
        let mut on_their_way = journal.on_their_way(&question.customer).into_iter();
        match on_their_way.find(|known| known.contact.id == question.contact_id) {
            Some(known) if known.contact.question == Some(question.fingerprint) => Ok(Some(known.contact)),
            Some(_) => Err(vec![Misuse::ContactIdTaken]),
            None => Ok(None),
        }
    }

    /// The contact, kept for the ledger.
    async fn journalled(&self, question: &Question, now: Moment) -> Contact {
        let contact = question.reservation(question.moment(now));
        let Some(journal) = &self.terms.journal else { return contact };
        let entry = Entry { customer: question.customer.clone(), contact: contact.clone(), asked_at: now };
        match tokio::time::timeout(JOURNAL_PATIENCE, journal.keep(entry)).await {
            Ok(Ok(())) => {}
            // The policy says that this purpose goes ahead whatever happens; that it will not be counted
            // is for the operator to know.
            Ok(Err(error)) => tracing::error!(%error, "allowed blind, and will never be counted"),
            Err(_) => tracing::error!("allowed blind, and may never be counted: the journal does not answer"),
        }
        contact
    }
}

/// A time during which questions are answered blind, told apart from a single one.
#[derive(Debug, Default)]
pub struct Spell {
    answers: AtomicU64,
    /// How many there were when somebody last looked.
    seen: AtomicU64,
}

impl Spell {
    /// Another answer was given blind; the first of a spell is logged.
    fn one_more(&self, error: &LedgerError) {
        if self.answers.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(%error, "answering blind");
        }
    }

    /// Looks whether the spell is over: no answer has been blind since the last look. Its end is logged.
    pub fn look(&self) {
        let answers = self.answers.load(Ordering::Relaxed);
        if answers == 0 || answers != self.seen.swap(answers, Ordering::Relaxed) {
            return;
        }
        if self.answers.compare_exchange(answers, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::info!(answers, "no longer answering blind");
        }
    }
}

/// The verdict the policy gives a purpose when nothing is known of the customer. A campaign known to be
/// halted stays so.
#[must_use]
pub fn answer(policy: &Policy, halts: &Halts, question: &Question, now: Moment) -> Answer {
    let purpose = policy.company.purpose(question.purpose());
    let stops = decide::stops(policy, halts, question, now);
    let verdict = if stops.is_empty() {
        purpose.map_or(Verdict::Defer, |purpose| purpose.when_blind)
    } else {
        Verdict::Deny
    };
    let not_before = (verdict == Verdict::Defer).then(|| question.moment(now).max(now + ASK_AGAIN_AFTER));
    let blind = Reason {
        rule: "blind".into(),
        finding: Finding::Blind,
        verdict: RuleVerdict::Refuse(verdict),
        because: "What is known of the customer cannot be looked up at the moment.".into(),
        not_before,
        shadow: false,
    };
    let reasons = match verdict {
        Verdict::Allow => Vec::new(),
        Verdict::Defer | Verdict::Handoff | Verdict::Deny if stops.is_empty() => vec![blind],
        Verdict::Defer | Verdict::Handoff | Verdict::Deny => stops,
    };
    Answer {
        verdict,
        contact_id: question.contact_id.clone(),
        send_at: (verdict == Verdict::Allow).then(|| question.moment(now)),
        not_before,
        reasons,
        advice: decide::undeclared(question).into_iter().collect(),
        claims: question.tags.claims,
        budgets: Vec::new(),
        alternatives: None,
        follow_up: None,
        policy: policy.mark.clone(),
        degraded: true,
        aside: None,
    }
}
