//! What operators watch, counted.

mod certificates;

use std::collections::BTreeMap;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::domain::moment::{SECOND_MS, Span};
use crate::domain::words::{Claim, ClaimSet, Name};
use crate::gate::announce::Owed;

use certificates::CertificateMetrics;

/// A quarter of an hour to a fortnight: how long people wait for people.
const WAIT_BUCKETS: [f64; 9] =
    [900.0, 3_600.0, 14_400.0, 28_800.0, 86_400.0, 172_800.0, 345_600.0, 604_800.0, 1_209_600.0];

/// The counters of one instance.
pub struct Metrics {
    registry: Registry,
    /// By place in [`Claim::ALL`].
    undeclared: Vec<IntCounter>,
    open: IntGaugeVec,
    overdue: IntGaugeVec,
    oldest: IntGaugeVec,
    waited: HistogramVec,
    unshown: IntCounter,
    logged: IntCounter,
    unlogged: IntCounter,
    throttled_requests: IntCounterVec,
    throttled_lines: IntCounterVec,
    key_uses: IntCounterVec,
    audited: IntCounter,
    unaudited: IntCounter,
    shed: IntCounter,
    /// What is counted of TLS.
    pub certificates: CertificateMetrics,
}

impl Metrics {
    /// # Errors
    /// When two metrics share a name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let undeclared = IntCounterVec::new(
            Opts::new(
                "contact_governor_undeclared_claims_total",
                "Claims that were read in a message asked about and that its sender had not declared, by claim.",
            ),
            &["claim"],
        )?;
        registry.register(Box::new(undeclared.clone()))?;
        let undeclared =
            Claim::ALL.into_iter().map(|claim| undeclared.with_label_values(&[claim.name()])).collect();
        let by_kind = |name: &str, help: &str| -> prometheus::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(Opts::new(format!("contact_governor_{name}"), help), &["kind"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let open = by_kind(
            "follow_ups_open",
            "Follow-ups that are not done, by kind; shown by the one instance that looks through them.",
        )?;
        let overdue =
            by_kind("follow_ups_overdue", "Follow-ups that should have been done by now, by kind.")?;
        let oldest = by_kind(
            "follow_ups_oldest_wait_seconds",
            "For how long the follow-up that was opened first has been open, by kind.",
        )?;
        let waited = HistogramVec::new(
            HistogramOpts::new(
                "contact_governor_follow_up_wait_seconds",
                "How long customers waited for a person, from the opening of a follow-up to its end, by kind.",
            )
            .buckets(WAIT_BUCKETS.to_vec()),
            &["kind"],
        )?;
        registry.register(Box::new(waited.clone()))?;
        let count = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(format!("contact_governor_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let unshown = count(
            "refusals_unrecorded_total",
            "Refusals that no timeline shows, since more came at once than may wait to be noted.",
        )?;
        let logged = count("decision_log_lines_total", "Lines written to the decision log.")?;
        let unlogged = count(
            "decision_log_dropped_total",
            "Lines that the decision log lacks: more came at once than may wait, or they could not be written.",
        )?;
        // Callers and keys are those of the settings, and no more.
        let by = |label: &str, name: &str, help: &str| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(Opts::new(format!("contact_governor_{name}"), help), &[label])?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let throttled_requests = by(
            "caller",
            "throttled_requests_total",
            "Requests that were refused with 429 since their caller made too many, by caller.",
        )?;
        let throttled_lines = by(
            "caller",
            "throttled_lines_total",
            "Lines of batches that had to wait since their caller asked too many, by caller.",
        )?;
        let key_uses = by("key", "key_uses_total", "Requests with a key that is known, by key.")?;
        let audited = count("audit_lines_total", "Lines written to the audit log by this process.")?;
        let unaudited = count(
            "audit_unwritten_total",
            "Acts that protected customers and were done although the audit log could not be written.",
        )?;
        let shed = count(
            "requests_shed_total",
            "Requests refused so that others are answered in time: more was asked than could be answered.",
        )?;
        let certificates = CertificateMetrics::new(&registry)?;
        Ok(Self {
            registry,
            undeclared,
            open,
            overdue,
            oldest,
            waited,
            unshown,
            logged,
            unlogged,
            throttled_requests,
            throttled_lines,
            key_uses,
            audited,
            unaudited,
            shed,
            certificates,
        })
    }

    /// How follow-ups stand, as seen by the instance whose turn it is to look; the others show nothing.
    pub fn owed(&self, kinds: &BTreeMap<Name, Owed>) {
        for gauge in [&self.open, &self.overdue, &self.oldest] {
            gauge.reset();
        }
        for (kind, owed) in kinds {
            self.open.with_label_values(&[kind]).set(owed.open as i64);
            self.overdue.with_label_values(&[kind]).set(owed.overdue as i64);
            self.oldest.with_label_values(&[kind]).set(owed.oldest.millis() / SECOND_MS);
        }
    }

    /// Somebody waited for a person so long.
    pub fn waited(&self, kind: &str, span: Span) {
        self.waited.with_label_values(&[kind]).observe(span.millis() as f64 / SECOND_MS as f64);
    }

    /// So many refusals were ever left out.
    pub fn unshown_refusals(&self, ever: u64) {
        self.unshown.inc_by(ever.saturating_sub(self.unshown.get()));
    }

    /// So many lines of the decision log were ever written, and so many lost.
    pub fn decision_log(&self, written: u64, dropped: u64) {
        self.logged.inc_by(written.saturating_sub(self.logged.get()));
        self.unlogged.inc_by(dropped.saturating_sub(self.unlogged.get()));
    }

    /// So many lines of the audit log were ever written, and so many acts done without one.
    pub fn audit(&self, written: u64, unwritten: u64) {
        self.audited.inc_by(written.saturating_sub(self.audited.get()));
        self.unaudited.inc_by(unwritten.saturating_sub(self.unaudited.get()));
    }

    /// A request was refused so that others are answered in time.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// A message claimed what its sender had not declared.
    pub fn undeclared(&self, claims: ClaimSet) {
        for claim in claims.iter() {
            if let Some(counter) = self.undeclared.get(claim as usize) {
                counter.inc();
            }
        }
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

    /// Everything, in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}
