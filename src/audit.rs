//! The audit log: who changed what, and when, in lines that nobody can change, take out or reorder unnoticed.
//!
//! A line is on the disk before what it tells of is done; what then fails is said in another line. So the log may
//! tell of one act too many, never of one too few. What protects a customer is done even when no line can be
//! written, and counted; everything else is refused then ([`Act::protects`]).

pub mod line;
pub mod verify;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::oneshot;

use crate::digest::{Digest, Digests, Of};
use crate::domain::answer::PolicyMark;
use crate::domain::caller::Caller;
use crate::domain::event::EventKind;
use crate::domain::moment::Moment;
use crate::domain::suppression::Scope;
use crate::domain::words::Name;
use crate::gate::put::{Put, SuppressionPut};
use crate::gate::tell::Told;
use crate::line_files::{Folder, FolderError, LineFiles};
use crate::settings::AuditSettings;
use crate::telemetry::passage;
use crate::telemetry::request_id::RequestId;

use line::{By, Head, Seals};

/// What the names of its files begin with.
pub const PREFIX: &str = "audit-";

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// A caller's name, or one of the program's own words for who needs none.
    pub who: Name,
    /// Which of their keys was shown, where callers need one.
    pub key: Option<Name>,
}

impl Acting {
    fn named(who: &str) -> Self {
        Self { who: who.into(), key: None }
    }

    /// Whoever calls.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self { who: caller.name.clone(), key: caller.key.clone() }
    }

    /// The customers themselves, through their own page.
    #[must_use]
    pub fn customer() -> Self {
        Self::named("customer")
    }

    /// Whoever started this program.
    #[must_use]
    pub fn operator() -> Self {
        Self::named("operator")
    }
}

/// What is audited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what")]
pub enum Act {
    /// The policy that is in force from now on.
    #[serde(rename = "policy.in_force")]
    PolicyInForce { version: String, hash: String },
    #[serde(rename = "halt.set")]
    HaltSet { campaign: String },
    #[serde(rename = "halt.lifted")]
    HaltLifted { campaign: String },
    /// `purposes` is empty where the suppression is an ordinary one.
    #[serde(rename = "suppression.set")]
    SuppressionSet {
        customer: Digest,
        channel: Channel,
        purposes: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// `purposes` is empty where all are lifted.
    #[serde(rename = "suppression.lifted")]
    SuppressionLifted { customer: Digest, channel: Channel, purposes: Vec<String> },
    #[serde(rename = "wishes.set")]
    WishesSet { customer: Digest },
    #[serde(rename = "customer.erased")]
    CustomerErased { customer: Digest },
    /// Rows of a file, stored into the ledger by the `import` command.
    #[serde(rename = "import.begun")]
    ImportBegun { kind: String, content: String },
    /// What the lines named said was not done after all.
    #[serde(rename = "not_done")]
    NotDone { lines: Vec<u64> },
    /// Half a line stood at the end of the log when the program started: it had been killed.
    #[serde(rename = "audit.torn")]
    Torn { cut_bytes: u64 },
    /// So many acts were done before this line that no line could be written of.
    #[serde(rename = "audit.gap")]
    Gap { lost: u64 },
}

/// A channel, or all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Channel(String);

impl Channel {
    fn of(channel: Option<&Name>) -> Self {
        Self(channel.map_or_else(|| "all".to_owned(), ToString::to_string))
    }
}

impl Act {
    #[must_use]
    pub fn policy_in_force(mark: &PolicyMark) -> Self {
        Self::PolicyInForce { version: mark.version.to_string(), hash: mark.hash.to_string() }
    }

