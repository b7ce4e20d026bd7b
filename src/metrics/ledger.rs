//! How the ledger does: how long it takes, what it fails at, and what waits for it.

use std::time::Duration;

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntGauge, IntGaugeVec, Registry, Result,
};

use crate::domain::moment::{Moment, SECOND_MS};
use crate::gate::Gate;
use crate::ledger::Connections;
use crate::ledger::watched::{Ended, Listener, Operation};

use super::making::{counter, counters, gauge, gauges, register};

/// A record in memory takes a microsecond, a commit that waits for a disk some milliseconds, a Redis that is in trouble
/// up to its timeout of some seconds.
pub const LATENCY_BUCKETS: [f64; 18] = [
    0.000_005, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05,
    0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

pub struct LedgerMetrics {
    /// Of each operation, in the order of [`Operation::ALL`].
    operations: [Measures; Operation::ALL.len()],
    conflicts: IntCounter,
    up: IntGauge,
    connections: IntGaugeVec,
    retries: IntCounter,
    journal: IntGauge,
    journal_wait: IntGauge,
}

struct Measures {
    took: Histogram,
    failed: IntCounter,
}

impl LedgerMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let took = HistogramOpts::new(
            "contact_governor_ledger_operation_duration_seconds",
            "How long the ledger took, by operation; those that ended with an error count as well. `load_many` and \
             `commit_many` are of a block of a batch.",
        );
        let took =
            register(registry, HistogramVec::new(took.buckets(LATENCY_BUCKETS.to_vec()), &["operation"])?)?;
        let failed = counters(
            registry,
            "ledger_failures_total",
            "Operations of the ledger that ended with an error, by operation; of a block of a batch, each customer's.",
            &["operation"],
        )?;
        Ok(Self {
            operations: Operation::ALL.map(|operation| Measures {
                took: took.with_label_values(&[operation.name()]),
                failed: failed.with_label_values(&[operation.name()]),
            }),
            conflicts: counter(
                registry,
                "ledger_conflicts_total",
                "Commits that came too late, since somebody else had just written the same record; each is loaded \
                 and decided again.",
            )?,
            up: gauge(
                registry,
                "ledger_up",
                "1 while the ledger can be read and written, as far as it knows; 0 while answers are blind.",
            )?,
            connections: gauges(
                registry,
                "redis_connections",
                "Connections to Redis that were wanted so far, by state: open, opening, or lost.",
                &["state"],
            )?,
            retries: counter(
                registry,
                "redis_retries_total",
                "Requests to Redis that were sent once more, since their connection had been cut.",
            )?,
            journal: gauge(
                registry,
                "journal_waiting_contacts",
                "Contacts allowed blind by this process that the ledger was not told of yet.",
            )?,
            journal_wait: gauge(
                registry,
                "journal_oldest_wait_seconds",
                "For how long contacts allowed blind have been waiting for the ledger, without a moment at which none did.",
            )?,
        })
    }

    /// How things stand with the ledger of a gate.
    pub fn stand(&self, gate: &Gate, now: Moment) {
        self.up.set(i64::from(gate.health().is_ok()));
        if let Some(Connections { open, opening, lost, retries }) = gate.ledger_connections() {
            for (state, count) in [("open", open), ("opening", opening), ("lost", lost)] {
                self.connections.with_label_values(&[state]).set(count as i64);
            }
            self.retries.inc_by(retries.saturating_sub(self.retries.get()));
        }
        self.journal.set(gate.unsettled() as i64);
        let wait = gate.unsettled_since().map_or(0, |since| (now - since).millis().max(0) / SECOND_MS);
        self.journal_wait.set(wait);
    }
}

impl Listener for LedgerMetrics {
    fn ended(&self, operation: Operation, took: Duration, Ended { failed, conflicts }: Ended) {
        if let Some(measures) = self.operations.get(operation as usize) {
            measures.took.observe(took.as_secs_f64());
            measures.failed.inc_by(failed);
        }
        self.conflicts.inc_by(conflicts);
    }
}
