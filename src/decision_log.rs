//! The decision log: what was decided, told, put, halted and erased, as the very lines that `simulate` reads, so that
//! yesterday's traffic tries out tomorrow's policy.
//!
//! No ask waits for it. Lines go into a bounded queue; a chore takes them from there to files or to a stream. What
//! does not fit, and what cannot be written, is counted and lost. It knows no rule, and holds no message's text.

mod ids;
mod line;
mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::follow_up::FollowUp;
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::gate::Gate;
use crate::gate::put::Put;
use crate::line_files::{Folder, FolderError, LineFiles, Written};
use crate::settings::{DecisionLogSettings, LogTo};
use crate::telemetry::passage;

use ids::Ids;
use queue::{Queue, Taken};

/// So many lines go to a stream at once.
const TOGETHER: usize = 24;

/// What the names of its files begin with.
const PREFIX: &str = "decisions-";

/// Why there is no log, although there is to be one.
#[derive(Debug, thiserror::Error)]
#[error("the decision log: {0}")]
pub struct DecisionLogError(#[from] FolderError);

/// The log of one instance.
pub struct DecisionLog {
    ids: Ids,
    queue: Queue,
    written: AtomicU64,
    dropped: AtomicU64,
    writer: tokio::sync::Mutex<Writer>,
}

struct Writer {
    to: Destination,
    /// Since it could not be written: how many lines were lost by then.
    failing_since: Option<u64>,
}

enum Destination {
    Files(Arc<Mutex<LineFiles>>),
    Stream { gate: Arc<Gate>, max_lines: usize },
}

/// A question that waits for its answer, as the log will say it.
#[derive(Debug)]
pub struct Seen(Value);

impl DecisionLog {
    /// Opens the log that the settings ask for; `gate` is the way to a stream.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(settings: &DecisionLogSettings, gate: &Arc<Gate>) -> Result<Self, DecisionLogError> {
        let (to, latest) = match &settings.to {
            LogTo::Files { directory, max_file_bytes, max_files } => {
                let files = LineFiles::open(Folder {
                    directory: directory.clone(),
                    prefix: PREFIX,
                    max_file_bytes: *max_file_bytes,
                    max_files: Some(*max_files),
                    // A power cut may take some decisions from the log; no ask waits for the disk.
                    is_durable: false,
                })?;
                let last = files
                    .last_line()
                    .map_err(|error| FolderError::Io { directory: directory.clone(), error })?;
                let latest = last.and_then(|line| queue::moment(&line));
                (Destination::Files(Arc::new(Mutex::new(files))), latest)
            }
            // Several instances write there, each in its own order: whoever reads it sorts it.
            LogTo::RedisStream { max_lines } => {
                (Destination::Stream { gate: Arc::clone(gate), max_lines: *max_lines }, None)
            }
        };
        Ok(Self {
            ids: Ids::new(&settings.ids),
            queue: Queue::after(latest),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            writer: tokio::sync::Mutex::new(Writer { to, failing_since: None }),
        })
    }

    /// What is kept of a question until it is answered: as it was sent, without its texts.
    #[must_use]
    pub fn seen(&self, asked: Value, question: &Question) -> Seen {
        Seen(line::seen(asked, question, &self.ids))
    }

    /// An ask and its answer.
    pub fn asked(&self, seen: &Seen, answer: &Answer, now: Moment) {
        self.add(now, &line::ask(&seen.0, answer));
    }

    /// An event that was told, as it was sent.
    pub fn told(&self, event: &Value, now: Moment) {
        self.add(now, &line::tell(event, &self.ids));
    }

    /// What was put about a customer.
    pub fn put(&self, customer: &str, put: &Put, now: Moment) {
        for line in line::puts(customer, put, &self.ids, now) {
            self.add(now, &line);
        }
    }

    /// A campaign that was halted, or goes on.
    pub fn halted(&self, campaign: &str, on: bool, now: Moment) {
        self.add(now, &line::halt(campaign, on));
    }

    /// A customer who was erased, where the log names nobody.
    pub fn erased(&self, customer: &str, now: Moment) {
        if let Some(line) = line::erase(customer, &self.ids) {
            self.add(now, &line);
        }
    }

    /// A follow-up that was done: somebody has replied.
    pub fn done(&self, follow_up: &FollowUp, now: Moment) {
        self.add(now, &line::done(follow_up, &self.ids));
    }

    /// A line says in answer to which request it is written.
    fn add(&self, now: Moment, line: &str) {
        let request = passage::request().map(|request| format!(",\"request\":\"{request}\""));
        if !self.queue.add(now, &[request.as_deref().unwrap_or_default(), line]) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were ever written.
    #[must_use]
    pub fn lines_written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines that were ever lost: more came at once than may wait, or they could not be written.
    #[must_use]
    pub fn lines_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Writes what waits; must be called within a runtime.
    pub async fn write_waiting(&self) {
        let mut writer = self.writer.lock().await;
        let taken = self.queue.take();
        if taken.lines == 0 {
            return;
        }
        let lines = taken.lines;
        let written = match &writer.to {
            Destination::Files(files) => to_files(files, taken).await,
            Destination::Stream { gate, max_lines } => to_stream(gate, *max_lines, &taken).await,
        };
        self.written.fetch_add(written.lines, Ordering::Relaxed);
        let lost_before = self.dropped.fetch_add(lines.saturating_sub(written.lines), Ordering::Relaxed);
        match (&written.failure, writer.failing_since) {
            (Some(why), None) => {
                tracing::error!(
                    why,
                    "the decision log cannot be written; decisions go on, and are not logged"
                );
                writer.failing_since = Some(lost_before);
            }
            (None, Some(before)) => {
                let lost = self.lines_dropped().saturating_sub(before);
                tracing::info!(lost, "the decision log is written again");
                writer.failing_since = None;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

async fn to_files(files: &Arc<Mutex<LineFiles>>, taken: Taken) -> Written {
    let files = Arc::clone(files);
    // Files are written where no request waits.
    let writing = tokio::task::spawn_blocking(move || {
        files.lock().unwrap_or_else(PoisonError::into_inner).append(&taken.bytes)
    });
    writing.await.unwrap_or_else(|error| Written { lines: 0, failure: Some(error.to_string()) })
}

async fn to_stream(gate: &Gate, max_lines: usize, taken: &Taken) -> Written {
    let lines: Vec<&[u8]> =
        taken.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut written = Written::default();
    for together in lines.chunks(TOGETHER) {
        let added = gate.log_decisions(together, max_lines).await;
        let (lines, failure) =
            added.map_or_else(|error| (0, Some(error)), |added| (added.lines, added.failure));
        written.lines += lines;
        if let Some(error) = failure {
            written.failure = Some(error.to_string());
            return written;
        }
    }
    written
}
