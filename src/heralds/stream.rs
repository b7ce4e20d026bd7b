//! The stream of a ledger that offers one: what happened to which follow-up. It names nobody; whoever is told asks
//! for the follow-up by its name.

use std::sync::Arc;

use futures_util::future::{FutureExt, LocalBoxFuture};

use crate::domain::follow_up::{FollowUp, News};
use crate::domain::moment::Moment;
use crate::gate::Gate;
use crate::gate::announce::Herald;

pub struct Stream {
    gate: Arc<Gate>,
}

impl Stream {
    #[must_use]
    pub const fn new(gate: Arc<Gate>) -> Self {
        Self { gate }
    }
}

impl Herald for Stream {
    fn name(&self) -> &'static str {
        "stream"
    }

    fn is_listened_to(&self) -> bool {
        self.gate.offers_a_stream()
    }

    fn tell<'a>(&'a self, news: News, follow_up: &'a FollowUp, now: Moment) -> LocalBoxFuture<'a, bool> {
        async move {
            let Some(name) = &follow_up.name else { return false };
            let mut entry = vec![
                ("type", news.name().to_owned()),
                ("at", now.to_string()),
                ("follow_up", name.to_string()),
                ("kind", follow_up.kind.to_string()),
                ("opened_at", follow_up.opened_at.to_string()),
                ("due_at", follow_up.due_at.to_string()),
            ];
            let tags = [("channel", &follow_up.tags.channel), ("purpose", &follow_up.tags.purpose)];
            entry.extend(tags.into_iter().filter_map(|(name, tag)| Some((name, tag.as_ref()?.to_string()))));
            match self.gate.publish(&entry).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(%error, "the stream was not told of a follow-up; it is tried again");
                    false
                }
            }
        }
        .boxed_local()
    }
}
