//! The way to Redis: connections that are kept open, and a breaker before them.
//!
//! Each thread that asks has a connection of its own, served by that very thread: what several requests
//! of one thread send leaves in one write, and no answer wakes another thread. A connection that breaks
//! is made again for ever, with growing pauses; while there is none, callers are told so at once.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::ledger::{Connections, LedgerError};

use super::breaker::Breaker;
use super::opener::{Connection, Opener};

/// Between tries to connect: soon after a short absence, and not a burden on a server that is starting.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that has let so many commands in a row run into their timeout is made anew.
const TIMEOUTS_THAT_BREAK: u32 = 3;
/// Commands in flight on one connection to a cluster. From forty on the library (1.8) never recovers
/// when all of a connection's sockets are cut at once; up to thirty-two it does.
const CLUSTER_IN_FLIGHT: usize = 24;
/// Connections to a cluster at least, so that the bound above is none in practice.
const CLUSTER_CONNECTIONS: usize = 4;
/// A cluster's primaries hold ranges of its 16,384 slots; one breaker for each of 64 parts, so that one
/// primary's absence stops nobody from reaching the others.
const CLUSTER_BREAKERS: usize = 64;
const CLUSTER_SLOTS: usize = 16_384;

/// What is sent: one command, or one that counts only once replicas have it.
#[derive(Clone, Debug)]
pub enum Request {
    Command(Cmd),
    Confirmed { command: Cmd, wait: Cmd },
}

pub struct Link {
    slots: Box<[Slot]>,
    breakers: Box<[Breaker]>,
    opener: Arc<Opener>,
    patience: Duration,
    /// Somebody has a connection again: the others need not wait out their pauses.
    arrived: Arc<Notify>,
    keepers: Mutex<Vec<AbortHandle>>,
    /// Requests that were sent once more.
    retries: AtomicU64,
}

#[derive(Default)]
struct Slot {
    shared: Arc<Shared>,
    kept: OnceLock<()>,
}

struct Shared {
    state: ArcSwap<State>,
    /// The first try to connect is over.
    settled: Notify,
    /// The connection is of no use any more.
    broken: Notify,
    timeouts: AtomicU32,
    in_flight: Semaphore,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: ArcSwap::from_pointee(State::Opening),
            settled: Notify::new(),
            broken: Notify::new(),
            timeouts: AtomicU32::new(0),
            in_flight: Semaphore::new(CLUSTER_IN_FLIGHT),
        }
    }
}

enum State {
    Opening,
    Open(Connection),
    Lost(RedisError),
}

/// Threads count themselves as they first ask.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    OWN.with(|own| *own)
}

impl Link {
    /// `patience` bounds the wait for a first connection and for a turn.
    #[must_use]
    pub fn new(opener: Arc<Opener>, connections: usize, patience: Duration) -> Self {
        let least = if opener.is_cluster() { CLUSTER_CONNECTIONS } else { 1 };
        let breakers = if opener.is_cluster() { CLUSTER_BREAKERS } else { 1 };
        let epoch = Instant::now();
        Self {
            slots: (0..connections.max(least)).map(|_| Slot::default()).collect(),
            breakers: (0..breakers).map(|_| Breaker::new(epoch)).collect(),
            opener,
            patience,
            arrived: Arc::default(),
            keepers: Mutex::default(),
            retries: AtomicU64::new(0),
        }
    }

