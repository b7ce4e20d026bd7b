//! A webhook after the Standard Webhooks specification (standardwebhooks.com, 1.0): what happened to which
//! follow-up, signed, and sent again until somebody answers that it has arrived.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use awc::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{FutureExt, LocalBoxFuture};
use ring::hmac;
use serde_json::json;

use crate::domain::follow_up::{FollowUp, News};
use crate::domain::moment::{HOUR_MS, Moment, SECOND_MS, Span as Rest};
use crate::gate::announce::Herald;
use crate::settings::WebhookSettings;
use crate::telemetry::spans::{Kind, Recorder, Span, Value};
use crate::telemetry::trace_context::TraceContext;
use crate::wire::follow_up;

/// An endpoint that does not work is left in peace, at first for so long, and at most.
const FIRST_REST: Rest = Rest::from_millis(5 * SECOND_MS);
const LONGEST_REST: Rest = Rest::from_millis(HOUR_MS);

pub struct Webhook {
    url: String,
    keys: Vec<hmac::Key>,
    timeout: Duration,
    client: awc::Client,
    spans: Option<Arc<Recorder>>,
    /// Until when the endpoint is left in peace, and for how long that was.
    rest: Cell<Option<(Moment, Rest)>>,
}

impl Webhook {
    #[must_use]
    pub fn new(settings: &WebhookSettings, spans: Option<Arc<Recorder>>) -> Self {
        let keys = settings.secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret));
        Self {
            url: settings.url.clone(),
            keys: keys.collect(),
            timeout: settings.timeout,
            client: awc::Client::builder().timeout(settings.timeout).disable_redirects().finish(),
            spans,
            rest: Cell::new(None),
        }
    }

    /// Sends it, as the beginning of a trace of its own: what was asked or told was answered long before, and perhaps by
    /// another instance.
    async fn send(&self, id: &str, body: &str, now: Moment) -> Result<(), String> {
        let begun = TraceContext::begin();
        let recorder = self.spans.as_ref().filter(|recorder| recorder.samples(begun.trace));
        let context = if recorder.is_some() { begun.sampled() } else { begun };
        let began = recorder.map(|recorder| recorder.now());
        let outcome = self.post(id, body, context, now).await;
        if let (Some(recorder), Some(began)) = (recorder, began) {
            let ended = recorder.now();
            recorder.record(span(context, began, ended, &outcome));
        }
        match outcome {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(format!("it answered {status}")),
            Err(why) => Err(why),
        }
    }

    async fn post(
        &self,
        id: &str,
        body: &str,
        context: TraceContext,
        now: Moment,
    ) -> Result<StatusCode, String> {
        let timestamp = (now.millis() / SECOND_MS).to_string();
        let request = self
            .client
            .post(&self.url)
            .insert_header(("content-type", "application/json"))
            .insert_header(("traceparent", context.to_string()))
            .insert_header(("webhook-id", id))
            .insert_header(("webhook-timestamp", timestamp.as_str()))
            .insert_header(("webhook-signature", self.signature(id, &timestamp, body)));
        let sending = tokio::time::timeout(self.timeout, request.send_body(body.to_owned()));
        let response = sending.await.map_err(|_| "it did not answer in time".to_owned())?;
        response.map(|response| response.status()).map_err(|error| error.to_string())
    }

    /// One signature for each secret, so that secrets can be changed: whoever knows any of them can check.
    fn signature(&self, id: &str, timestamp: &str, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures = self.keys.iter().map(|key| {
            let tag = hmac::sign(key, signed.as_bytes());
            format!("v1,{}", STANDARD.encode(tag.as_ref()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }

    fn rests(&self, now: Moment) -> bool {
        self.rest.get().is_some_and(|(until, _)| now < until)
    }

    fn leave_in_peace(&self, now: Moment) {
        let longer = |(_, span): (Moment, Rest)| Rest::from_millis(span.millis() * 2).min(LONGEST_REST);
        let span = self.rest.get().map_or(FIRST_REST, longer);
        self.rest.set(Some((now + span, span)));
    }
}

/// A delivery, as a span. Where to is the operator's secret as often as not, and is left out.
fn span(context: TraceContext, began: i64, ended: i64, outcome: &Result<StatusCode, String>) -> Span {
    let mut attributes = vec![("http.request.method", Value::Text("POST".to_owned()))];
    let status = outcome.as_ref().ok();
    attributes.extend(
        status.map(|status| ("http.response.status_code", Value::Number(i64::from(status.as_u16())))),
    );
    let failed = status.is_none_or(|status| !status.is_success());
    if failed {
        let why = status.map_or_else(|| "unreachable".to_owned(), |status| status.as_u16().to_string());
        attributes.push(("error.type", Value::Text(why)));
    }
    Span {
        context,
        name: "POST webhook".to_owned(),
        kind: Kind::Client,
        began,
        ended,
        attributes,
        failed,
        state: None,
    }
}

/// What identifies the news: the same each time it is told, and saying nothing of whose it is.
fn id(news: News, follow_up: &FollowUp) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&follow_up.handle.to_bytes()).update(news.name().as_bytes());
    format!("msg_{}", hasher.finalize().to_hex().get(..32).unwrap_or_default())
}

impl Herald for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn is_listened_to(&self) -> bool {
        true
    }

    fn tell<'a>(&'a self, news: News, follow_up: &'a FollowUp, now: Moment) -> LocalBoxFuture<'a, bool> {
        async move {
            if self.rests(now) {
                return false;
            }
            let body = json!({
                "type": news.name(),
                "timestamp": now.to_string(),
                "data": follow_up::body(follow_up, now),
            });
            match self.send(&id(news, follow_up), &body.to_string(), now).await {
                Ok(()) => {
                    self.rest.set(None);
                    true
                }
                Err(why) => {
                    self.leave_in_peace(now);
                    tracing::warn!(why, "the webhook was not told of a follow-up; it is tried again");
                    false
                }
            }
        }
        .boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let settings = WebhookSettings {
            url: "http://127.0.0.1:1".to_owned(),
            secrets: vec![secret.clone(), secret],
            timeout: Duration::from_secs(1),
        };
        actix_web::rt::System::new().block_on(async move {
            let webhook = Webhook::new(&settings, None);
            let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
            assert_eq!(
                webhook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
                format!("{one} {one}")
            );
        });
    }
}
