//! What is counted of TLS.

use prometheus::{IntCounter, IntGaugeVec, Opts, Registry};

pub struct CertificateMetrics {
    handshakes_failed: IntCounter,
    expiry: IntGaugeVec,
    unusable: IntCounter,
}

impl CertificateMetrics {
    /// # Errors
    /// When two metrics share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let handshakes_failed = IntCounter::new(
            "contact_governor_tls_handshakes_failed_total",
            "Connections that were given up before a request could be read from them.",
        )?;
        let unusable = IntCounter::new(
            "contact_governor_certificate_reloads_failed_total",
            "Looks at the certificate files that found what cannot be used; what was in force before still is.",
        )?;
        let expiry = IntGaugeVec::new(
            Opts::new(
                "contact_governor_certificate_expiry_timestamp_seconds",
                "When the certificate in force ends, as seconds since 1970; of authorities, the one that ends first.",
            ),
            &["certificate"],
        )?;
        registry.register(Box::new(handshakes_failed.clone()))?;
        registry.register(Box::new(unusable.clone()))?;
        registry.register(Box::new(expiry.clone()))?;
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