    /// Whether keys may stand on several servers.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.opener.is_cluster()
    }

    /// Sends a request about `key` and returns what the server replied.
    ///
    /// # Errors
    /// When it did not reply in time, or replied with an error.
    pub async fn send(&self, key: &[u8], request: &Request) -> RedisResult<Value> {
        let breaker = self.breaker(key);
        if breaker.is_some_and(|breaker| !breaker.admits(Instant::now)) {
            return Err(
                (ErrorKind::Client, "it did not answer a moment ago; waiting before the next try").into()
            );
        }
        let mut outcome = self.attempt(key, request).await;
        // Commits may be sent twice, so what was cut off is tried once more on the next connection.
        if outcome.as_ref().is_err_and(RedisError::is_connection_dropped) && !self.opener.is_cluster() {
            self.retries.fetch_add(1, Ordering::Relaxed);
            outcome = self.attempt(key, request).await;
        }
        let answered = outcome.as_ref().err().is_none_or(is_an_answer);
        if breaker.is_some_and(|breaker| breaker.note(answered, Instant::now)) {
            match &outcome {
                Err(why) => tracing::warn!(redis = self.opener.place(), %why, "redis does not answer"),
                Ok(_) => tracing::info!(redis = self.opener.place(), "redis answers again"),
            }
        }
        outcome
    }

    async fn attempt(&self, key: &[u8], request: &Request) -> RedisResult<Value> {
        let shared = self.slot()?;
        let state = match &**shared.state.load() {
            State::Open(connection) => Ok(connection.clone()),
            State::Lost(why) => return Err(why.clone()),
            State::Opening => Err(()),
        };
        let connection = match state {
            Ok(connection) => connection,
            Err(()) => shared.first(self.patience).await?,
        };
        let outcome = match connection {
            Connection::One(connection) => perform(connection, request).await,
            Connection::Cluster(connection) => {
                let turn = tokio::time::timeout(self.patience, shared.in_flight.acquire()).await;
                let _turn = turn.map_err(|_| timed_out())?;
                match request {
                    Request::Command(_) => perform(connection, request).await,
                    Request::Confirmed { command, wait } => {
                        let route =
                            SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master));
                        let mut connection = connection;
                        confirmed(connection.route_pipeline(pipeline(command, wait), 0, 2, route).await?)
                    }
                }
            }
        };
        shared.note(outcome.as_ref().err());
        outcome
    }

    /// The thread's own connection, which from its first use on is kept open by that thread.
    fn slot(&self) -> RedisResult<&Arc<Shared>> {
        let number = thread_number() % self.slots.len();
        let slot = self.slots.get(number).ok_or_else(timed_out)?;
        slot.kept.get_or_init(|| {
            let keeper = tokio::spawn(keep(
                Arc::clone(&slot.shared),
                Arc::clone(&self.opener),
                Arc::clone(&self.arrived),
            ));
            self.keepers.lock().unwrap_or_else(PoisonError::into_inner).push(keeper.abort_handle());
        });
        Ok(&slot.shared)
    }

    fn breaker(&self, key: &[u8]) -> Option<&Breaker> {
        if self.breakers.len() == 1 {
            return self.breakers.first();
        }
        let slot = usize::from(crc16::State::<crc16::XMODEM>::calculate(hashed(key))) % CLUSTER_SLOTS;
        self.breakers.get(slot * self.breakers.len() / CLUSTER_SLOTS)
    }

    /// How the connections in use are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let retries = self.retries.load(Ordering::Relaxed);
        let mut connections = Connections { retries, ..Connections::default() };
        for slot in self.slots.iter().filter(|slot| slot.kept.get().is_some()) {
            *match &**slot.shared.state.load() {
                State::Open(_) => &mut connections.open,
                State::Opening => &mut connections.opening,
                State::Lost(_) => &mut connections.lost,
            } += 1;
        }
        connections
    }

    /// Whether every connection in use is open and every part of the store answers.
    ///
    /// # Errors
    /// What is wrong.
    pub fn health(&self) -> Result<(), LedgerError> {
        let unavailable = |why: String| {
            Err(LedgerError::Unavailable {
                operation: "reach Redis",
                why: format!("{}: {why}", self.opener.place()),
            })
        };
        for slot in self.slots.iter().filter(|slot| slot.kept.get().is_some()) {
            match &**slot.shared.state.load() {
                State::Open(_) => {}
                State::Opening => return unavailable("not connected yet".to_owned()),
                State::Lost(why) => return unavailable(why.to_string()),
            }
        }
        let now = Instant::now();
        if self.breakers.iter().any(|breaker| breaker.rests(now)) {
            return unavailable("it does not answer, or a part of it does not".to_owned());
        }
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for keeper in self.keepers.get_mut().unwrap_or_else(PoisonError::into_inner) {
            keeper.abort();
        }
    }
}

impl Shared {
    /// Waits for the first try to connect.
    async fn first(&self, patience: Duration) -> RedisResult<Connection> {
        let waiting = async {
            loop {
                let settled = self.settled.notified();
                tokio::pin!(settled);
                settled.as_mut().enable();
                match &**self.state.load() {
                    State::Open(connection) => return Ok(connection.clone()),
                    State::Lost(why) => return Err(why.clone()),
                    State::Opening => {}
                }
                settled.await;
            }
        };
        tokio::time::timeout(patience, waiting).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Gives the connection up when what it does says that another one is needed.
    fn note(&self, error: Option<&RedisError>) {
        let Some(error) = error else {
            if self.timeouts.load(Ordering::Relaxed) != 0 {
                self.timeouts.store(0, Ordering::Relaxed);
            }
            return;
        };
        let moved = matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        );
        let timed_out =
            error.is_timeout() && self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS_THAT_BREAK;
        if moved || timed_out || error.is_unrecoverable_error() {
            self.timeouts.store(0, Ordering::Relaxed);
            if matches!(&**self.state.load(), State::Open(_)) {
                // A connection that was cut is usually made again at once, and is worth waiting for.
                let next =
                    if error.is_connection_dropped() { State::Opening } else { State::Lost(error.clone()) };
                self.state.store(Arc::new(next));
                self.broken.notify_one();
            }
        }
    }
}

/// Keeps one connection open for as long as the ledger lives.
async fn keep(shared: Arc<Shared>, opener: Arc<Opener>, arrived: Arc<Notify>) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let opened = opener.open().await;
        let is_open = opened.is_ok();
        shared.state.store(Arc::new(opened.map_or_else(State::Lost, State::Open)));
        shared.settled.notify_waiters();
        if is_open {
            arrived.notify_waiters();
            while matches!(&**shared.state.load(), State::Open(_)) {
                shared.broken.notified().await;
            }
            backoff.reset();
        } else {
            tokio::select! {
                () = backoff.pause() => {}
                () = arrived.notified() => {}
            }
        }
    }
}

async fn perform(mut connection: impl redis::aio::ConnectionLike, request: &Request) -> RedisResult<Value> {
    match request {
        Request::Command(command) => connection.req_packed_command(command).await?.extract_error(),
        Request::Confirmed { command, wait } => {
            confirmed(connection.req_packed_commands(&pipeline(command, wait), 0, 2).await?)
        }
    }
}

fn pipeline(command: &Cmd, wait: &Cmd) -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.add_command(command.clone()).add_command(wait.clone());
    pipeline
}

fn confirmed(replies: Vec<Value>) -> RedisResult<Value> {
    let replies = replies.into_iter().map(Value::extract_error).collect::<RedisResult<Vec<_>>>()?;
    Ok(Value::Array(replies))
}

/// What a cluster hashes of a key: the first non-empty part in braces, if there is one.
fn hashed(key: &[u8]) -> &[u8] {
    let within = key.iter().position(|byte| *byte == b'{').and_then(|open| key.get(open + 1..));
    let tag = within.and_then(|rest| rest.get(..rest.iter().position(|byte| *byte == b'}')?));
    tag.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// Whether a server has answered, if only to refuse: it is there, and serving.
fn is_an_answer(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => !matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly
        ),
        ErrorKind::Extension => true,
        _ => false,
    }
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
