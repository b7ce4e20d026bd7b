//! Composition: the one place that knows every concrete type.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::gate::{Gate, Terms};
use crate::http;
use crate::ledger::embedded::EmbeddedLedger;
use crate::ledger::journal::{Journal, JournalError};
use crate::ledger::memory::MemoryLedger;
use crate::ledger::redis::RedisLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::Policy;
use crate::policy::compile::compile;
use crate::policy::mistakes::Mistakes;
use crate::settings::{LedgerUrl, Settings, policy_text};

/// Why an instance does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("{0}")]
    Policy(String),
    #[error("the policy is refused:\n{0}")]
    Mistakes(#[from] Mistakes),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot listen on {listen}: {error}")]
    Listen { listen: SocketAddr, error: std::io::Error },
    #[error("stopped: {0}")]
    Stopped(#[from] std::io::Error),
}

/// A running instance.
pub struct App {
    server: Server,
    address: SocketAddr,
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
        let policy = policy(settings)?;
        if let Some(retention) =
            settings.retention.filter(|retention| *retention < policy.longest_look_back())
        {
            tracing::warn!(
                "records are kept for {}, but a rule looks back {}: it will count less than it says",
                retention.in_words(),
                policy.longest_look_back().in_words()
            );
        }
        let ledger = ledger(settings, &clock)?;
        let gate = Arc::new(gate(settings, Arc::clone(&policy), ledger, journal(settings)?));
        actix_web::rt::spawn(settle(Arc::clone(&gate), clock.clone()));
        let (server, address) = http::serve(settings, gate, clock)
            .map_err(|error| AppError::Listen { listen: settings.listen, error })?;
        tracing::info!(
            %address,
            policy = &*policy.mark.version,
            hash = &*policy.mark.hash,
            rules = policy.rules.len(),
            time_zone = policy.company.zone.name(),
            "listening; callers need no keys, so only this machine is served"
        );
        if settings.policy.is_none() {
            tracing::info!(
                "no policy is given: the courtesy preset is in force, and hours are judged in UTC where nobody knows the customer's time zone"
            );
        }
        Ok(Self { server, address })
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
    /// When the server fails.
    pub async fn run_until_stopped(self) -> Result<(), AppError> {
        self.server.await?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The gate of an instance that listens to nobody, for a command that tells and puts. It keeps no journal:
/// only what is asked is ever allowed blind.
///
/// # Errors
/// When the policy cannot be read, or the ledger not be opened.
pub fn open_gate(settings: &Settings, clock: &Clock) -> Result<Gate, AppError> {
    Ok(gate(settings, policy(settings)?, ledger(settings, clock)?, None))
}

fn policy(settings: &Settings) -> Result<Arc<Policy>, AppError> {
    let (file, text) = policy_text(settings.policy.as_deref()).map_err(AppError::Policy)?;
    Ok(Arc::new(compile(&file, &text)?))
}

fn gate(
    settings: &Settings,
    policy: Arc<Policy>,
    ledger: Arc<dyn Ledger>,
    journal: Option<Arc<Journal>>,
) -> Gate {
    let patience = Some(settings.ledger_timeout);
    Gate::new(policy, ledger, Terms { retention: settings.retention, patience, journal })
}

fn ledger(settings: &Settings, clock: &Clock) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(match &settings.ledger {
        LedgerUrl::Memory => Arc::new(MemoryLedger::default()),
        LedgerUrl::Embedded(directory) => Arc::new(EmbeddedLedger::open(directory, clock.now())?),
        LedgerUrl::Redis(url) => Arc::new(RedisLedger::open(url, &settings.redis, http::workers(settings))?),
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

/// How soon the ledger is told what was allowed blind, once it is back.
const SETTLE: Duration = Duration::from_millis(250);
/// How many of those go by between looks for what other processes have left.
const LOOKS_APART: u64 = 40;

/// Tells the ledger what was allowed blind, for as long as the program runs.
async fn settle(gate: Arc<Gate>, clock: Clock) {
    let mut ticks = tokio::time::interval(SETTLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        ticks.tick().await;
        gate.look_for_the_end_of_blindness();
        if (gate.unsettled() == 0 && tick % LOOKS_APART != 0) || gate.health().is_err() {
            continue;
        }
        match gate.settle(clock.now()).await {
            Ok(0) => {}
            Ok(contacts) => tracing::info!(contacts, "the ledger was told what had been allowed blind"),
            Err(error) => tracing::warn!(%error, "what was allowed blind still waits for the ledger"),
        }
    }
}
