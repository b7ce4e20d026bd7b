//! Whether Redis takes writes: what it last refused, and a try now and then to learn when that is over.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::MissedTickBehavior;

use crate::ledger::LedgerError;

use super::link::{Link, Request};

/// How soon after the end of a refusal it is known: `readyz` may be all that keeps callers away.
const TRY: Duration = Duration::from_millis(500);

pub struct Writable {
    link: Arc<Link>,
    /// A key of no meaning, written only to see whether one can be.
    key: String,
    refused: ArcSwapOption<LedgerError>,
}

impl Writable {
    #[must_use]
    pub const fn new(link: Arc<Link>, key: String) -> Self {
        Self { link, key, refused: ArcSwapOption::const_empty() }
    }

    /// What became of a write.
    pub fn note(&self, refused: Option<&LedgerError>) {
        match refused {
            Some(error) => self.refused.store(Some(Arc::new(error.clone()))),
            None if self.refused.load().is_some() => self.refused.store(None),
            None => {}
        }
    }

    /// # Errors
    /// Why the last write was refused, if none has been taken since.
    pub fn health(&self) -> Result<(), LedgerError> {
        self.refused.load().as_deref().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Tries for as long as the ledger lives, and only while a refusal stands.
    pub async fn watch(self: Arc<Self>) {
        let mut tries = tokio::time::interval(TRY);
        tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tries.tick().await;
            if self.refused.load().is_some() {
                let mut set = redis::cmd("SET");
                set.arg(&self.key).arg("").arg("PX").arg(1_000);
                if self.link.send(self.key.as_bytes(), &Request::Command(set)).await.is_ok() {
                    self.refused.store(None);
                }
            }
        }
    }
}
