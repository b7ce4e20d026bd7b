//! What operators watch, counted.

use std::collections::BTreeMap;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::domain::moment::{SECOND_MS, Span};
use crate::domain::words::{Claim, ClaimSet, Name};
use crate::gate::announce::Owed;

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
    shed: IntCounter,
    handshakes_failed: IntCounter,
    certificate_expiry: IntGaugeVec,
    certificates_unusable: IntCounter,
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
        let shed = count(
            "requests_shed_total",
            "Requests refused so that others are answered in time: more was asked than could be answered.",
        )?;
        let handshakes_failed = count(
            "tls_handshakes_failed_total",
            "Connections that were given up before a request could be read from them.",
        )?;
        let certificates_unusable = count(
            "certificate_reloads_failed_total",
            "Looks at the certificate files that found what cannot be used; what was in force before still is.",
        )?;
        let certificate_expiry = IntGaugeVec::new(
            Opts::new(
                "contact_governor_certificate_expiry_timestamp_seconds",
                "When the certificate in force ends, as seconds since 1970; of authorities, the one that ends first.",
            ),
            &["certificate"],
        )?;
        registry.register(Box::new(certificate_expiry.clone()))?;
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
            shed,
            handshakes_failed,
            certificate_expiry,
            certificates_unusable,
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

    /// A request was refused so that others are answered in time.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// A connection was given up before a request could be read from it.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    /// A certificate is in force until then, in seconds since 1970.
    pub fn certificate_in_force(&self, certificate: &str, until: u64) {
        self.certificate_expiry.with_label_values(&[certificate]).set(until as i64);
    }

    /// The certificate files hold what cannot be used.
    pub fn certificates_unusable(&self) {
        self.certificates_unusable.inc();
    }

    /// A message claimed what its sender had not declared.
    pub fn undeclared(&self, claims: ClaimSet) {
        for claim in claims.iter() {
            if let Some(counter) = self.undeclared.get(claim as usize) {
                counter.inc();
            }
        }
    }

    /// Everything, in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}
