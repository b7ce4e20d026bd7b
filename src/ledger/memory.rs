//! Records in memory: for tests, `simulate` and trying things out. Nothing survives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_util::future::{BoxFuture, ready};

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::record::Record;

use super::due::DueIndex;
use super::{Committed, Due, Keep, Ledger, LedgerError, Loaded, Revision};

#[derive(Debug, Default)]
pub struct MemoryLedger {
    records: Mutex<HashMap<Box<str>, Loaded>>,
    halts: RwLock<Arc<Halts>>,
    due: Mutex<DueIndex>,
}

impl Ledger for MemoryLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = records.get(customer).cloned();
        let absent = || Loaded { record: Arc::default(), revision: Revision::ABSENT };
        Box::pin(ready(Ok(loaded.unwrap_or_else(absent))))
    }

    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
        _keep: Keep,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let current = records.get(customer).map_or(Revision::ABSENT, |loaded| loaded.revision);
        let committed = if current == revision {
            records.insert(customer.into(), Loaded { record, revision: Revision(revision.0 + 1) });
            Committed::Stored
        } else {
            Committed::Conflict
        };
        Box::pin(ready(Ok(committed)))
    }

    fn halts(&self) -> Arc<Halts> {
        Arc::clone(&self.halts.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        let mut halts = self.halts.write().unwrap_or_else(PoisonError::into_inner);
        let halts = Arc::make_mut(&mut halts);
        match halted_at {
            Some(at) => halts.halt(campaign.into(), at),
            None => halts.lift(campaign),
        }
        Box::pin(ready(Ok(())))
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).set(customer, due_at);
        Box::pin(ready(Ok(())))
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        let page = self.due.lock().unwrap_or_else(PoisonError::into_inner).page(skip, limit);
        Box::pin(ready(Ok(page)))
    }

    fn health(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}
