//! What the handlers ask the gate to change: told of in the audit log before it is done, where that wants to know, and
//! noted in the decision log afterwards.

use serde_json::Value;
use tokio::time::Instant;

use crate::audit::{Act, Acting, AuditError, Auditor};
use crate::domain::answer::Answer;
use crate::domain::caller::Caller;
use crate::domain::moment::Moment;
use crate::domain::tombstone::Tombstone;
use crate::gate::ask::Wanted;
use crate::gate::follow_up::FollowUpError;
use crate::gate::put::{Put, PutError};
use crate::gate::tell::Told;
use crate::ledger::LedgerError;
use crate::wire::follow_up::Done;
use crate::wire::problem::Problem;

use super::{Shared, channels};

/// Why something was not done.
#[derive(Debug)]
pub enum Undone<E> {
    /// No line of it could be written.
    Untold(AuditError),
    Refused(E),
}

impl Shared {
    /// Tells the audit log of acts, and does them.
    async fn audited<T, E>(
        &self,
        acting: &Acting,
        acts: impl FnOnce(&Auditor) -> Vec<Act>,
        now: Moment,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Undone<E>> {
        let Some(auditor) = &self.auditor else {
            return work.await.map_err(Undone::Refused);
        };
        let noted = auditor.record(acting, acts(auditor), now).await.map_err(Undone::Untold)?;
        let done = work.await;
        if done.is_err() {
            auditor.not_done(acting, noted, now).await;
        }
        done.map_err(Undone::Refused)
    }

    /// Reads a question and answers it.
    ///
    /// # Errors
    /// When it cannot be judged, or is not the caller's to ask.
    pub async fn ask(
        &self,
        caller: &Caller,
        asked: Value,
        wanted: Wanted,
        now: Moment,
    ) -> Result<Answer, Problem> {
        let began = Instant::now();
        let question = self.questions().read(&asked, now, Self::mint)?;
        channels::may_ask(caller, &question)?;
        let seen = self.decision_log.as_ref().map(|log| log.seen(asked, &question));
        let answer = self.gate.ask(&question, wanted, now).await;
        let mut answer = answer.map_err(|misuses| Problem::misused(&misuses))?;
        channels::limit(caller, &mut answer);
        if let (Some(log), Some(seen)) = (&self.decision_log, seen) {
            log.asked(&seen, &answer, now);
        }
        self.metrics.http.asked(began.elapsed().as_secs_f64());
        Ok(answer)
    }

    /// Tells what was read of `sent`: an event, or a list of them.
    ///
    /// # Errors
    /// When the ledger cannot store it, or the audit log cannot tell of it.
    pub async fn tell(
        &self,
        sent: &Value,
        told: &[Told],
        acting: &Acting,
        now: Moment,
    ) -> Result<(), Undone<LedgerError>> {
        self.audited(acting, |auditor| auditor.tells(told), now, self.gate.tell(told, now)).await?;
        if let Some(log) = &self.decision_log {
            let events = sent.as_array().map_or(std::slice::from_ref(sent), Vec::as_slice);
            for event in events {
                log.told(event, now);
            }
        }
        Ok(())
    }

    /// # Errors
    /// As [`crate::gate::Gate::put`], or when the audit log cannot tell of it.
    pub async fn put(
        &self,
        customer: &str,
        put: &Put,
        acting: &Acting,
        now: Moment,
    ) -> Result<(), Undone<PutError>> {
        let acts = |auditor: &Auditor| auditor.puts(customer, put);
        self.audited(acting, acts, now, self.gate.put(customer, put, now)).await?;
        if let Some(log) = &self.decision_log {
            log.put(customer, put, now);
        }
        Ok(())
    }

    /// # Errors
    /// When the ledger cannot store it, or the audit log cannot tell of it.
    pub async fn halt(
        &self,
        campaign: &str,
        on: bool,
        acting: &Acting,
        now: Moment,
    ) -> Result<(), Undone<LedgerError>> {
        let acts = |_: &Auditor| {
            let campaign = campaign.to_owned();
            vec![if on { Act::HaltSet { campaign } } else { Act::HaltLifted { campaign } }]
        };
        self.audited(acting, acts, now, self.gate.set_halt(campaign, on, now)).await?;
        if let Some(log) = &self.decision_log {
            log.halted(campaign, on, now);
        }
        Ok(())
    }

    /// Erases a customer, and returns what is kept.
    ///
    /// # Errors
    /// As [`crate::gate::Gate::erase`], or when the audit log cannot tell of it.
    pub async fn erase(
        &self,
        customer: &str,
        acting: &Acting,
        now: Moment,
    ) -> Result<Tombstone, Undone<LedgerError>> {
        let erased = self.gate.erase(customer, now);
        let kept = self.audited(acting, |auditor| auditor.erased(customer), now, erased).await?;
        if let Some(log) = &self.decision_log {
            log.erased(customer, now);
        }
        Ok(kept)
    }

    /// # Errors
    /// As [`crate::gate::Gate::done`].
    pub async fn done(&self, id: &str, done: &Done, now: Moment) -> Result<(), FollowUpError> {
        let follow_up = self.gate.done(id, done.by.as_ref(), &done.what, now).await?;
        if let Some(log) = &self.decision_log {
            log.done(&follow_up, now);
        }
        Ok(())
    }
}
