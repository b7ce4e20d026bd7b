use std::path::PathBuf;
use std::time::Duration;

use super::{Reading, Secret};

/// How a Redis ledger is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    pub connect_timeout: Duration,
    pub command_timeout: Duration,
    /// 0: one a worker.
    pub connections: usize,
    pub key_prefix: String,
    /// How many replicas must have a write before it counts; 0: none.
    pub wait_replicas: usize,
    pub wait_timeout: Duration,
    /// PEM files; `None` trusts the usual authorities and shows no certificate.
    pub tls_authority: Option<PathBuf>,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub sentinel_username: Option<String>,
    pub sentinel_password: Option<Secret>,
}

pub(super) fn read(reading: &mut Reading) -> RedisSettings {
    let settings = RedisSettings {
        connect_timeout: reading.duration("redis.connect_timeout"),
        command_timeout: reading.duration("redis.command_timeout"),
        connections: reading.number("redis.connections", 0, 1_024),
        key_prefix: reading.parsed("redis.key_prefix", |text| match text.len() {
            0..=64 => Ok(text.to_owned()),
            _ => Err("at most 64 bytes".to_owned()),
        }),
        wait_replicas: reading.number("redis.wait_replicas", 0, 16),
        wait_timeout: reading.duration("redis.wait_timeout"),
        tls_authority: reading.file("redis.tls_authority"),
        tls_certificate: reading.file("redis.tls_certificate"),
        tls_key: reading.file("redis.tls_key"),
        sentinel_username: reading.given("redis.sentinel_username"),
        sentinel_password: reading.given("redis.sentinel_password").map(Secret::new),
    };
    if settings.tls_certificate.is_some() != settings.tls_key.is_some() {
        reading
            .mistakes
            .push("setting redis.tls_certificate: a certificate and redis.tls_key go together".to_owned());
    }
    settings
}
