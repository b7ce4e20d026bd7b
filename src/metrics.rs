//! What operators watch, counted.

mod bounded;
mod certificates;
mod decisions;
mod follow_ups;
mod http;
mod ledger;
mod logs;
mod making;
mod policy;

use std::sync::Arc;

use prometheus::{Registry, TextEncoder};

use certificates::CertificateMetrics;
use decisions::DecisionMetrics;
use follow_ups::FollowUpMetrics;
use http::HttpMetrics;
use ledger::LedgerMetrics;
use logs::LogMetrics;
use policy::PolicyMetrics;

pub use policy::Reloaded;

/// The metrics of one instance.
pub struct Metrics {
    registry: Registry,
    pub decisions: Arc<DecisionMetrics>,
    pub follow_ups: Arc<FollowUpMetrics>,
    pub http: HttpMetrics,
    pub ledger: Arc<LedgerMetrics>,
    pub policy: PolicyMetrics,
    pub logs: LogMetrics,
    /// What is counted of TLS.
    pub certificates: CertificateMetrics,
}

impl Metrics {
    /// # Errors
    /// When two metrics share a name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = making::gauges(
            &registry,
            "build_info",
            "1 for the version of the program that runs.",
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let follow_ups = Arc::new(FollowUpMetrics::new(&registry)?);
        Ok(Self {
            decisions: Arc::new(DecisionMetrics::new(&registry, Arc::clone(&follow_ups))?),
            follow_ups,
            http: HttpMetrics::new(&registry)?,
            ledger: Arc::new(LedgerMetrics::new(&registry)?),
            policy: PolicyMetrics::new(&registry)?,
            logs: LogMetrics::new(&registry)?,
            certificates: CertificateMetrics::new(&registry)?,
            registry,
        })
    }

    /// Everything, in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}
