//! What is done beside answering, for as long as the program runs.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::audit::Auditor;
use crate::audit::line::Head;
use crate::clock::Clock;
use crate::decision_log::DecisionLog;
use crate::domain::moment::Span;
use crate::gate::Gate;
use crate::gate::announce::Herald;
use crate::http::Logs;
use crate::http::tls::{CertificateError, Certificates, Expiry, Look};
use crate::metrics::{Metrics, Reloaded};
use crate::reload::Reloader;
use crate::settings::Settings;
use crate::telemetry::exporter::Exporter;

/// How soon the ledger is told what was allowed blind, once it is back.
const SETTLE: Duration = Duration::from_millis(250);
/// How many of those go by between looks for what other processes have left.
const LOOKS_APART: u64 = 40;

/// How soon the ledger is told what was refused.
const REFUSALS: Duration = Duration::from_millis(100);
/// Of at most so many customers at a time: what is refused in a rush is told a little later, so that telling takes
/// no more than a small part of what the ledger can do (some 20 µs of CPU each; four times as many took a fifth of
/// the asks that a saturated instance could answer).
const REFUSED_AT_A_TIME: usize = 250;
/// How long the end of the program waits for that.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of the program waits for a collector, which nobody depends on.
const SPANS_PATIENCE: Duration = Duration::from_secs(2);

/// How soon a decision is in the log; a crash loses what was decided since.
const LOG: Duration = Duration::from_millis(100);

/// How often the head of the audit log is told, if it has moved: whoever keeps the program's own log elsewhere has
/// something to hold the audit log against.
const HEAD: Duration = Duration::from_mins(10);

/// How soon it is told that a follow-up was opened here.
const ANNOUNCE: Duration = Duration::from_millis(250);
/// The instance that looks through all follow-ups keeps the turn for so many of its looks, so that none is missed.
const LOOKS_A_TURN: u32 = 2;

/// Begins all chores; must be called within a runtime.
pub fn start(
    settings: &Settings,
    gate: &Arc<Gate>,
    heralds: Vec<Box<dyn Herald>>,
    metrics: &Arc<Metrics>,
    clock: &Clock,
) {
    let look_every = settings.follow_ups_look;
    actix_web::rt::spawn(settle(Arc::clone(gate), clock.clone()));
    actix_web::rt::spawn(tell_refusals(Arc::clone(gate)));
    actix_web::rt::spawn(announce(look_every, Arc::clone(gate), heralds, Arc::clone(metrics), clock.clone()));
}

/// Begins to write the decision log; must be called within a runtime.
pub fn log_decisions(log: &Arc<DecisionLog>) {
    let log = Arc::clone(log);
    actix_web::rt::spawn(async move {
        let mut ticks = every(LOG);
        loop {
            ticks.tick().await;
            log.write_waiting().await;
        }
    });
}

/// Begins to send spans; must be called within a runtime.
pub fn send_spans(exporter: &Rc<Exporter>) {
    let exporter = Rc::clone(exporter);
    actix_web::rt::spawn(async move { exporter.run().await });
}

/// Begins to tell how far the audit log has come; must be called within a runtime.
pub fn tell_head(auditor: &Arc<Auditor>) {
    let auditor = Arc::clone(auditor);
    actix_web::rt::spawn(async move {
        let mut ticks = every(HEAD);
        let mut told = Head::NONE;
        loop {
            ticks.tick().await;
            if auditor.head() != told {
                told = auditor.head();
                say_head(told);
            }
        }
    });
}

/// Puts in force what the policy files say, when they change and on SIGHUP; must be called within a runtime.
///
/// # Errors
/// When the signal cannot be heard.
pub fn reload(reloader: &Arc<Reloader>, look_every: Duration, clock: &Clock) -> std::io::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    let (reloader, clock) = (Arc::clone(reloader), clock.clone());
    actix_web::rt::spawn(async move {
        let mut looks = every(look_every);
        loop {
            // What went wrong is told by whoever did it.
            tokio::select! {
                _ = looks.tick() => drop(reloader.look(clock.now()).await),
                hangup = hangups.recv() => {
                    if hangup.is_none() {
                        return;
                    }
                    tracing::info!("asked to load the policy anew");
                    if reloader.reload(clock.now()).await == Ok(Reloaded::Unchanged) {
                        tracing::info!("the policy files say what is in force");
                    }
                }
            }
        }
    });
    Ok(())
}

