//! A ledger that answers in time or not at all: bounds every operation of the one it wraps.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::record::Record;

use super::{Committed, Ledger, LedgerError, Loaded, Revision};

pub struct TimedLedger<L> {
    inner: L,
    limit: Duration,
}

impl<L: Ledger> TimedLedger<L> {
    #[must_use]
    pub const fn new(inner: L, limit: Duration) -> Self {
        Self { inner, limit }
    }

    fn bounded<'a, T: Send + 'a>(
        &'a self,
        operation: BoxFuture<'a, Result<T, LedgerError>>,
    ) -> BoxFuture<'a, Result<T, LedgerError>> {
        let slow = LedgerError::Slow { limit_ms: self.limit.as_millis() as u64 };
        Box::pin(async move { tokio::time::timeout(self.limit, operation).await.unwrap_or(Err(slow)) })
    }
}

impl<L: Ledger> Ledger for TimedLedger<L> {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        self.bounded(self.inner.load(customer))
    }

    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.bounded(self.inner.commit(customer, revision, record))
    }

    fn halts(&self) -> Arc<Halts> {
        self.inner.halts()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.bounded(self.inner.set_halt(campaign, halted_at))
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.inner.health()
    }
}
