//! A connection with what the HTTP library leaves open: it times only the first head of a connection, and waits
//! for ever for a client that does not take its answers.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_rustls::server::TlsStream;

/// Bytes, encrypted or not.
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a head, from its first byte to its last.
    pub head: Duration,
    /// For any byte of an answer.
    pub answer: Duration,
}

/// What a connection and its requests tell each other.
#[derive(Clone, Default)]
pub struct Requests(Rc<Counts>);

#[derive(Default)]
struct Counts {
    /// Requests whose head has arrived.
    heads: Cell<u64>,
    /// Those of them that are not answered.
    unanswered: Cell<u64>,
}

/// A request that is not answered, or not to its end; it is once this is dropped.
pub struct Unanswered(Requests);

impl Requests {
    /// A head has arrived.
    pub fn begin(&self) -> Unanswered {
        self.0.heads.set(self.0.heads.get() + 1);
        self.hold()
    }

    /// The answer has begun, and has not ended; more of the body may arrive.
    pub fn hold(&self) -> Unanswered {
        self.0.unanswered.set(self.0.unanswered.get() + 1);
        Unanswered(self.clone())
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let Self(Requests(counts)) = self;
        counts.unanswered.set(counts.unanswered.get().saturating_sub(1));
    }
}

/// A connection that is closed when its client takes too long.
pub struct Connection {
    stream: Stream,
    patience: Patience,
    requests: Requests,
    /// Since when a head has been arriving, and which one.
    head_since: Option<(Instant, u64)>,
    /// Since when no byte of an answer was taken, though there are some.
    stuck_since: Option<Instant>,
    /// Set anew only when it rings, so that requests that are in time do not pay for it.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub fn new(stream: Stream, patience: Patience) -> Self {
        let requests = Requests::default();
        Self { stream, patience, requests, head_since: None, stuck_since: None, alarm: None }
    }

    pub fn requests(&self) -> Requests {
        self.requests.clone()
    }

    /// By when something must have happened.
    fn deadline(&self) -> Option<Instant> {
        let counts = &self.requests.0;
        let head = self
            .head_since
            .filter(|(_, number)| *number == counts.heads.get() && counts.unanswered.get() == 0)
            .map(|(since, _)| since + self.patience.head);
        let answer = self.stuck_since.map(|since| since + self.patience.answer);
        head.into_iter().chain(answer).min()
    }

    /// Fails once the deadline, if there is one, has passed.
    fn check_deadline(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some(deadline) = self.deadline() else {
            // What was set for an earlier request must not wake anybody for ever.
            if self.alarm.as_ref().is_some_and(|alarm| alarm.is_elapsed()) {
                self.alarm = None;
            }
            return Ok(());
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        while alarm.as_mut().poll(context).is_ready() {
            if alarm.deadline() >= deadline {
                tracing::debug!("closed a connection whose client took too long");
                return Err(io::ErrorKind::TimedOut.into());
            }
            alarm.as_mut().reset(deadline);
        }
        Ok(())
    }

    fn has_read(&mut self) {
        let counts = &self.requests.0;
        let number = counts.heads.get();
        if counts.unanswered.get() == 0 && self.head_since.is_none_or(|(_, begun)| begun != number) {
            self.head_since = Some((Instant::now(), number));
        }
    }

    /// Notes whether the client takes what is written.
    fn has_written<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stuck_since = None;
            return outcome;
        }
        self.stuck_since.get_or_insert_with(Instant::now);
        match self.check_deadline(context) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn stream(&mut self) -> Pin<&mut dyn ReadWrite> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream),
            Stream::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

/// Both ways.
trait ReadWrite: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> ReadWrite for S {}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Whoever does not take answers is not asked for more questions; being able to write wakes this task.
        if self.stuck_since.is_some() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match self.stream().poll_read(context, buffer) {
            Poll::Ready(outcome) => {
                if buffer.filled().len() > before {
                    self.has_read();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => match self.check_deadline(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.stream().poll_write(context, bytes);
        self.has_written(context, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream().poll_flush(context);
        self.has_written(context, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.stream().poll_shutdown(context);
        self.has_written(context, outcome)
    }
}
