//! Composition: the one place that knows every concrete type.

mod chores;
mod stop;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;

use crate::audit::{Act, AuditOpenError, Auditor};
use crate::clock::Clock;
use crate::decision_log::{DecisionLog, DecisionLogError};
use crate::domain::words::Name;
use crate::gate::witness::Witness;
use crate::gate::{Gate, Terms};
use crate::heralds;
use crate::http;
use crate::http::tls::{CertificateError, Certificates};
use crate::ledger::embedded::EmbeddedLedger;
use crate::ledger::journal::{Journal, JournalError};
use crate::ledger::memory::MemoryLedger;
use crate::ledger::redis::RedisLedger;
use crate::ledger::watched::{Listener, WatchedLedger};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::reload::{Opened, ReloadError, Reloader};
use crate::settings::{LedgerUrl, Settings, keys};
use crate::telemetry::exporter::Exporter;
use crate::telemetry::ledger_spans::LedgerSpans;
use crate::telemetry::spans::Recorder;

/// Why an instance does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the policy is refused:\n{0}")]
    Policy(#[from] ReloadError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    DecisionLog(#[from] DecisionLogError),
    #[error(transparent)]
    Audit(#[from] AuditOpenError),
    #[error("{0}")]
    Certificates(#[from] CertificateError),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: SocketAddr, error: std::io::Error },
    #[error("stopped: {0}")]
    Stopped(#[from] std::io::Error),
}

/// A running instance.
pub struct App {
    server: Server,
    address: SocketAddr,
    gate: Arc<Gate>,
    logs: http::Logs,
    draining: http::Draining,
    drain_delay: Duration,
    exporter: Option<Rc<Exporter>>,
}

impl App {
    /// Reads the policy, opens the ledger, listens. Must be called within an actix system.
    ///
    /// # Errors
    /// When any of that cannot be done; nothing is left open then.
    pub fn start(settings: &Settings) -> Result<Self, AppError> {
        Self::start_with(settings, Clock::System)
    }

    /// Starts on a clock of the caller's.
    ///
    /// # Errors
    /// As [`App::start`].
    pub fn start_with(settings: &Settings, clock: Clock) -> Result<Self, AppError> {
        let opened = Opened::read(settings)?;
        let metrics = Arc::new(Metrics::new().map_err(std::io::Error::other)?);
        let exporter = exporter(settings, &clock);
        if let Some(exporter) = &exporter {
            chores::send_spans(exporter);
        }
        let spans = exporter.as_ref().map(|exporter| exporter.recorder());
        let mut listeners = vec![Arc::clone(&metrics.ledger) as Arc<dyn Listener>];
        listeners.extend(spans.as_ref().map(|spans| Arc::new(LedgerSpans::new(Arc::clone(spans))) as _));
        let ledger = Arc::new(WatchedLedger::new(ledger(settings, &clock)?, listeners));
        let terms = Terms {
            journal: journal(settings)?,
            refusals: settings.keeps_refusals.then(Arc::default),
            announces: true,
            witness: Some(Arc::clone(&metrics.decisions) as Arc<dyn Witness>),
            ..terms(settings)
        };
        let gate = Arc::new(Gate::new(opened.force(), ledger, terms));
        let decision_log = settings.decision_log.as_ref();
        let decision_log = decision_log.map(|log| DecisionLog::open(log, &gate).map(Arc::new)).transpose()?;
        if let Some(log) = &decision_log {
            chores::log_decisions(log);
        }
        let policy = gate.policy();
        let auditor = audit(settings, Act::policy_in_force(&policy.mark), &clock)?;
        if let Some(auditor) = &auditor {
            chores::tell_head(auditor);
        }
        let reloader = Reloader::new(
            opened,
            Arc::clone(&gate),
            Arc::clone(&metrics),
            auditor.clone(),
            settings.retention,
            clock.now(),
        );
        let reloader = Arc::new(reloader);
        chores::reload(&reloader, settings.policy_look_every, &clock)?;
        let heralds = heralds::appointed(settings, &gate, spans.as_ref());
        let logs = http::Logs { decision_log, auditor, spans };
        chores::start(settings, &gate, heralds, &metrics, &clock);
        let certificates = settings.tls.as_ref().map(Certificates::load).transpose()?.map(Arc::new);
        if let Some(certificates) = &certificates {
            chores::look_at_certificates(certificates, &metrics);
        }
        let now = clock.now();
        let draining = http::Draining::default();
        let (server, address) =
            http::serve(settings, certificates, &reloader, &metrics, logs.clone(), &draining, clock)
                .map_err(|error| AppError::Listen { listen: settings.listen, error })?;
        let known: Vec<&str> = policy.company.channels.iter().map(|channel| &*channel.name).collect();
        for doubt in keys::doubts(&settings.keys, &known, now) {
            tracing::warn!("{doubt}");
        }
        if settings.tls.is_none() && !settings.listen.ip().is_loopback() {
            tracing::warn!(
                "keys and questions travel in clear to {}: set [tls], or see that something before this program \
                 does",
                settings.listen
            );
        }
        let callers = match settings.keys.len() {
            0 => "callers need no keys, so only this machine is served".to_owned(),
            1 => "callers need a key; there is one".to_owned(),
            keys => format!("callers need a key; there are {keys}"),
        };
        tracing::info!(
            %address,
            policy = &*policy.mark.version,
            hash = &*policy.mark.hash,
            rules = policy.rules.len(),
            time_zone = policy.company.zone.name(),
            "listening; {callers}"
        );
        if settings.policy.is_none() {
            tracing::info!(
                "no policy is given: the courtesy preset is in force, and hours are judged in UTC where nobody knows the customer's time zone"
            );
        }
        let drain_delay = settings.drain_delay;
        Ok(Self { server, address, gate, logs, draining, drain_delay, exporter })
    }

    /// Where it listens; of interest when the port was 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// For stopping it from outside.
    #[must_use]
    pub fn handle(&self) -> actix_web::dev::ServerHandle {
        self.server.handle()
    }

    /// Serves until SIGINT, SIGTERM or [`App::handle`] stops it; what was accepted is finished.
    ///
    /// # Errors
    /// When the server fails, or signals cannot be heard.
    pub async fn run_until_stopped(self) -> Result<(), AppError> {
        let stopping = stop::on_signal(self.server.handle(), self.draining, self.drain_delay)?;
        let served = self.server.await;
        stopping.abort();
        served?;
        chores::finish(&self.gate, &self.logs, self.exporter.as_deref()).await;
        tracing::info!("stopped");
        Ok(())
    }
}

fn exporter(settings: &Settings, clock: &Clock) -> Option<Rc<Exporter>> {
    let export = settings.tracing.export.as_ref()?;
    let recorder = Arc::new(Recorder::new(export.sample, clock.clone()));
    Some(Rc::new(Exporter::new(export, recorder)))
}

/// The audit log, where there is to be one; `start` is with what it goes on.
///
/// # Errors
/// When it cannot be written.
pub fn audit(settings: &Settings, start: Act, clock: &Clock) -> Result<Option<Arc<Auditor>>, AuditOpenError> {
    let open = |audit| Auditor::open(audit, start, clock.now()).map(Arc::new);
    settings.audit.as_ref().map(open).transpose()
}

/// The gate of an instance that listens to nobody, for a command that tells and puts. It keeps no journal
/// and no refusals: both come of what is asked.
///
/// # Errors
/// When the policy cannot be read, or the ledger not be opened.
pub fn open_gate(settings: &Settings, clock: &Clock) -> Result<Gate, AppError> {
    Ok(Gate::new(Opened::read(settings)?.force(), ledger(settings, clock)?, terms(settings)))
}

/// What is the same for every gate on the ledger of these settings.
fn terms(settings: &Settings) -> Terms {
    Terms { retention: settings.retention, patience: Some(settings.ledger_timeout), ..Terms::default() }
}

fn ledger(settings: &Settings, clock: &Clock) -> Result<Arc<dyn Ledger>, LedgerError> {
    let secrets: Vec<Name> = settings.privacy_secrets.iter().map(|secret| secret.expose().into()).collect();
    Ok(match &settings.ledger {
        LedgerUrl::Memory => Arc::new(MemoryLedger::default()),
        LedgerUrl::Embedded(directory) => Arc::new(EmbeddedLedger::open(directory, clock.now(), &secrets)?),
        LedgerUrl::Redis(url) => {
            Arc::new(RedisLedger::open(url, &settings.redis, &secrets, http::workers(settings))?)
        }
    })
}

/// What a ledger in memory forgets, no journal need remember.
fn journal(settings: &Settings) -> Result<Option<Arc<Journal>>, JournalError> {
    match &settings.journal {
        Some(directory) if settings.ledger != LedgerUrl::Memory => {
            Journal::open(directory.clone()).map(|journal| Some(Arc::new(journal)))
        }
        _ => Ok(None),
    }
}
