//! A ledger whose operations are spans of the requests that need them. There is one only where spans are sent.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use crate::domain::halts::Halts;
use crate::domain::moment::{Moment, Span as Duration};
use crate::domain::record::Record;
use crate::domain::refusal::Refusal;
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::ledger::{
    Appended, Commit, Committed, Connections, Due, Keep, Ledger, LedgerError, Loaded, Revision,
};
use crate::sealed::Sealer;

use super::passage;
use super::spans::{Kind, Recorder, Span, Value};

/// A ledger whose operations are spans.
pub struct TracedLedger {
    ledger: Arc<dyn Ledger>,
    recorder: Arc<Recorder>,
}

impl TracedLedger {
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, recorder: Arc<Recorder>) -> Self {
        Self { ledger, recorder }
    }

    async fn traced<T>(&self, name: &str, work: impl Future<Output = T>, is_error: impl Fn(&T) -> bool) -> T {
        let sampled = passage::current().map(|passage| passage.trace).filter(|trace| trace.is_sampled());
        let Some(trace) = sampled else { return work.await };
        let began = self.recorder.now();
        let outcome = work.await;
        let failed = is_error(&outcome);
        let error = failed.then(|| ("error.type", Value::Text("ledger".to_owned())));
        self.recorder.record(Span {
            context: trace.child(),
            name: format!("ledger {name}"),
            kind: Kind::Internal,
            began,
            ended: self.recorder.now(),
            attributes: error.into_iter().collect(),
            failed,
            state: None,
        });
        outcome
    }

    async fn one<T>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, LedgerError>>,
    ) -> Result<T, LedgerError> {
        self.traced(name, work, Result::is_err).await
    }

    async fn many<T>(
        &self,
        name: &str,
        work: impl Future<Output = Vec<Result<T, LedgerError>>>,
    ) -> Vec<Result<T, LedgerError>> {
        self.traced(name, work, |outcomes| outcomes.iter().any(Result::is_err)).await
    }
}

impl Ledger for TracedLedger {
    fn load<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Loaded, LedgerError>> {
        self.one("load", self.ledger.load(customer)).boxed()
    }

    fn commit<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        record: Arc<Record>,
        keep: Keep,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.one("commit", self.ledger.commit(customer, revision, record, keep)).boxed()
    }

    fn load_all<'a>(&'a self, customers: &'a [&'a str]) -> BoxFuture<'a, Vec<Result<Loaded, LedgerError>>> {
        self.many("load_many", self.ledger.load_all(customers)).boxed()
    }

    fn commit_all(&self, commits: Vec<Commit>) -> BoxFuture<'_, Vec<Result<Committed, LedgerError>>> {
        self.many("commit_many", self.ledger.commit_all(commits)).boxed()
    }

    fn erase<'a>(
        &'a self,
        customer: &'a str,
        revision: Revision,
        tombstone: Arc<Tombstone>,
    ) -> BoxFuture<'a, Result<Committed, LedgerError>> {
        self.one("erase", self.ledger.erase(customer, revision, tombstone)).boxed()
    }

    fn refusals<'a>(&'a self, customer: &'a str) -> BoxFuture<'a, Result<Vec<Refusal>, LedgerError>> {
        self.one("refusals", self.ledger.refusals(customer)).boxed()
    }

    fn add_refusals(&self, refused: Vec<(Name, Vec<Refusal>)>) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.ledger.add_refusals(refused)
    }

    fn halts(&self) -> Arc<Halts> {
        self.ledger.halts()
    }

    fn set_halt<'a>(
        &'a self,
        campaign: &'a str,
        halted_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.one("set_halt", self.ledger.set_halt(campaign, halted_at)).boxed()
    }

    fn set_due<'a>(
        &'a self,
        customer: &'a str,
        due_at: Option<Moment>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        self.one("set_due", self.ledger.set_due(customer, due_at)).boxed()
    }

    fn due(&self, skip: usize, limit: usize) -> BoxFuture<'_, Result<Vec<Due>, LedgerError>> {
        self.one("due", self.ledger.due(skip, limit)).boxed()
    }

    fn sealer(&self) -> Option<&Sealer> {
        self.ledger.sealer()
    }

    fn take_turn<'a>(&'a self, chore: &'a str, span: Duration) -> BoxFuture<'a, Result<bool, LedgerError>> {
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
