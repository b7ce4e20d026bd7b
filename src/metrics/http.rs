//! Requests, by route: how many, how long, how they end; and those that were turned away.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, Result,
};

use super::ledger::LATENCY_BUCKETS;
use super::making::{counter, counters, gauge, register};

pub struct HttpMetrics {
    requests: IntCounterVec,
    took: HistogramVec,
    in_flight: IntGauge,
    asked: Histogram,
    shed: IntCounter,
    throttled_requests: IntCounterVec,
    throttled_lines: IntCounterVec,
    key_uses: IntCounterVec,
}

impl HttpMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let took = HistogramOpts::new(
            "contact_governor_http_request_duration_seconds",
            "How long requests took from their head to the head of their answer, by method and path; what is on no \
             path of this interface is `other`.",
        );
        let asked = HistogramOpts::new(
            "contact_governor_ask_duration_seconds",
            "How long it took to read a single question, to decide it and to store what was decided.",
        );
        // Callers and keys are those of the settings, and no more.
        Ok(Self {
            requests: counters(
                registry,
                "http_requests_total",
                "Requests answered, by method, path and status.",
                &["method", "path", "status"],
            )?,
            took: register(
                registry,
                HistogramVec::new(took.buckets(LATENCY_BUCKETS.to_vec()), &["method", "path"])?,
            )?,
            in_flight: gauge(registry, "http_requests_in_flight", "Requests that are not answered yet.")?,
            asked: register(registry, Histogram::with_opts(asked.buckets(LATENCY_BUCKETS.to_vec()))?)?,
            shed: counter(
                registry,
                "requests_shed_total",
                "Requests refused so that others are answered in time: more was asked than could be answered.",
            )?,
            throttled_requests: counters(
                registry,
                "throttled_requests_total",
                "Requests that were refused with 429 since their caller made too many, by caller.",
                &["caller"],
            )?,
            throttled_lines: counters(
                registry,
                "throttled_lines_total",
                "Lines of batches that had to wait since their caller asked too many, by caller.",
                &["caller"],
            )?,
            key_uses: counters(
                registry,
                "key_uses_total",
                "Requests with a key that is known, by key.",
                &["key"],
            )?,
        })
    }

    /// A request has come.
    #[must_use]
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// What measures a method of a path.
    #[must_use]
    pub fn took(&self, method: &str, path: &str) -> Histogram {
        self.took.with_label_values(&[method, path])
    }

    /// What counts the answers of a method of a path that have a status.
    #[must_use]
    pub fn answers(&self, method: &str, path: &str, status: &str) -> IntCounter {
        self.requests.with_label_values(&[method, path, status])
    }

    /// A single question was answered after so many seconds.
    pub fn asked(&self, seconds: f64) {
        self.asked.observe(seconds);
    }

    /// A request was refused so that others are answered in time.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// What counts the requests and lines of a caller that were throttled.
    #[must_use]
    pub fn throttled(&self, caller: &str) -> (IntCounter, IntCounter) {
        let labels = [caller];
        (self.throttled_requests.with_label_values(&labels), self.throttled_lines.with_label_values(&labels))
    }

    /// What counts the uses of a key.
    #[must_use]
    pub fn key_uses(&self, key: &str) -> IntCounter {
        self.key_uses.with_label_values(&[key])
    }
}

/// A request that is not answered yet.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
