//! Ask: may this customer be contacted? An `allow` reserves.

use std::sync::Arc;

use crate::decide::{self, Change, Decision};
use crate::domain::answer::Answer;
use crate::domain::contact::Fingerprint;
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question};
use crate::domain::record::Record;
use crate::domain::words::{Name, Verdict};
use crate::ledger::{Committed, LedgerError};

use super::Gate;
use super::losing::Losses;

/// What a caller may want besides the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The other channels that would be allowed now.
    pub alternatives: bool,
}

impl Gate {
    /// Judges the question and, if it is allowed, reserves the contact before saying so. When the
    /// ledger is away, the purpose's `when_blind` answers.
    ///
    /// # Errors
    /// When the question cannot be judged.
    pub async fn ask(&self, question: &Question, wanted: Wanted, now: Moment) -> Result<Answer, Vec<Misuse>> {
        let answered = self.ask_unnoted(question, wanted, now).await;
        if let (Some(refusals), Ok(answer)) = (&self.terms.refusals, &answered) {
            refusals.note(question, answer, now);
        }
        answered
    }

    /// The same, with no note of what was refused.
    pub(super) async fn ask_unnoted(
        &self,
        question: &Question,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Answer, Vec<Misuse>> {
        let mut answered = match self.within(self.try_ask(question, wanted, now)).await {
            Ok(outcome) => outcome,
            Err(error) => self.ask_blind(question, now, &error).await,
        };
        if let Ok(answer) = &mut answered {
            answer.follow_up = answer.follow_up.take().map(|follow_up| self.named(follow_up));
        }
        answered
    }

    async fn try_ask(
        &self,
        question: &Question,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Result<Answer, Vec<Misuse>>, LedgerError> {
        let mut losses = Losses::default();
        loop {
            let loaded = self.load(&question.customer).await?;
            let Decision { answer, change } = match self.judge(&loaded.record, question, wanted, now) {
                Ok(decision) => decision,
                Err(misuses) => return Ok(Err(misuses)),
            };
            let mut record = loaded.record;
            if change == Change::Nothing {
                return Ok(Ok(answer));
            }
            let before = self.owing(&question.customer, &record);
            enter(&mut record, change, &question.contact_id);
            self.compact(Arc::make_mut(&mut record), now);
            match self.commit(&question.customer, loaded.revision, record, &before, now).await? {
                Committed::Stored => return Ok(Ok(answer)),
                Committed::Conflict => losses.one_more().await?,
            }
        }
    }

    /// What is decided on a record, whether or not anything comes of it.
    pub(super) fn judge(
        &self,
        record: &Record,
        question: &Question,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Decision, Vec<Misuse>> {
        let halts = self.ledger.halts();
        let mut decision = decide::decide(&self.policy, &halts, record, question, now)?;
        if wanted.alternatives {
            decision.answer.alternatives = Some(self.alternatives(&halts, record, question, now));
        }
        Ok(decision)
    }

    /// The other channels on which the same question would be allowed.
    fn alternatives(&self, halts: &Halts, record: &Record, question: &Question, now: Moment) -> Vec<Name> {
        let others =
            self.policy.company.channels.iter().filter(|channel| *channel.name != *question.channel());
        others
            .filter(|channel| {
                let mut question = question.clone();
                question.tags.channel = Some(channel.name.clone());
                would_allow(self, halts, record, question, now)
            })
            .map(|channel| channel.name.clone())
            .collect()
    }
}

/// Enters what was decided about the contact of that id.
pub(super) fn enter(record: &mut Arc<Record>, change: Change, contact_id: &str) {
    match change {
        Change::Nothing | Change::Confirm => {}
        Change::Reserve(contact) => Arc::make_mut(record).reserve(contact),
        Change::HandOver(event) => drop(Arc::make_mut(record).tell(event)),
        Change::Release => Arc::make_mut(record).release(contact_id),
    }
}

/// Whether a question would be allowed if it were asked under an id of its own.
pub(super) fn would_allow(
    gate: &Gate,
    halts: &Halts,
    record: &Record,
    mut question: Question,
    now: Moment,
) -> bool {
    // No sender can mint an empty id, so nothing is known of it.
    question.contact_id = "".into();
    question.fingerprint = Fingerprint(0);
    decide::decide(&gate.policy, halts, record, &question, now)
        .is_ok_and(|decision| decision.answer.verdict == Verdict::Allow)
}
