//! Where to listen, which ledger, which limits: layered from the documented default file, the
//! operator's file, the environment and flags, every mistake found at once.

mod audit;
mod client_key;
mod decision_log;
pub mod keys;
mod ledger_url;
mod overload;
mod reading;
mod redis;
mod secrets;
mod tls;
mod tracing;
mod webhook;
mod wishes_page;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, Environment, File, FileFormat};
use serde_json::Value;

use crate::domain::moment::Span;

pub use self::tracing::{ExportSettings, Ratio, TracingSettings, inherited_trace};
pub use audit::AuditSettings;
pub use client_key::client_key;
pub use decision_log::{DecisionLogSettings, LogTo, LoggedIds};
pub use keys::{KeySettings, Rate};
pub use ledger_url::{LedgerUrl, Node, RedisUrl, Secret, Topology};
pub use overload::OverloadSettings;
pub use redis::RedisSettings;
pub use tls::TlsSettings;
pub use webhook::WebhookSettings;
pub use wishes_page::WishesPageSettings;

use reading::Reading;

/// The documented default file is the default.
pub const DEFAULTS: &str = include_str!("../config/settings.toml");

const ENVIRONMENT_PREFIX: &str = "CONTACT_GOVERNOR";

/// Everything an instance needs to know before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Who may call; empty: anybody on this machine.
    pub keys: Vec<KeySettings>,
    /// How often those may call who need no key; `None`: as often as they like.
    pub rate: Option<Rate>,
    /// 0: one a core.
    pub workers: usize,
    pub max_connections: usize,
    pub max_body_bytes: usize,
    pub request_timeout: Duration,
    pub keep_alive: Duration,
    /// How long a client may take none of its answer.
    pub answer_timeout: Duration,
    pub shutdown_timeout: Duration,
    /// How long the program goes on listening once it was asked to stop.
    pub drain_delay: Duration,
    pub max_batch_lines: u64,
    pub max_batch_time: Duration,
    /// `None`: without TLS.
    pub tls: Option<TlsSettings>,
    pub overload: OverloadSettings,
    pub ledger: LedgerUrl,
    /// How long an ask may wait for the ledger, all in all.
    pub ledger_timeout: Duration,
    pub retention: Option<Span>,
    pub redis: RedisSettings,
    /// What keys the names under which those are kept who were erased, the present one first; empty: the ledger
    /// makes and keeps one.
    pub privacy_secrets: Vec<Secret>,
    /// How often all follow-ups are looked through.
    pub follow_ups_look: Duration,
    /// Who is told of follow-ups; `None`: nobody.
    pub webhook: Option<WebhookSettings>,
    /// Whether timelines show what was refused.
    pub keeps_refusals: bool,
    /// Where blind allows wait for the ledger; `None`: nowhere.
    pub journal: Option<PathBuf>,
    /// `None`: the policy that ships with the program.
    pub policy: Option<PathBuf>,
    /// A policy that judges as well, without effect.
    pub shadow: Option<PathBuf>,
    /// How often the policy files are looked at.
    pub policy_look_every: Duration,
    pub wishes_page: WishesPageSettings,
    /// Where every decision is logged; `None`: nowhere.
    pub decision_log: Option<DecisionLogSettings>,
    /// Where it is written who changed what; `None`: nowhere.
    pub audit: Option<AuditSettings>,
    /// What seals the audit log, whether or not this instance writes one.
    pub audit_secrets: Vec<Secret>,
    pub log_level: String,
    pub log_json: bool,
    pub tracing: TracingSettings,
}

/// What flags say.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Files, each laid over the ones before it: what is no secret, and what is one.
    pub settings: Vec<PathBuf>,
    pub listen: Option<String>,
    pub ledger: Option<String>,
    pub policy: Option<PathBuf>,
}

/// Every mistake in the settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsMistakes(pub Vec<String>);

impl fmt::Display for SettingsMistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for SettingsMistakes {}

