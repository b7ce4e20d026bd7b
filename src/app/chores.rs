//! What is done beside answering, for as long as the program runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::gate::Gate;

/// How soon the ledger is told what was allowed blind, once it is back.
const SETTLE: Duration = Duration::from_millis(250);
/// How many of those go by between looks for what other processes have left.
const LOOKS_APART: u64 = 40;

/// How soon the ledger is told what was refused.
const REFUSALS: Duration = Duration::from_millis(100);
/// Of at most so many customers at a time: what is refused in a rush is told a little later, so that telling takes
/// no more than a small part of what the ledger can do.
const REFUSED_AT_A_TIME: usize = 1_000;
/// How long the end of the program waits for that.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// Begins all chores; must be called within a runtime.
pub fn start(gate: &Arc<Gate>, clock: &Clock) {
    actix_web::rt::spawn(settle(Arc::clone(gate), clock.clone()));
    actix_web::rt::spawn(tell_refusals(Arc::clone(gate)));
}

/// What must not be left undone when the program ends.
pub async fn finish(gate: &Gate) {
    let all = async { while gate.tell_refusals(REFUSED_AT_A_TIME).await > 0 {} };
    if tokio::time::timeout(LAST_PATIENCE, all).await.is_err() {
        tracing::warn!("the ledger is too slow for the last refusals; no timeline will show them");
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
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
