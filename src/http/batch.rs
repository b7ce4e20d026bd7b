//! `POST /v1/preflight/batch`: questions a line in, answers a line out, both streamed.
//!
//! Reading stops while there is no room for more lines, and judging while the client does not take its answers:
//! the server polls the answers only when it can send them.

mod lines;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::stream::unfold;

use crate::decision_log::Seen;
use crate::domain::moment::Moment;
use crate::gate::ask::Wanted;
use crate::gate::batch::{self, Batch, Item, MOST_IMAGINED, Manner, Outcome, Placed};
use crate::wire::answer::AnswerBody;
use crate::wire::batch::{ArbitratedBody, Asked, ProblemLine, read_line};
use crate::wire::problem::{Problem, ProblemKind};
use crate::wire::query::Query;

use super::Shared;
use super::answering::Refusal;
use super::body::media_type;
use lines::{Line, Lines};

const MEDIA_TYPE: &str = "application/x-ndjson";
/// Answers are sent in pieces of about this size: some forty answers, for which one write to the socket is cheap.
const PIECE_BYTES: usize = 32 * 1024;
/// The most lines among which one customer's are arbitrated, and the most bytes of them: some tens of megabytes
/// with their answers.
const BLOCK: usize = 10_000;
const BLOCK_BYTES: usize = 16 * 1024 * 1024;

/// How the lines are to be judged.
#[derive(Clone, Copy, Debug)]
struct Wish {
    alternatives: bool,
    dry_run: bool,
    arbitrate: bool,
}

impl Wish {
    fn read(mut query: Query<'_>) -> Result<Self, Problem> {
        let wish = Self {
            alternatives: query.switch("alternatives"),
            dry_run: query.switch("dry_run"),
            arbitrate: query.switch("arbitrate"),
        };
        query.finish()?;
        Ok(wish)
    }
}

pub async fn post(
    shared: web::Data<Shared>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    if media_type(&request) != MEDIA_TYPE {
        let detail = format!("a batch is read as `{MEDIA_TYPE}`: one JSON object a line");
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into());
    }
    let wish = Wish::read(Query::of(request.query_string()))?;
    let exchange = Exchange::new(shared, payload, wish);
    let answers = unfold(exchange, |mut exchange| async move {
        match exchange.next_piece().await {
            Some(piece) => Some((Ok(piece), exchange)),
            None if std::mem::take(&mut exchange.is_cut) => {
                // What was answered leaves first. A clean end would have the server wait for the rest of the body.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), exchange))
            }
            None => None,
        }
    });
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).streaming(answers))
}

/// One batch between its two streams.
struct Exchange {
    shared: web::Data<Shared>,
    payload: web::Payload,
    lines: Lines,
    batch: Batch<Problem>,
    /// The lines that are to be arbitrated once there are enough, and their bytes; `None`: as they come.
    block: Option<(Vec<batch::Line<Problem>>, usize)>,
    /// Where the decision log is kept: the lines that wait for their answers, by number, and when they were read.
    seen: HashMap<u64, (Seen, Moment)>,
    /// Nothing is noted of what only might be asked.
    is_dry_run: bool,
    /// The client is gone.
    is_abandoned: bool,
    /// The client is to be left once it has its answers.
    is_cut: bool,
}

impl Exchange {
    fn new(shared: web::Data<Shared>, payload: web::Payload, wish: Wish) -> Self {
        let wanted = Wanted { alternatives: wish.alternatives };
        let batch = Batch::new(&shared.gate, Manner { wanted, dry_run: wish.dry_run });
        let lines = Lines::new(shared.max_body_bytes);
        let block = wish.arbitrate.then(Default::default);
        Self {
            shared,
            payload,
            lines,
            batch,
            block,
            seen: HashMap::new(),
            is_dry_run: wish.dry_run,
            is_abandoned: false,
            is_cut: false,
        }
    }

    /// The next answers; `None` when all are given, or nobody is there to take them.
    async fn next_piece(&mut self) -> Option<Bytes> {
        let mut piece = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        loop {
            while piece.len() < PIECE_BYTES
                && let Some(placed) = self.batch.take()
            {
                self.note(&placed);
                write(&mut piece, placed);
            }
            if piece.len() >= PIECE_BYTES {
                return Some(piece.into());
            }
            self.take_in();
            let reads = self.batch.has_room() && !self.lines.is_over();
            if self.is_abandoned || (!reads && self.batch.is_empty()) {
                return Some(piece.into()).filter(|piece: &Bytes| !self.is_abandoned && !piece.is_empty());
            }
            // Whoever else is served by this thread is not kept waiting for a long batch.
            tokio::task::yield_now().await;
            let is_idle = self.batch.is_idle();
            let patience = is_idle.then_some(self.shared.request_timeout);
            tokio::select! {
                biased;
                () = poll_fn(|context| self.batch.poll_progress(context)), if !is_idle => {}
                arrived = next_chunk(&mut self.payload, patience), if reads => self.arrived(arrived),
                // What is ready is not held back for what is not.
                () = std::future::ready(()), if !piece.is_empty() => return Some(piece.into()),
                // Nothing is judged, nothing is read and nothing is answered: it is over.
                else => return None,
            }
        }
    }

