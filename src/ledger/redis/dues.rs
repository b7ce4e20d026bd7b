//! Who is owed something, and when first: one sorted set for all customers.
//!
//! Where it stands beside the records, a note is made by the script that stores the record. In a cluster it stands on
//! another node than most of them. There a note is made before the record is stored, so that no crash hides what is owed,
//! and again after, for whoever looked in between and found nothing. It is never made later than it was: that, and
//! taking it away, is left to whoever reads the list and the record it speaks of.

use redis::Cmd;

use crate::domain::moment::Moment;
use crate::ledger::{Committed, Due, LedgerError};

use super::RedisLedger;
use super::link::Request;
use super::swap::Swap;

/// What a note is called where it fails.
const NOTE: &str = "note what is due";

impl RedisLedger {
    pub(super) async fn mend_due(&self, customer: &str, due_at: Option<Moment>) -> Result<(), LedgerError> {
        let mut change = Cmd::new();
        match due_at {
            Some(at) => change.arg("ZADD").arg(&self.due_key).arg(at.millis()).arg(customer),
            None => change.arg("ZREM").arg(&self.due_key).arg(customer),
        };
        self.change_due(change).await
    }

    /// Stores a value whose note stands elsewhere.
    pub(super) async fn swap_noted_apart(
        &self,
        swap: &Swap,
        storing: impl Future<Output = Result<Committed, LedgerError>>,
    ) -> Result<Committed, LedgerError> {
        let Some((customer, Some(at))) = &swap.note else { return storing.await };
        self.note_no_later(customer, *at).await?;
        let committed = storing.await?;
        if committed == Committed::Stored
            && let Err(error) = self.note_no_later(customer, *at).await
        {
            // What is stored is stored, and it was noted before.
            tracing::warn!(%error, "a follow-up is stored, and may have been taken off the list meanwhile");
        }
        Ok(committed)
    }

    async fn note_no_later(&self, customer: &str, at: Moment) -> Result<(), LedgerError> {
        let mut change = Cmd::new();
        change.arg("ZADD").arg(&self.due_key).arg("LT").arg(at.millis()).arg(customer);
        self.change_due(change).await
    }

    async fn change_due(&self, change: Cmd) -> Result<(), LedgerError> {
        let changed = self.link.send(self.due_key.as_bytes(), &Request::Command(change)).await;
        changed.map(drop).map_err(|error| self.failed(NOTE, &error))
    }

    pub(super) async fn list_due(&self, skip: usize, limit: usize) -> Result<Vec<Due>, LedgerError> {
        let mut range = redis::cmd("ZRANGE");
        range
            .arg(&self.due_key)
            .arg(skip)
            .arg(skip.saturating_add(limit).saturating_sub(1))
            .arg("WITHSCORES");
        let reply = self.link.send(self.due_key.as_bytes(), &Request::Command(range)).await;
        let reply = reply.map_err(|error| self.failed("read what is due", &error))?;
        let due: Vec<(String, f64)> =
            redis::from_redis_value(reply).map_err(|why| LedgerError::Unreadable { why: why.to_string() })?;
        let due = due.into_iter();
        Ok(due
            .map(|(customer, at)| Due { at: Moment::from_millis(at as i64), customer: customer.into() })
            .collect())
    }
}