/// Puts new certificates in force as they appear; must be called within a runtime.
pub fn look_at_certificates(certificates: &Arc<Certificates>, metrics: &Arc<Metrics>) {
    let (certificates, metrics) = (Arc::clone(certificates), Arc::clone(metrics));
    actix_web::rt::spawn(async move {
        let mut looks = every(certificates.settings().look_every);
        loop {
            let looking = Arc::clone(&certificates);
            let look = actix_web::web::block(move || looking.look()).await;
            match look {
                Ok(Look::Same(outcome)) => note_certificates(&outcome, &metrics),
                Ok(Look::New(outcome)) => {
                    note_certificates(&outcome, &metrics);
                    match outcome {
                        Ok(_) => tracing::info!("new certificates are in force"),
                        Err(error) => {
                            tracing::error!(%error, "new certificates cannot be used; the old ones stay in force");
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "certificates were not looked at"),
            }
            looks.tick().await;
        }
    });
}

fn say_head(head: Head) {
    tracing::info!(line = head.line, hash = %head.hash, "the head of the audit log");
}

fn note_certificates(outcome: &Result<Expiry, CertificateError>, metrics: &Metrics) {
    match outcome {
        Ok(expiry) => {
            metrics.certificates.in_force("server", expiry.server);
            if let Some(until) = expiry.client_authority {
                metrics.certificates.in_force("client_authority", until);
            }
        }
        Err(_) => metrics.certificates.unusable(),
    }
}

/// What must not be left undone when the program ends.
pub async fn finish(gate: &Gate, logs: &Logs, exporter: Option<&Exporter>) {
    if let Some(auditor) = &logs.auditor {
        say_head(auditor.head());
    }
    if let Some(log) = &logs.decision_log
        && tokio::time::timeout(LAST_PATIENCE, log.write_waiting()).await.is_err()
    {
        tracing::warn!("the last decisions could not be logged in time");
    }
    let all = async { while gate.tell_refusals(REFUSED_AT_A_TIME).await > 0 {} };
    if tokio::time::timeout(LAST_PATIENCE, all).await.is_err() {
        tracing::warn!("the ledger is too slow for the last refusals; no timeline will show them");
    }
    if let Some(exporter) = exporter
        && tokio::time::timeout(SPANS_PATIENCE, exporter.send_waiting()).await.is_err()
    {
        tracing::warn!("the last spans could not be sent in time");
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Tells of follow-ups as they are opened, and looks through all of them now and then.
async fn announce(
    look_every: Duration,
    gate: Arc<Gate>,
    heralds: Vec<Box<dyn Herald>>,
    metrics: Arc<Metrics>,
    clock: Clock,
) {
    let (mut ticks, mut looks) = (every(ANNOUNCE), every(look_every));
    looks.reset();
    let turn = Span::from_millis((look_every * LOOKS_A_TURN).as_millis() as i64);
    loop {
        let is_time_to_look = tokio::select! {
            _ = ticks.tick() => false,
            _ = looks.tick() => true,
        };
        if gate.health().is_err() {
            continue;
        }
        if !is_time_to_look {
            gate.announce_fresh(&heralds, clock.now()).await;
        } else if gate.takes_turn("follow-ups", turn).await {
            let now = clock.now();
            match gate.look_through(&heralds, now).await {
                Ok(seen) => metrics.follow_ups.looked(&seen, now),
                Err(error) => {
                    tracing::warn!(%error, "follow-ups could not be looked through; they are again, soon");
                }
            }
        } else {
            metrics.follow_ups.show_nothing();
        }
    }
}

async fn tell_refusals(gate: Arc<Gate>) {
    let mut ticks = every(REFUSALS);
    loop {
        ticks.tick().await;
        // While the ledger is away they wait.
        if gate.health().is_ok() {
            gate.tell_refusals(REFUSED_AT_A_TIME).await;
        }
    }
}

/// Tells the ledger what was allowed blind, for as long as the program runs.
async fn settle(gate: Arc<Gate>, clock: Clock) {
    let mut ticks = every(SETTLE);
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