    /// Whether it only keeps messages away from people. Such an act is not refused for want of a line.
    #[must_use]
    pub const fn protects(&self) -> bool {
        match self {
            Self::HaltSet { .. } | Self::SuppressionSet { .. } => true,
            Self::PolicyInForce { .. }
            | Self::HaltLifted { .. }
            | Self::SuppressionLifted { .. }
            | Self::WishesSet { .. }
            | Self::CustomerErased { .. }
            | Self::ImportBegun { .. }
            | Self::NotDone { .. }
            | Self::Torn { .. }
            | Self::Gap { .. } => false,
        }
    }
}

/// Why there is no audit log, although there is to be one.
#[derive(Debug, thiserror::Error)]
pub enum AuditOpenError {
    #[error("the audit log: {0}")]
    Folder(#[from] FolderError),
    #[error(
        "the audit log's last line cannot be gone on from: {0}; `contact-governor audit verify` says more. Move its \
         files elsewhere to begin another"
    )]
    LastLine(String),
    #[error(transparent)]
    Unwritable(#[from] AuditError),
}

/// Why something was not done: no line of it could be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written, and what it cannot tell of is not done: {why}")]
pub struct AuditError {
    pub why: String,
}

impl AuditError {
    fn writer_ended() -> Self {
        Self { why: "its writer ended".to_owned() }
    }
}

/// The lines that tell of an act which is about to be done.
#[derive(Debug, Default)]
#[must_use]
pub struct Noted {
    lines: Vec<u64>,
}

/// The audit log of one instance.
pub struct Auditor {
    digests: Digests,
    waiting: Mutex<Vec<Waiting>>,
    log: Arc<tokio::sync::Mutex<Log>>,
    progress: Arc<Progress>,
    /// Acts that were done although no line could be written of them.
    unwritten: AtomicU64,
}

/// How far the log has come, for those who only look.
struct Progress {
    head: Mutex<Head>,
    written: AtomicU64,
}

struct Waiting {
    now: Moment,
    acting: Acting,
    /// In answer to which request.
    request: Option<RequestId>,
    acts: Vec<Act>,
    done: oneshot::Sender<Result<Noted, AuditError>>,
}

struct Log {
    files: LineFiles,
    seals: Seals,
    head: Head,
    /// Acts done since the last line, of which none could be written.
    lost: u64,
    is_failing: bool,
    progress: Arc<Progress>,
}

impl Auditor {
    /// Opens the log that the settings ask for, and goes on from its last line by telling with what this program
    /// starts.
    ///
    /// # Errors
    /// When the folder cannot be used, its last line cannot be read, or nothing can be added.
    pub fn open(settings: &AuditSettings, start: Act, now: Moment) -> Result<Self, AuditOpenError> {
        let directory = settings.directory.clone();
        let files = LineFiles::open(Folder {
            directory: directory.clone(),
            prefix: PREFIX,
            max_file_bytes: settings.max_file_bytes,
            // Nothing here throws away what is there to be kept.
            max_files: None,
            is_durable: true,
        })?;
        let seals = Seals::new(&settings.secrets);
        let last = files.last_line().map_err(|error| FolderError::Io { directory, error })?;
        let head = match last {
            None => Head::NONE,
            Some(last) => {
                let read = line::read(&last, &seals).map_err(AuditOpenError::LastLine)?;
                Head { line: read.said.line, hash: read.hash }
            }
        };
        let torn =
            Some(files.torn_bytes()).filter(|bytes| *bytes > 0).map(|cut_bytes| Act::Torn { cut_bytes });
        let progress = Arc::new(Progress { head: Mutex::new(head), written: AtomicU64::new(0) });
        let mut log = Log { files, seals, head, lost: 0, is_failing: false, progress: Arc::clone(&progress) };
        let acts = torn.into_iter().chain(std::iter::once(start)).collect();
        let (done, mut outcome) = oneshot::channel();
        log.write(vec![Waiting { now, acting: Acting::operator(), request: None, acts, done }]);
        let _noted = outcome.try_recv().unwrap_or_else(|_| Err(AuditError::writer_ended()))?;
        Ok(Self {
            digests: Digests::new(settings.secrets.first().map_or("", |secret| secret.expose())),
            waiting: Mutex::default(),
            log: Arc::new(tokio::sync::Mutex::new(log)),
            progress,
            unwritten: AtomicU64::new(0),
        })
    }

    /// Tells of acts before they are done; must be called within a runtime.
    ///
    /// # Errors
    /// When they cannot be told of, and are not to be done.
    pub async fn record(&self, acting: &Acting, acts: Vec<Act>, now: Moment) -> Result<Noted, AuditError> {
        if acts.is_empty() {
            return Ok(Noted::default());
        }
        let are_done_anyway = *acting == Acting::customer() || acts.iter().all(Act::protects);
        let count = acts.len() as u64;
        let (done, outcome) = oneshot::channel();
        let waiting = Waiting { now, acting: acting.clone(), request: passage::request(), acts, done };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
        self.write_waiting().await;
        let outcome = outcome.await.unwrap_or_else(|_| Err(AuditError::writer_ended()));
        match outcome {
            Err(_) if are_done_anyway => {
                self.unwritten.fetch_add(count, Ordering::Relaxed);
                self.log.lock().await.lost += count;
                Ok(Noted::default())
            }
            outcome => outcome,
        }
    }

    /// Tells that what was told of was not done.
    pub async fn not_done(&self, acting: &Acting, noted: Noted, now: Moment) {
        if !noted.lines.is_empty() {
            let act = Act::NotDone { lines: noted.lines };
            if let Err(error) = self.record(acting, vec![act], now).await {
                tracing::error!(%error, "the audit log tells of an act that was not done");
            }
        }
    }

    /// Writes what waits, for everybody at once: whoever waits here while a sync runs shares the next one.
    async fn write_waiting(&self) {
        let mut log = Arc::clone(&self.log).lock_owned().await;
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        // Files are written where no request waits.
        let writing = tokio::task::spawn_blocking(move || log.write(waiting));
        if let Err(error) = writing.await {
            tracing::error!(%error, "the audit log's writer ended");
        }
    }

