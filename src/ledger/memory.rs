//! Records in memory: for tests, `simulate` and trying things out. Nothing survives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use futures_util::future::{BoxFuture, ready};

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::refusal::{self, Refusal};
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::sealed::Sealer;

use super::due::DueIndex;
use super::keyring::Keyring;
use super::{Commit, Committed, Due, DueNote, Ledger, LedgerError, Loaded, Revision};

#[derive(Default)]
pub struct MemoryLedger {
    keyring: OnceLock<Option<Keyring>>,
    records: Mutex<HashMap<Box<str>, Loaded>>,
    refusals: Mutex<HashMap<Box<str>, Vec<Refusal>>>,
    halts: RwLock<Arc<Halts>>,
    due: Mutex<DueIndex>,
}

impl MemoryLedger {
    /// How many customers there is a record of.
    #[must_use]
    pub fn customers(&self) -> usize {
        lock(&self.records).len()
    }

    /// Forgets customers of whose records nothing is needed any more. Only where nobody is about to commit: a
    /// record that is made anew begins with the first revision again.
    pub fn forget_unless(&self, is_needed: impl Fn(&Record) -> bool) {
        let mut records = lock(&self.records);
        let mut due = lock(&self.due);
        records.retain(|customer, standing| {
            let is_kept = standing.tombstone.is_some() || is_needed(&standing.record);
            if !is_kept {
                due.set(customer, None);
            }
            is_kept
        });
    }

    /// Changes what stands if its revision holds, and with it the note of what is due. In memory an id may stand
    /// beside a tombstone: it is gone with the process.
    fn replace(
        &self,
        customer: &Name,
        revision: Revision,
        due: DueNote,
        change: impl FnOnce(&mut Loaded),
    ) -> Committed {
        let mut records = lock(&self.records);
        let standing = records.entry((&**customer).into()).or_insert_with(Loaded::absent);
        if standing.revision != revision {
            return Committed::Conflict;
        }
        standing.revision = Revision(revision.0 + 1);
        change(standing);
        // Under the lock of the records: notes come in the order of the commits.
        if let Some((customer, due_at)) = due.of(customer) {
            lock(&self.due).set(&customer, due_at);
        }
        Committed::Stored
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger for MemoryLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        let loaded = lock(&self.records).get(customer).cloned();
        Box::pin(ready(Ok(loaded.unwrap_or_else(Loaded::absent))))
    }

    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<Committed, LedgerError>> {
        let Commit { customer, revision, mut record, due, keep: _ } = commit;
        if let Some(record) = Arc::get_mut(&mut record) {
            record.trim();
        }
        let committed = self.replace(&customer, revision, due, |standing| standing.record = record);
        Box::pin(ready(Ok(committed)))
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        let committed = self.replace(&customer.into(), revision, DueNote::Gone, |standing| {
            standing.record = Arc::default();
            standing.tombstone = Some(tombstone);
        });
        if committed == Committed::Stored {
            lock(&self.refusals).remove(customer);
        }
        Box::pin(ready(Ok(committed)))
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        Box::pin(ready(Ok(lock(&self.refusals).get(customer).cloned().unwrap_or_default())))
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        for (customer, refusals) in refused {
            let tombstone =
                lock(&self.records).get(&*customer).and_then(|standing| standing.tombstone.clone());
            let mut all = lock(&self.refusals);
            refusal::add_all(all.entry((&*customer).into()).or_default(), refusals, tombstone.as_deref());
        }
        Box::pin(ready(Ok(())))
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
        lock(&self.due).set(customer, due_at);
        Box::pin(ready(Ok(())))
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        let page = lock(&self.due).page(skip, limit);
        Box::pin(ready(Ok(page)))
    }

    fn sealer(&self) -> Option<&Sealer> {
        // The same names each time, as `simulate` promises; nothing outlives the process that they could give away.
        let keyring = self.keyring.get_or_init(|| Keyring::new(&["memory".into()], None));
        keyring.as_ref().map(Keyring::sealer)
    }

    fn health(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}
