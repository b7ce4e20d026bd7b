//! How long people wait for people.

use prometheus::{HistogramOpts, HistogramVec, IntGauge, IntGaugeVec, Registry, Result};

use crate::domain::moment::SECOND_MS;
use crate::gate::announce::LookedThrough;

use super::making::{gauge, gauges, register};

/// A quarter of an hour to a fortnight.
const WAIT_BUCKETS: [f64; 9] =
    [900.0, 3_600.0, 14_400.0, 28_800.0, 86_400.0, 172_800.0, 345_600.0, 604_800.0, 1_209_600.0];

pub struct FollowUpMetrics {
    open: IntGaugeVec,
    overdue: IntGaugeVec,
    oldest: IntGaugeVec,
    customers: IntGauge,
    waited: HistogramVec,
}

impl FollowUpMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let waited = HistogramOpts::new(
            "contact_governor_follow_up_wait_seconds",
            "How long customers waited for a person, from the opening of a follow-up to its end, by kind.",
        );
        Ok(Self {
            open: gauges(
                registry,
                "follow_ups_open",
                "Follow-ups that are not done, by kind; shown by the one instance that looks through them.",
                &["kind"],
            )?,
            overdue: gauges(
                registry,
                "follow_ups_overdue",
                "Follow-ups that should have been done by now, by kind.",
                &["kind"],
            )?,
            oldest: gauges(
                registry,
                "follow_ups_oldest_wait_seconds",
                "For how long the follow-up that was opened first has been open, by kind.",
                &["kind"],
            )?,
            customers: gauge(
                registry,
                "customers_waiting",
                "Customers for whom a follow-up is open: they wait for a person. 0 at all instances but the one that \
                 looks through follow-ups.",
            )?,
            waited: register(registry, HistogramVec::new(waited.buckets(WAIT_BUCKETS.to_vec()), &["kind"])?)?,
        })
    }

    /// How follow-ups stand, as seen by the instance whose turn it is to look; the others show nothing.
    pub fn stand(&self, seen: &LookedThrough) {
        for gauge in [&self.open, &self.overdue, &self.oldest] {
            gauge.reset();
        }
        self.customers.set(seen.customers as i64);
        for (kind, owed) in &seen.kinds {
            self.open.with_label_values(&[kind]).set(owed.open as i64);
            self.overdue.with_label_values(&[kind]).set(owed.overdue as i64);
            self.oldest.with_label_values(&[kind]).set(owed.oldest.millis() / SECOND_MS);
        }
    }

    /// Somebody waited for a person so long.
    pub fn waited(&self, kind: &str, seconds: f64) {
        self.waited.with_label_values(&[kind]).observe(seconds);
    }
}