impl Settings {
    /// Layers and reads the settings. `environment` stands for the process's own in tests.
    ///
    /// # Errors
    /// Every mistake: unknown names, values that cannot be read, combinations that are not safe.
    pub fn load(
        flags: &Flags,
        environment: Option<config::Map<String, String>>,
    ) -> Result<Self, SettingsMistakes> {
        let environment = Environment::with_prefix(ENVIRONMENT_PREFIX)
            .prefix_separator("__")
            .separator("__")
            .source(environment);
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        for file in &flags.settings {
            builder = builder.add_source(File::from(file.as_path()).format(FileFormat::Toml));
        }
        builder = builder.add_source(environment);
        let overrides = [
            ("http.listen", flags.listen.clone()),
            ("ledger.url", flags.ledger.clone()),
            ("policy.file", flags.policy.as_ref().map(|path| path.display().to_string())),
        ];
        let layered = overrides
            .into_iter()
            .try_fold(builder, |builder, (key, value)| builder.set_override_option(key, value))
            .and_then(config::ConfigBuilder::<config::builder::DefaultState>::build)
            .and_then(Config::try_deserialize::<Value>)
            .map_err(|error| SettingsMistakes(vec![format!("settings: {error}")]))?;
        Self::read(&layered)
    }

    /// Where it is reached from this machine.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.listen)
    }

    fn read(layered: &Value) -> Result<Self, SettingsMistakes> {
        let mut reading = Reading::begin(layered, DEFAULTS);
        let ledger = reading.parsed("ledger.url", LedgerUrl::parse);
        let rate = keys::read_rate(&mut reading);
        let audit_secrets = reading.parsed("audit.secrets", secrets::secrets);
        let settings = Self {
            keys: keys::read(&mut reading, rate),
            rate,
            listen: reading.parsed("http.listen", |text| {
                text.parse().map_err(|_| format!("`{text}` is no address; write `127.0.0.1:8080`"))
            }),
            workers: reading.number("http.workers", 0, 512),
            max_connections: reading.number("http.max_connections", 1, 1_000_000),
            max_body_bytes: reading.number("http.max_body_bytes", 1_024, 1 << 30),
            request_timeout: reading.seconds("http.request_timeout"),
            keep_alive: reading.seconds("http.keep_alive"),
            answer_timeout: reading.duration("http.answer_timeout"),
            shutdown_timeout: reading.duration("http.shutdown_timeout"),
            drain_delay: reading.duration_or_none("http.drain_delay"),
            max_batch_lines: reading.number("http.max_batch_lines", 1, 1 << 40) as u64,
            max_batch_time: reading.duration("http.max_batch_time"),
            tls: tls::read(&mut reading),
            overload: overload::read(&mut reading),
            decision_log: decision_log::read(&mut reading, &ledger),
            audit: audit::read(&mut reading, &audit_secrets),
            audit_secrets,
            ledger,
            ledger_timeout: reading.duration("ledger.timeout"),
            retention: reading.parsed("ledger.retention", |text| {
                if text.is_empty() {
                    return Ok(None);
                }
                Span::parse(text).map(Some).ok_or_else(|| format!("`{text}` is not a duration; write `90d`"))
            }),
            redis: redis::read(&mut reading),
            privacy_secrets: reading.parsed("privacy.secrets", secrets::secrets),
            follow_ups_look: reading.duration("follow_ups.look_every"),
            webhook: webhook::read(&mut reading),
            keeps_refusals: reading.parsed("timeline.refusals", |text| match text {
                "true" => Ok(true),
                "false" => Ok(false),
                other => Err(format!("`{other}` is neither true nor false")),
            }),
            journal: reading.file("journal.directory"),
            policy: reading.file("policy.file"),
            shadow: reading.file("shadow.policy"),
            policy_look_every: reading.duration("policy.look_every"),
            wishes_page: WishesPageSettings {
                secret: reading.parsed("wishes_page.secret", secrets::secret),
                former_secrets: reading.parsed("wishes_page.former_secrets", secrets::secrets),
            },
            log_level: reading.parsed("log.level", |text| {
                let filter = tracing_subscriber::EnvFilter::try_new(text);
                filter.map(|_| text.to_owned()).map_err(|error| format!("`{text}` is no log filter: {error}"))
            }),
            log_json: reading.parsed("log.format", |text| match text {
                "text" => Ok(false),
                "json" => Ok(true),
                other => Err(format!("`{other}` is no log format; write `text` or `json`")),
            }),
            tracing: tracing::read(&mut reading),
        };
        if !settings.listen.ip().is_loopback() && settings.keys.is_empty() {
            reading.mistakes.push(format!(
                "setting http.listen: {} can be reached from other machines, which is refused as long as callers \
                 need no keys; listen on a loopback address, as 127.0.0.1:8080, or give callers keys: \
                 `contact-governor key new`",
                settings.listen
            ));
        }
        let waiting =
            if settings.redis.wait_replicas == 0 { Duration::ZERO } else { settings.redis.wait_timeout };
        if settings.redis.command_timeout + waiting > settings.ledger_timeout && reading.mistakes.is_empty() {
            reading.mistakes.push(
                "setting redis.command_timeout: with redis.wait_timeout it is longer than ledger.timeout, which would \
                 end the wait for it"
                    .to_owned(),
            );
        }
        let page = &settings.wishes_page;
        if page.secret.is_none() && !page.former_secrets.is_empty() && reading.mistakes.is_empty() {
            reading.mistakes.push(
                "setting wishes_page.former_secrets: links made with them open only where wishes_page.secret is \
                 set too"
                    .to_owned(),
            );
        }
        if reading.mistakes.is_empty() { Ok(settings) } else { Err(SettingsMistakes(reading.mistakes)) }
    }
}

