//! How the program ends when it is asked to: it says so, goes on for as long as others may still send it questions,
//! stops listening, and finishes what it has begun.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::http::Draining;

/// Waits for a signal; must be called within a runtime. On SIGTERM the server goes on for `delay`, unless it is asked
/// again; on SIGINT nobody waits.
///
/// # Errors
/// When signals cannot be heard.
pub fn on_signal(
    server: ServerHandle,
    draining: Draining,
    delay: Duration,
) -> std::io::Result<JoinHandle<()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(actix_web::rt::spawn(async move {
        let delay = tokio::select! {
            _ = terminate.recv() => delay,
            _ = interrupt.recv() => Duration::ZERO,
        };
        draining.begin();
        tracing::info!("asked to stop");
        if !delay.is_zero() {
            let again = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            };
            let _ = tokio::time::timeout(delay, again).await;
        }
        server.stop(true).await;
    }))
}
