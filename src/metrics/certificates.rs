//! What is counted of TLS.

use prometheus::{IntCounter, IntGaugeVec, Registry, Result};

use super::making::{counter, gauges};

pub struct CertificateMetrics {
    handshakes_failed: IntCounter,
    expiry: IntGaugeVec,
    unusable: IntCounter,
}

impl CertificateMetrics {
    pub fn new(registry: &Registry) -> Result<Self> {
        let handshakes_failed = counter(
            registry,
            "tls_handshakes_failed_total",
            "Connections that were given up before a request could be read from them.",
        )?;
        let unusable = counter(
            registry,
            "certificate_reloads_failed_total",
            "Looks at the certificate files that found what cannot be used; what was in force before still is.",
        )?;
        let expiry = gauges(
            registry,
            "certificate_expiry_timestamp_seconds",
            "When the certificate in force ends, as seconds since 1970; of authorities, the one that ends first.",
            &["certificate"],
        )?;
        Ok(Self { handshakes_failed, expiry, unusable })
    }

    /// A connection was given up before a request could be read from it.
    pub fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    /// A certificate is in force until then, in seconds since 1970.
    pub fn in_force(&self, certificate: &str, until: u64) {
        self.expiry.with_label_values(&[certificate]).set(until as i64);
    }

    /// The certificate files hold what cannot be used.
    pub fn unusable(&self) {
        self.unusable.inc();
    }
}