    /// Enters the lines that have arrived, as far as there is room.
    fn take_in(&mut self) {
        while self.batch.has_room() {
            let Some((number, line)) = self.lines.cut() else {
                if self.lines.is_over() {
                    self.enter_block();
                }
                return;
            };
            let line = self.read(number, line);
            self.enter(line);
        }
    }

    fn enter(&mut self, line: batch::Line<Problem>) {
        let Some((block, bytes)) = &mut self.block else { return self.batch.enter(line) };
        *bytes += line.bytes;
        block.push(line);
        if block.len() >= BLOCK || *bytes >= BLOCK_BYTES {
            self.enter_block();
        }
    }

    fn enter_block(&mut self) {
        if let Some((block, bytes)) = &mut self.block
            && !block.is_empty()
        {
            *bytes = 0;
            let block = std::mem::take(block);
            self.batch.enter_arbitrated(block);
        }
    }

    /// Notes a decision in the log, where one is kept.
    fn note(&mut self, placed: &Placed<Problem>) {
        if let Some((seen, now)) = self.seen.remove(&placed.number)
            && let (Some(log), Outcome::Answered(answer)) = (&self.shared.decision_log, &placed.outcome)
        {
            log.asked(&seen, answer, now);
        }
    }

    fn read(&mut self, number: u64, line: Line) -> batch::Line<Problem> {
        match line {
            Line::TooLong => {
                let detail = format!("a line may have at most {} bytes", self.shared.max_body_bytes);
                bad_line(number, Problem::new(ProblemKind::TooLarge, detail))
            }
            Line::Whole(bytes) => {
                let now = self.shared.clock.now();
                let item = read_line(&self.shared.questions, &bytes, now, Shared::mint);
                let item = item.map(|Asked { question, priority, sent }| {
                    self.shared.metrics.undeclared(question.undeclared);
                    if let Some(log) = self.shared.decision_log.as_ref().filter(|_| !self.is_dry_run) {
                        self.seen.insert(number, (log.seen(sent, &question), now));
                    }
                    Item { question: Box::new(question), now, priority }
                });
                batch::Line { number, bytes: bytes.len(), item }
            }
        }
    }

    fn arrived(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Nothing => self.stalled(),
            Arrived::Next(Some(Ok(chunk))) => self.lines.feed(chunk),
            Arrived::Next(None) => self.lines.end(),
            Arrived::Next(Some(Err(PayloadError::Incomplete(_) | PayloadError::Io(_)))) => {
                self.is_abandoned = true;
            }
            Arrived::Next(Some(Err(error))) => {
                self.break_off(Problem::new(ProblemKind::Malformed, format!("the body broke off: {error}")));
            }
        }
    }

    /// Nothing has arrived for too long, and nothing is left to do.
    fn stalled(&mut self) {
        let seconds = self.shared.request_timeout.as_secs();
        let detail = format!("no byte of this line or the next arrived within {seconds} s");
        self.break_off(Problem::new(ProblemKind::TimedOut, detail));
    }

    /// Reads no further: what has arrived is judged, and the rest has a problem in its place.
    fn break_off(&mut self, problem: Problem) {
        self.is_cut = true;
        let number = self.lines.give_up();
        self.enter(bad_line(number, problem));
    }
}

/// What came of waiting for the client.
enum Arrived {
    /// `None` at the end.
    Next(Option<Result<Bytes, PayloadError>>),
    /// Nothing came for too long.
    Nothing,
}

async fn next_chunk(payload: &mut web::Payload, patience: Option<Duration>) -> Arrived {
    match patience {
        None => Arrived::Next(payload.next().await),
        Some(patience) => {
            let next = tokio::time::timeout(patience, payload.next()).await;
            next.map_or(Arrived::Nothing, Arrived::Next)
        }
    }
}

fn bad_line(number: u64, problem: Problem) -> batch::Line<Problem> {
    batch::Line { number, bytes: 0, item: Err(problem) }
}

fn write(piece: &mut Vec<u8>, placed: Placed<Problem>) {
    let Placed { number: line, outcome, arbitration } = placed;
    let written = match (outcome, arbitration) {
        (Outcome::Answered(answer), None) => {
            serde_json::to_writer(&mut *piece, &AnswerBody { at: None, answer: &answer })
        }
        (Outcome::Answered(answer), Some(arbitration)) => {
            serde_json::to_writer(&mut *piece, &ArbitratedBody::new(&answer, &arbitration))
        }
        (Outcome::Misused(misuses), _) => problem_line(piece, line, &Problem::misused(&misuses)),
        (Outcome::Crowded, _) => problem_line(piece, line, &crowded()),
        (Outcome::Other(problem), _) => problem_line(piece, line, &problem),
    };
    if let Err(error) = written {
        tracing::error!(%error, "an answer could not be written");
    }
    piece.push(b'\n');
}

fn problem_line(piece: &mut Vec<u8>, line: u64, problem: &Problem) -> serde_json::Result<()> {
    serde_json::to_writer(piece, &ProblemLine { line, problem })
}

fn crowded() -> Problem {
    let detail = format!(
        "dry runs keep at most {MOST_IMAGINED} allowed lines in mind, all together; try the rest in another batch"
    );
    Problem::new(ProblemKind::TooLarge, detail)
}
