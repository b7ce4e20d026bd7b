//! Which policies judge, since when, and how the last reload went.

use prometheus::{Gauge, GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result};

use crate::domain::answer::PolicyMark;
use crate::domain::moment::{Moment, SECOND_MS};

use super::making::{counters, fine_gauge, fine_gauges, gauge, gauges};

/// What may come of a look at the policy files that somebody asked for, or that found them changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    Swapped,
    /// They say what is in force.
    Unchanged,
    Refused,
}

impl Reloaded {
    const ALL: [Self; 3] = [Self::Swapped, Self::Unchanged, Self::Refused];

    const fn name(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

pub struct PolicyMetrics {
    info: IntGaugeVec,
    loaded: GaugeVec,
    reloads: IntCounterVec,
    last_successful: IntGauge,
    last_success: Gauge,
}

impl PolicyMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let reloads = counters(
            registry,
            "policy_reloads_total",
            "Reloads of the policy, by outcome: `swapped`, `unchanged`, or `refused`, which leaves the old one in \
             force.",
            &["outcome"],
        )?;
        for outcome in Reloaded::ALL {
            reloads.with_label_values(&[outcome.name()]);
        }
        Ok(Self {
            info: gauges(
                registry,
                "policy_info",
                "1 for each policy that judges: the one `in_force`, and the `shadow` that is only tried.",
                &["slot", "version", "hash"],
            )?,
            loaded: fine_gauges(
                registry,
                "policy_loaded_timestamp_seconds",
                "Since when the policy judges, in seconds since 1970.",
                &["slot"],
            )?,
            reloads,
            last_successful: gauge(
                registry,
                "policy_last_reload_successful",
                "1 while what the policy files say is in force; 0 since one of them was refused.",
            )?,
            last_success: fine_gauge(
                registry,
                "policy_last_reload_success_timestamp_seconds",
                "When the policy was last loaded, or found to be what is in force, in seconds since 1970.",
            )?,
        })
    }

    /// These judge from now on.
    pub fn in_force(&self, in_force: &PolicyMark, shadow: Option<&PolicyMark>, since: Moment) {
        self.info.reset();
        self.loaded.reset();
        for (slot, mark) in std::iter::once(("in_force", in_force)).chain(shadow.map(|mark| ("shadow", mark)))
        {
            self.info.with_label_values(&[slot, &mark.version, &mark.hash]).set(1);
            self.loaded.with_label_values(&[slot]).set(seconds(since));
        }
    }

    /// A policy file was to be loaded anew.
    pub fn reloaded(&self, outcome: Reloaded) {
        self.reloads.with_label_values(&[outcome.name()]).inc();
    }

    /// The files were loaded; `successful`: what they say is in force.
    pub fn loaded(&self, successful: bool, now: Moment) {
        self.last_successful.set(i64::from(successful));
        if successful {
            self.last_success.set(seconds(now));
        }
    }
}

fn seconds(moment: Moment) -> f64 {
    moment.millis() as f64 / SECOND_MS as f64
}