/// Reads a policy file; without one, the policy that ships with the program.
///
/// # Errors
/// When the file cannot be read; what it says is not looked at.
pub fn policy_text(file: Option<&Path>) -> Result<(String, String), String> {
    const SHIPPED: &str = include_str!("../config/policy.toml");
    match file {
        None => Ok(("config/policy.toml".to_owned(), SHIPPED.to_owned())),
        Some(file) => match std::fs::read_to_string(file) {
            Ok(text) => Ok((file.display().to_string(), text)),
            Err(error) => Err(format!("cannot read the policy `{}`: {error}", file.display())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> config::Map<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_default_file_is_sound() {
        let settings = Settings::load(&Flags::default(), Some(environment(&[]))).expect("the defaults");
        assert_eq!(settings.listen, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(settings.ledger, LedgerUrl::Embedded("./data".into()));
    }

    #[test]
    fn flags_win_over_the_environment() {
        let pairs = [
            ("CONTACT_GOVERNOR__HTTP__LISTEN", "127.0.0.1:9000"),
            ("CONTACT_GOVERNOR__LEDGER__URL", "memory:"),
            ("CONTACT_GOVERNOR__HTTP__MAX_BODY_BYTES", "2048"),
        ];
        let flags = Flags { listen: Some("127.0.0.1:9100".to_owned()), ..Flags::default() };
        let settings = Settings::load(&flags, Some(environment(&pairs))).expect("settings");
        assert_eq!(settings.listen.port(), 9100);
        assert_eq!(settings.ledger, LedgerUrl::Memory);
        assert_eq!(settings.max_body_bytes, 2048);
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        let pairs = [
            ("CONTACT_GOVERNOR__HTTP__LISTEN", "localhost"),
            ("CONTACT_GOVERNOR__HTTP__WORKERS", "many"),
            ("CONTACT_GOVERNOR__LEDGER__URL", "mysql://somewhere"),
            ("CONTACT_GOVERNOR__LEDGER__TIMEOUT", "soon"),
            ("CONTACT_GOVERNOR__LOG__FORMAT", "xml"),
            ("CONTACT_GOVERNOR__HTTP__LISTN", "127.0.0.1:1"),
        ];
        let mistakes =
            Settings::load(&Flags::default(), Some(environment(&pairs))).expect_err("six mistakes");
        assert_eq!(mistakes.0.len(), 6, "{mistakes}");
        assert!(mistakes.to_string().contains("did you mean `http.listen`"), "{mistakes}");
    }

    #[test]
    fn without_keys_only_loopback_is_served() {
        let flags = Flags { listen: Some("0.0.0.0:8080".to_owned()), ..Flags::default() };
        let mistakes = Settings::load(&flags, Some(environment(&[]))).expect_err("refused");
        assert!(mistakes.to_string().contains("loopback"), "{mistakes}");
    }
}
