//! What operators watch, counted.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use crate::domain::words::{Claim, ClaimSet};

/// The counters of one instance.
pub struct Metrics {
    registry: Registry,
    /// By place in [`Claim::ALL`].
    undeclared: Vec<IntCounter>,
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
        Ok(Self { registry, undeclared })
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
