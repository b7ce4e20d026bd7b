//! What the handlers ask the gate to change, each noted in the decision log once it is done.

use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::tombstone::Tombstone;
use crate::gate::ask::Wanted;
use crate::gate::follow_up::FollowUpError;
use crate::gate::put::{Put, PutError};
use crate::gate::tell::Told;
use crate::ledger::LedgerError;
use crate::wire::follow_up::Done;
use crate::wire::problem::Problem;

use super::Shared;

impl Shared {
    /// Reads a question and answers it.
    ///
    /// # Errors
    /// When it cannot be judged.
    pub async fn ask(&self, asked: Value, wanted: Wanted, now: Moment) -> Result<Answer, Problem> {
        let question = self.questions.read(&asked, now, Self::mint)?;
        self.metrics.undeclared(question.undeclared);
        let seen = self.decision_log.as_ref().map(|log| log.seen(asked, &question));
        let answer = self.gate.ask(&question, wanted, now).await;
        let answer = answer.map_err(|misuses| Problem::misused(&misuses))?;
        if let (Some(log), Some(seen)) = (&self.decision_log, seen) {
            log.asked(&seen, &answer, now);
        }
        Ok(answer)
    }

    /// Tells what was read of `sent`: an event, or a list of them.
    ///
    /// # Errors
    /// When the ledger cannot store it.
    pub async fn tell(&self, sent: &Value, told: &[Told], now: Moment) -> Result<(), LedgerError> {
        self.gate.tell(told, now).await?;
        if let Some(log) = &self.decision_log {
            let events = sent.as_array().map_or(std::slice::from_ref(sent), Vec::as_slice);
            for event in events {
                log.told(event, now);
            }
        }
        Ok(())
    }

    /// # Errors
    /// As [`crate::gate::Gate::put`].
    pub async fn put(&self, customer: &str, put: &Put, now: Moment) -> Result<(), PutError> {
        self.gate.put(customer, put, now).await?;
        if let Some(log) = &self.decision_log {
            log.put(customer, put, now);
        }
        Ok(())
    }

    /// Erases a customer, and returns what is kept.
    ///
    /// # Errors
    /// As [`crate::gate::Gate::erase`].
    pub async fn erase(&self, customer: &str, now: Moment) -> Result<Tombstone, LedgerError> {
        let kept = self.gate.erase(customer, now).await?;
        if let Some(log) = &self.decision_log {
            log.erased(customer, now);
        }
        Ok(kept)
    }

    /// # Errors
    /// When the ledger cannot store it.
    pub async fn halt(&self, campaign: &str, on: bool, now: Moment) -> Result<(), LedgerError> {
        self.gate.set_halt(campaign, on, now).await?;
        if let Some(log) = &self.decision_log {
            log.halted(campaign, on, now);
        }
        Ok(())
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
