//! Those who tell others of follow-ups: a webhook, and a stream in Redis.

mod stream;
mod webhook;

use std::sync::Arc;

use crate::gate::Gate;
use crate::gate::announce::Herald;
use crate::settings::Settings;
use crate::telemetry::spans::Recorder;

/// The heralds that the settings ask for.
#[must_use]
pub fn appointed(
    settings: &Settings,
    gate: &Arc<Gate>,
    spans: Option<&Arc<Recorder>>,
) -> Vec<Box<dyn Herald>> {
    let webhook = settings
        .webhook
        .as_ref()
        .map(|webhook| Box::new(webhook::Webhook::new(webhook, spans.cloned())) as _);
    let stream = Box::new(stream::Stream::new(Arc::clone(gate)));
    webhook.into_iter().chain([stream as Box<dyn Herald>]).collect()
}