    /// What was put about a customer, as acts.
    #[must_use]
    pub fn puts(&self, customer: &str, put: &Put) -> Vec<Act> {
        let customer = self.digests.of(Of::Customer, customer);
        let wishes = put.wishes.as_ref().map(|_| Act::WishesSet { customer: customer.clone() });
        let suppressions = put.suppressions.iter().map(|put| match put {
            SuppressionPut::Suppress { channel, scopes, until, .. } => Act::SuppressionSet {
                customer: customer.clone(),
                channel: Channel::of(channel.as_ref()),
                purposes: scopes.iter().filter_map(purpose).collect(),
                until: until.map(|until| until.to_string()),
            },
            SuppressionPut::Lift { channel, purposes } => Act::SuppressionLifted {
                customer: customer.clone(),
                channel: Channel::of(channel.as_ref()),
                purposes: purposes.iter().map(ToString::to_string).collect(),
            },
        });
        wishes.into_iter().chain(suppressions).collect()
    }

    /// Those of the events told that suppress, or lift a suppression.
    #[must_use]
    pub fn tells(&self, told: &[Told]) -> Vec<Act> {
        told.iter().filter_map(|told| self.tell(told)).collect()
    }

    fn tell(&self, told: &Told) -> Option<Act> {
        let event = &told.event;
        let customer = || self.digests.of(Of::Customer, &told.customer);
        let channel = Channel::of(event.tags.channel.as_ref());
        let purposes = || event.purposes.iter().map(ToString::to_string);
        match event.kind {
            EventKind::CustomerUnsubscribed => {
                let every = event.every_purpose.then(|| "all".to_owned());
                Some(Act::SuppressionSet {
                    customer: customer(),
                    channel,
                    purposes: purposes().chain(every).collect(),
                    until: event.expires_at.map(|until| until.to_string()),
                })
            }
            EventKind::CustomerResubscribed => {
                Some(Act::SuppressionLifted { customer: customer(), channel, purposes: purposes().collect() })
            }
            _ => None,
        }
    }

    #[must_use]
    pub fn erased(&self, customer: &str) -> Vec<Act> {
        vec![Act::CustomerErased { customer: self.digests.of(Of::Customer, customer) }]
    }

    /// How far the log has come.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.progress.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines this process has written.
    #[must_use]
    pub fn lines_written(&self) -> u64 {
        self.progress.written.load(Ordering::Relaxed)
    }

    /// Acts that were done although no line could be written of them.
    #[must_use]
    pub fn acts_unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }
}

fn purpose(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Ordinary => None,
        Scope::Purpose(purpose) => Some(purpose.to_string()),
        Scope::EveryPurpose => Some("all".to_owned()),
    }
}

impl Log {
    /// Writes and syncs all lines, and tells everybody what became of theirs.
    fn write(&mut self, waiting: Vec<Waiting>) {
        let mut batch = Batch { bytes: Vec::new(), heads: Vec::new(), next: self.head };
        if self.lost > 0
            && let Some(first) = waiting.first()
        {
            let by = By { acting: &Acting::operator(), request: None };
            batch.add(first.now, by, &Act::Gap { lost: self.lost }, &self.seals);
        }
        // Who has gone away meanwhile does nothing, and nothing is told of it.
        let waiting: Vec<Waiting> = waiting.into_iter().filter(|one| !one.done.is_closed()).collect();
        let mut ends = Vec::with_capacity(waiting.len());
        for one in &waiting {
            let by = By { acting: &one.acting, request: one.request.as_ref().map(RequestId::as_str) };
            one.acts.iter().for_each(|act| batch.add(one.now, by, act, &self.seals));
            ends.push(batch.heads.len());
        }
        let written = self.files.append(&batch.bytes);
        let lines = written.lines as usize;
        if let Some(head) = lines.checked_sub(1).and_then(|last| batch.heads.get(last)) {
            self.head = *head;
            self.lost = 0;
            *self.progress.head.lock().unwrap_or_else(PoisonError::into_inner) = *head;
            self.progress.written.fetch_add(written.lines, Ordering::Relaxed);
        }
        self.say_how_it_goes(written.failure.as_deref());
        let why = written.failure.unwrap_or_default();
        for (one, end) in waiting.into_iter().zip(ends) {
            let outcome = if end <= lines {
                let own = batch.heads.get(end - one.acts.len()..end).unwrap_or_default();
                Ok(Noted { lines: own.iter().map(|head| head.line).collect() })
            } else {
                Err(AuditError { why: why.clone() })
            };
            let _ = one.done.send(outcome);
        }
    }

    fn say_how_it_goes(&mut self, failure: Option<&str>) {
        match failure {
            Some(why) if !self.is_failing => {
                tracing::error!(
                    why,
                    "the audit log cannot be written: what protects customers is done and counted, all else it should \
                     tell of is refused"
                );
            }
            None if self.is_failing => tracing::info!("the audit log is written again"),
            Some(_) | None => {}
        }
        self.is_failing = failure.is_some();
    }
}

/// Lines on their way to the file, each linked to the one before it.
struct Batch {
    bytes: Vec<u8>,
    heads: Vec<Head>,
    next: Head,
}

impl Batch {
    fn add(&mut self, now: Moment, by: By<'_>, act: &Act, seals: &Seals) {
        let written = line::write(self.next, &now.to_string(), by, act, seals);
        self.next = Head { line: self.next.line + 1, hash: line::Hash::of(&written) };
        self.heads.push(self.next);
        self.bytes.extend_from_slice(&written);
        self.bytes.push(b'\n');
    }
}
