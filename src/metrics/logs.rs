//! What was written to logs that must be whole, and what they lack.

use prometheus::{IntCounter, Registry, Result};

use super::making::counter;

pub struct LogMetrics {
    unshown: IntCounter,
    logged: IntCounter,
    unlogged: IntCounter,
    audited: IntCounter,
    unaudited: IntCounter,
    sent: IntCounter,
    unsent: IntCounter,
}

impl LogMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let count = |name, help| counter(registry, name, help);
        Ok(Self {
            unshown: count(
                "refusals_unrecorded_total",
                "Refusals that no timeline shows, since more came at once than may wait to be noted.",
            )?,
            logged: count("decision_log_lines_total", "Lines written to the decision log.")?,
            unlogged: count(
                "decision_log_dropped_total",
                "Lines that the decision log lacks: more came at once than may wait, or they could not be written.",
            )?,
            audited: count("audit_lines_total", "Lines written to the audit log by this process.")?,
            unaudited: count(
                "audit_unwritten_total",
                "Acts that protected customers and were done although the audit log could not be written.",
            )?,
            sent: count("spans_sent_total", "Spans that the collector has taken.")?,
            unsent: count(
                "spans_dropped_total",
                "Spans that no collector has: more came at once than may wait, or it did not take them.",
            )?,
        })
    }

    /// So many refusals were ever left out.
    pub fn unshown_refusals(&self, ever: u64) {
        come_to(&self.unshown, ever);
    }

    /// So many lines of the decision log were ever written, and so many lost.
    pub fn decision_log(&self, written: u64, dropped: u64) {
        come_to(&self.logged, written);
        come_to(&self.unlogged, dropped);
    }

    /// So many lines of the audit log were ever written, and so many acts done without one.
    pub fn audit(&self, written: u64, unwritten: u64) {
        come_to(&self.audited, written);
        come_to(&self.unaudited, unwritten);
    }

    /// So many spans were ever sent, and so many lost.
    pub fn spans(&self, sent: u64, dropped: u64) {
        come_to(&self.sent, sent);
        come_to(&self.unsent, dropped);
    }
}

fn come_to(counter: &IntCounter, ever: u64) {
    counter.inc_by(ever.saturating_sub(counter.get()));
}
