//! Sends spans to a collector, in its own time: whoever is answered waits for none of it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use awc::http::StatusCode;
use awc::http::header::RETRY_AFTER;

use crate::backoff::{self, Backoff};
use crate::settings::ExportSettings;

use super::otlp::{self, Sender};
use super::spans::{Recorder, Span};

/// How soon a span is sent.
const SEND: Duration = Duration::from_secs(1);
/// Spans that a collector does not take are sent again after a while, some times; then they are lost, as what piles up
/// meanwhile may be.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// No collector says more that matters.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// Sends what a recorder keeps.
pub struct Exporter {
    recorder: Arc<Recorder>,
    settings: ExportSettings,
    sender: Sender,
    client: awc::Client,
    /// One at a time.
    turn: tokio::sync::Mutex<()>,
    is_failing: Cell<bool>,
}

/// Why spans have not arrived.
#[derive(Debug)]
struct Failure {
    why: String,
    again: Again,
}

/// When it may help to send them again.
#[derive(Clone, Copy, Debug)]
enum Again {
    Never,
    Later,
    After(Duration),
}

impl Exporter {
    /// Must be called within an actix system.
    #[must_use]
    pub fn new(settings: &ExportSettings, recorder: Arc<Recorder>) -> Self {
        let client = awc::Client::builder().timeout(settings.timeout).disable_redirects();
        let sender = Sender { service_name: settings.service_name.clone(), instance: uuid::Uuid::new_v4() };
        Self {
            recorder,
            settings: settings.clone(),
            sender,
            client: client.finish(),
            turn: tokio::sync::Mutex::new(()),
            is_failing: Cell::new(false),
        }
    }

    /// Where what is to be sent is kept.
    #[must_use]
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder)
    }

    /// Sends for as long as the program runs.
    pub async fn run(&self) {
        loop {
            // It rings when there is a lot.
            let _ = tokio::time::timeout(SEND, self.recorder.bell.notified()).await;
            self.recorder.look_at_clock();
            self.send_waiting().await;
        }
    }

    /// Sends all that waits.
    pub async fn send_waiting(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let spans = self.recorder.take();
            if spans.is_empty() {
                return;
            }
            self.send(&spans).await;
        }
    }

    async fn send(&self, spans: &[Span]) {
        let body = otlp::body(&self.sender, spans);
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match self.post(body.clone()).await {
                Ok(rejected) => {
                    let rejected = rejected.min(spans.len());
                    self.recorder.deliver(spans.len() - rejected);
                    self.recorder.lose(rejected);
                    if self.is_failing.take() {
                        tracing::info!("spans are sent again");
                    }
                    return;
                }
                Err(Failure { why, again }) => {
                    if !self.is_failing.replace(true) {
                        tracing::warn!(
                            why,
                            "spans cannot be sent; requests are answered, and some spans will be lost"
                        );
                    }
                    match again {
                        Again::Later if tries > 0 => pauses.pause().await,
                        Again::After(asked) if tries > 0 => backoff::wait(asked.min(LONGEST_PAUSE)).await,
                        Again::Never | Again::Later | Again::After(_) => {
                            return self.recorder.lose(spans.len());
                        }
                    }
                }
            }
        }
    }

    /// Returns how many spans were not taken.
    async fn post(&self, body: String) -> Result<usize, Failure> {
        let later = |why: String| Failure { why, again: Again::Later };
        let request =
            self.client.post(&self.settings.url).insert_header(("content-type", "application/json"));
        let headers = self.settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = headers.fold(request, awc::ClientRequest::insert_header);
        let sending = tokio::time::timeout(self.settings.timeout, async {
            let mut response = request.send_body(body).await.map_err(|error| later(error.to_string()))?;
            let status = response.status();
            let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
            if status.is_success() {
                // What cannot be read was taken all the same.
                let answer = response.body().limit(LONGEST_ANSWER_BYTES).await.unwrap_or_default();
                return Ok(otlp::rejected(&answer));
            }
            let is_for_now = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            let again = match wait {
                _ if !is_for_now => Again::Never,
                Some(seconds) => Again::After(Duration::from_secs(seconds)),
                None => Again::Later,
            };
            Err(Failure { why: format!("the collector answered {status}"), again })
        });
        sending.await.unwrap_or_else(|_| Err(later("the collector did not answer in time".to_owned())))
    }
}
