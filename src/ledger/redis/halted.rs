//! The campaigns halted on every instance: one hash that all of them watch.
//!
//! A change is published, so that others learn of it in milliseconds; and everybody reads the hash
//! twice a second, so that they learn of it even where publishing fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::StreamExt;
use redis::aio::PubSub;
use redis::{RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::domain::halts::Halts;
use crate::domain::moment::Moment;

use super::link::{Link, Request};
use super::opener::Opener;

/// Half of the second within which a halt must be in force everywhere.
const POLL: Duration = Duration::from_millis(500);

pub struct Halted {
    link: Arc<Link>,
    /// The hash's key, and the channel its changes are published on.
    key: String,
    known: ArcSwap<Halts>,
    /// Whether it has ever been read.
    is_known: AtomicBool,
    /// Reading and replacing go together, so that an older reading never replaces a newer one.
    reading: Mutex<()>,
}

impl Halted {
    #[must_use]
    pub fn new(link: Arc<Link>, key: String) -> Self {
        Self {
            link,
            key,
            known: ArcSwap::default(),
            is_known: AtomicBool::new(false),
            reading: Mutex::default(),
        }
    }

    #[must_use]
    pub fn known(&self) -> Arc<Halts> {
        self.known.load_full()
    }

    /// Sees that the halts have been read once: before that nobody can be told yes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn ready(&self) -> RedisResult<()> {
        if self.is_known.load(Ordering::Acquire) { Ok(()) } else { self.read().await }
    }

    /// Halts a campaign, or lifts its halt, and lets the others know.
    ///
    /// # Errors
    /// When it is not stored. That others could not be told is none: they look.
    pub async fn set(&self, campaign: &str, halted_at: Option<Moment>) -> RedisResult<()> {
        let mut change = redis::Cmd::new();
        match halted_at {
            // A campaign already halted keeps its first moment.
            Some(at) => change.arg("HSETNX").arg(&self.key).arg(campaign).arg(at.millis()),
            None => change.arg("HDEL").arg(&self.key).arg(campaign),
        };
        self.send(change).await?;
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&self.key).arg(campaign);
        if let Err(error) = self.send(publish).await {
            tracing::warn!(%error, "a halt is stored, but the other instances were not told; they look twice a second");
        }
        self.read().await
    }

    /// Follows the hash for as long as the ledger lives.
    pub async fn watch(self: Arc<Self>, opener: Arc<Opener>) {
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard: Option<PubSub> = None;
        loop {
            if let Some(open) = &mut heard {
                let told = tokio::select! {
                    told = async { open.on_message().next().await } => Some(told.is_some()),
                    _ = poll.tick() => None,
                };
                if told == Some(false) {
                    heard = None;
                }
            } else {
                poll.tick().await;
            }
            let read = self.read().await;
            if read.is_err() {
                // Whatever is wrong, an old subscription may have died of it without a word.
                heard = None;
            } else if heard.is_none() {
                // What changed while this was made is found by the next look.
                heard = opener.subscribe(&self.key).await.ok();
            }
        }
    }

    async fn read(&self) -> RedisResult<()> {
        let _reading = self.reading.lock().await;
        let mut all = redis::cmd("HGETALL");
        all.arg(&self.key);
        let halts: Vec<(String, i64)> = redis::from_redis_value(self.send(all).await?)?;
        let halts: Halts =
            halts.into_iter().map(|(campaign, at)| (campaign.into(), Moment::from_millis(at))).collect();
        if **self.known.load() != halts {
            self.known.store(Arc::new(halts));
        }
        self.is_known.store(true, Ordering::Release);
        Ok(())
    }

    async fn send(&self, command: redis::Cmd) -> RedisResult<Value> {
        self.link.send(self.key.as_bytes(), &Request::Command(command)).await
    }
}
