//! A ledger that is watched: how long each operation takes, and how it ends.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use prometheus::{Histogram, IntCounter};
use tokio::time::Instant;

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span};
use crate::domain::record::Record;
use crate::domain::refusal::Refusal;
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::ledger::{
    Appended, Commit, Committed, Connections, Due, Keep, Ledger, LedgerError, Loaded, Revision,
};
use crate::sealed::Sealer;

use super::ledger::LedgerMetrics;

/// A ledger that is watched.
pub struct MeasuredLedger {
    ledger: Arc<dyn Ledger>,
    load: Operation,
    commit: Operation,
    load_many: Operation,
    commit_many: Operation,
    erase: Operation,
    refusals: Operation,
    add_refusals: Operation,
    set_halt: Operation,
    set_due: Operation,
    due: Operation,
    conflicts: IntCounter,
}

struct Operation {
    took: Histogram,
    failed: IntCounter,
}

impl Operation {
    async fn measured<T>(
        &self,
        work: impl Future<Output = Result<T, LedgerError>>,
    ) -> Result<T, LedgerError> {
        let began = Instant::now();
        let outcome = work.await;
        self.took.observe(began.elapsed().as_secs_f64());
        if outcome.is_err() {
            self.failed.inc();
        }
        outcome
    }

    async fn measured_all<T>(
        &self,
        work: impl Future<Output = Vec<Result<T, LedgerError>>>,
    ) -> Vec<Result<T, LedgerError>> {
        let began = Instant::now();
        let outcomes = work.await;
        self.took.observe(began.elapsed().as_secs_f64());
        self.failed.inc_by(outcomes.iter().filter(|outcome| outcome.is_err()).count() as u64);
        outcomes
    }
}

impl MeasuredLedger {
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, metrics: &LedgerMetrics) -> Self {
        let operation = |name| Operation {
            took: metrics.operations.with_label_values(&[name]),
            failed: metrics.failures.with_label_values(&[name]),
        };
        Self {
            ledger,
            load: operation("load"),
            commit: operation("commit"),
            load_many: operation("load_many"),
            commit_many: operation("commit_many"),
            erase: operation("erase"),
            refusals: operation("refusals"),
            add_refusals: operation("add_refusals"),
            set_halt: operation("set_halt"),
            set_due: operation("set_due"),
            due: operation("due"),
            conflicts: metrics.conflicts.clone(),
        }
    }
}

impl Ledger for MeasuredLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        self.load.measured(self.ledger.load(customer)).boxed()
    }

    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
        keep: Keep,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        async move {
            let commit = self.ledger.commit(customer, revision, record, keep);
            let outcome = self.commit.measured(commit).await;
            if matches!(outcome, Ok(Committed::Conflict)) {
                self.conflicts.inc();
            }
            outcome
        }
        .boxed()
    }

    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        self.load_many.measured_all(self.ledger.load_all(customers)).boxed()
    }

    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        async move {
            let outcomes = self.commit_many.measured_all(self.ledger.commit_all(commits)).await;
            let lost = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Committed::Conflict)));
            self.conflicts.inc_by(lost.count() as u64);
            outcomes
        }
        .boxed()
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.erase.measured(self.ledger.erase(customer, revision, tombstone)).boxed()
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        self.refusals.measured(self.ledger.refusals(customer)).boxed()
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.add_refusals.measured(self.ledger.add_refusals(refused)).boxed()
    }

    fn halts(&self) -> Arc<Halts> {
        self.ledger.halts()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.set_halt.measured(self.ledger.set_halt(campaign, halted_at)).boxed()
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.set_due.measured(self.ledger.set_due(customer, due_at)).boxed()
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        self.due.measured(self.ledger.due(skip, limit)).boxed()
    }

    fn sealer(&self) -> Option<&Sealer> {
        self.ledger.sealer()
    }

    fn take_turn<'a>(&'a self, chore: &'a str, span: Span) -> BoxFuture<'a, Result<bool, LedgerError>> {
        self.ledger.take_turn(chore, span)
    }

    fn offers_a_stream(&self) -> bool {
        self.ledger.offers_a_stream()
    }

    fn publish<'a>(&'a self, entry: &'a [(&'a str, String)]) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.ledger.publish(entry)
    }

    fn log_decisions<'a>(&'a self, lines: &'a [&'a [u8]], max_lines: usize) -> BoxFuture<'a, Appended> {
        self.ledger.log_decisions(lines, max_lines)
    }

    fn connections(&self) -> Option<Connections> {
        self.ledger.connections()
    }

    fn health(&self) -> Result<(), LedgerError> {
        self.ledger.health()
    }
}
