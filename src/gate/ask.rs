//! Ask: may this customer be contacted? An `allow` reserves.

use std::sync::Arc;

use crate::decide::{self, Change, Decision};
use crate::domain::answer::{Answer, Aside};
use crate::domain::contact::Fingerprint;
use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::question::{Misuse, Question};
use crate::domain::record::Record;
use crate::domain::words::{Name, Verdict};
use crate::ledger::{Committed, LedgerError, Loaded, Revision};
use crate::policy::Policy;

use super::Gate;
use super::commit::Storing;
use super::force::Force;
use super::losing::Losses;
use super::owing::Owing;

/// For how many contacts a week somebody gets, which operators watch.
const WEEK: Span = Span::from_days(7);

/// What a caller may want besides the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The other channels that would be allowed now.
    pub alternatives: bool,
}

/// One question of several.
#[derive(Debug)]
pub struct Item {
    pub question: Box<Question>,
    /// When it was asked.
    pub now: Moment,
}

/// What came of a question: its answer, or why it cannot be judged.
pub type Answered = Result<Answer, Vec<Misuse>>;

impl Gate {
    /// Judges the question and, if it is allowed, reserves the contact before saying so. When the
    /// ledger is away, the purpose's `when_blind` answers.
    ///
    /// # Errors
    /// When the question cannot be judged.
    pub async fn ask(&self, question: &Question, wanted: Wanted, now: Moment) -> Answered {
        let answered = self.ask_unnoted(question, wanted, now).await;
        if let Ok(answer) = &answered {
            self.observe(question, answer, now);
            if let Some(refusals) = &self.terms.refusals {
                refusals.note(question, answer, now);
            }
        }
        answered
    }

    /// The same, with no note of what was refused.
    pub(super) async fn ask_unnoted(&self, question: &Question, wanted: Wanted, now: Moment) -> Answered {
        match self.within(self.try_ask(question, wanted, now)).await {
            Ok(answered) => answered,
            Err(error) => self.ask_blind(question, now, &error).await,
        }
    }

    async fn try_ask(
        &self,
        question: &Question,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Answered, LedgerError> {
        let mut losses = Losses::default();
        loop {
            let loaded = self.load(&question.customer).await?;
            let mut turns = Turns::of(self, &question.customer, loaded);
            let answered = turns.take(question, wanted, now);
            let Some(storing) = turns.end(now) else { return Ok(answered) };
            match self.commit(storing, now).await? {
                Committed::Stored => return Ok(answered),
                Committed::Conflict => losses.one_more().await?,
            }
        }
    }

    /// The answer with the names by which follow-ups are known outside.
    pub(super) fn with_names(&self, mut answer: Answer) -> Answer {
        answer.follow_up = answer.follow_up.map(|follow_up| self.named(follow_up));
        answer
    }

    /// What is decided on a record, whether or not anything comes of it.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        record: &Record,
        question: &Question,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Decision, Vec<Misuse>> {
        let halts = self.ledger.halts();
        let mut decision = decide::decide(policy, &halts, record, question, now)?;
        if wanted.alternatives {
            decision.answer.alternatives = Some(alternatives(policy, &halts, record, question, now));
        }
        Ok(decision)
    }
}

/// The other channels on which the same question would be allowed.
fn alternatives(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    now: Moment,
) -> Vec<Name> {
    let others = policy.company.channels.iter().filter(|channel| *channel.name != *question.channel());
    others
        .filter(|channel| {
            let mut question = question.clone();
            question.tags.channel = Some(channel.name.clone());
            would_allow(policy, halts, record, question, now)
        })
        .map(|channel| channel.name.clone())
        .collect()
}

/// One customer's questions, judged one after the other on their record as it was loaded once.
pub(super) struct Turns<'g> {
    gate: &'g Gate,
    force: Arc<Force>,
    customer: &'g str,
    revision: Revision,
    record: Arc<Record>,
    /// What was owed before the first change; `None`: there was none.
    before: Option<Owing>,
}

impl<'g> Turns<'g> {
    pub(super) fn of(gate: &'g Gate, customer: &'g str, loaded: Loaded) -> Self {
        let Loaded { record, revision, .. } = loaded;
        Self { gate, force: gate.force(), customer, revision, record, before: None }
    }

    /// Judges the next question as if what was decided so far were stored.
    pub(super) fn take(&mut self, question: &Question, wanted: Wanted, now: Moment) -> Answered {
        let policy = &self.force.policy;
        let Decision { mut answer, change } = self.gate.judge(policy, &self.record, question, wanted, now)?;
        if self.gate.terms.witness.is_some() || self.force.shadow.is_some() {
            answer.aside = Some(Box::new(self.aside(&answer, question, now)));
        }
        if change != Change::Nothing {
            self.before.get_or_insert_with(|| self.gate.owing(self.customer, &self.record));
            enter(&mut self.record, change, &question.contact_id);
        }
        Ok(self.gate.with_names(answer))
    }

    fn aside(&self, answer: &Answer, question: &Question, now: Moment) -> Aside {
        let shadow = self.force.shadow.as_ref();
        let in_shadow =
            shadow.and_then(|shadow| shadow.judge(&self.gate.ledger.halts(), &self.record, question, now));
        let contacts_in_week = match answer.send_at {
            Some(at) => contacts_within(WEEK, &self.record, at, &answer.contact_id) + 1,
            None => 0,
        };
        Aside { in_shadow, contacts_in_week }
    }

    /// What is to be stored before any of the answers is given; `None`: nothing.
    pub(super) fn end(mut self, now: Moment) -> Option<Storing> {
        let before = self.before?;
        self.gate.compact(Arc::make_mut(&mut self.record), now);
        Some(self.gate.storing(self.customer, self.revision, self.record, before, now))
    }
}

/// How many contacts of a record, but for that of the id, lie within a span up to a moment.
fn contacts_within(span: Span, record: &Record, until: Moment, contact_id: &str) -> u32 {
    let recent = record.contacts().iter().rev().take_while(|contact| contact.at > until - span);
    let counted = recent
        .filter(|contact| contact.at <= until && contact.standing.counts() && *contact.id != *contact_id);
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
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
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    mut question: Question,
    now: Moment,
) -> bool {
    // No sender can mint an empty id, so nothing is known of it.
    question.contact_id = "".into();
    question.fingerprint = Fingerprint(0);
    decide::decide(policy, halts, record, &question, now)
        .is_ok_and(|decision| decision.answer.verdict == Verdict::Allow)
}
