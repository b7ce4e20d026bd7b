//! `POST /v1/preflight/batch`: questions a line in, answers a line out, both streamed.
//!
//! Reading stops while there is no room for more lines, and judging while the client does not take its answers:
//! the server polls the answers only when it can send them. And a line waits while its caller's bucket is empty, which
//! the client notices as a server that reads slowly.

mod lines;
mod metered;

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

use super::answering::Refusal;
use super::body::{media_type, refuse_encoded};
use super::callers::Called;
use super::channels::{self, CalledBy};
use super::connection::{Requests, Unanswered};
use super::overload::Load;
use super::throttle::Empty;
use super::{Shared, throttle};
use lines::{Line, Lines};
use metered::Metered;

const MEDIA_TYPE: &str = "application/x-ndjson";
/// Answers are sent in pieces of about this size: some forty answers, for which one write to the socket is cheap.
const PIECE_BYTES: usize = 32 * 1024;
/// So many lines are judged at once while there is too much to do: the batch goes on, and makes way.
const FEW: usize = 16;
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
    called: CalledBy,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    if media_type(&request) != MEDIA_TYPE {
        let detail = format!("a batch is read as `{MEDIA_TYPE}`: one JSON object a line");
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into());
    }
    refuse_encoded(&request)?;
    let wish = Wish::read(Query::of(request.query_string()))?;
    let load = request.app_data::<Load>().cloned();
    load.as_ref().map_or(Ok(()), Load::admit_batch)?;
    let unanswered = request.conn_data::<Requests>().map(Requests::hold);
    let exchange = Exchange::new(shared, called.into_inner(), payload, wish);
    let exchange = Exchange { load, _unanswered: unanswered, ..exchange };
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
    called: Called,
    /// What else this worker has to do.
    load: Option<Load>,
    /// More of the body may arrive until the answers are given.
    _unanswered: Option<Unanswered>,
    began: Moment,
    payload: web::Payload,
    lines: Metered,
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
    fn new(shared: web::Data<Shared>, called: Called, payload: web::Payload, wish: Wish) -> Self {
        let wanted = Wanted { alternatives: wish.alternatives };
        let batch = Batch::new(&shared.gate, Manner { wanted, dry_run: wish.dry_run });
        let lines = Metered::new(Lines::new(shared.max_body_bytes), called.bucket.clone());
        let block = wish.arbitrate.then(Default::default);
        let began = shared.clock.now();
        Self {
            shared,
            called,
            load: None,
            _unanswered: None,
            began,
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
                && let Some(mut placed) = self.batch.take()
            {
                self.note(&mut placed);
                write(&mut piece, placed);
            }
            if piece.len() >= PIECE_BYTES {
                return Some(piece.into());
            }
            let held_for = self.take_in();
            let reads = self.has_room() && !self.lines.lines.is_over() && held_for.is_none();
            if self.is_abandoned || (!reads && held_for.is_none() && self.batch.is_empty()) {
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
                () = throttle::pause(held_for), if held_for.is_some() => {}
                // Nothing is judged and nothing is read: what is left has its answer, and is taken next.
                else => {}
            }
        }
    }

    /// Whether more lines may be judged: few at a time while single questions are being refused.
    fn has_room(&self) -> bool {
        self.batch.has_room() && (self.batch.len() < FEW || !self.load.as_ref().is_some_and(Load::is_crowded))
    }

    /// Enters the lines that have arrived, as far as there is room and the caller may ask so much; if the next one
    /// must wait for that, says until when.
    fn take_in(&mut self) -> Option<Empty> {
        while self.has_room() {
            match self.lines.next() {
                Ok(Some((number, _))) if number > self.shared.max_batch_lines => {
                    let most = self.shared.max_batch_lines;
                    let detail = format!("a batch may have at most {most} lines; send the rest in another");
                    self.break_off_at(number, Problem::new(ProblemKind::TooLarge, detail));
                }
                Ok(Some((number, line))) => {
                    let line = self.read(number, line);
                    self.enter(line);
                }
                Ok(None) => {
                    if self.lines.lines.is_over() {
                        self.enter_block();
                    }
                    return None;
                }
                Err(empty) => return Some(empty),
            }
        }
        None
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
    fn note(&mut self, placed: &mut Placed<Problem>) {
        if let Outcome::Answered(answer) = &mut placed.outcome {
            channels::limit(&self.called.caller, answer);
        }
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
                let item = read_line(&self.shared.questions(), &bytes, now, Shared::mint);
                let item = item.and_then(|asked| {
                    channels::may_ask(&self.called.caller, &asked.question).map(|()| asked)
                });
                let item = item.map(|Asked { question, priority, sent }| {
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
            Arrived::Next(Some(Ok(_)))
                if self.shared.clock.now() > self.began + self.shared.max_batch_time =>
            {
                let detail = format!(
                    "a batch may go on for at most {}; send the rest in another",
                    self.shared.max_batch_time.in_words()
                );
                self.break_off(Problem::new(ProblemKind::TimedOut, detail));
            }
            Arrived::Next(Some(Ok(chunk))) => self.lines.lines.feed(chunk),
            Arrived::Next(None) => self.lines.lines.end(),
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
        let number = self.lines.lines.give_up();
        self.break_off_at(number, problem);
    }

    fn break_off_at(&mut self, number: u64, problem: Problem) {
        self.is_cut = true;
        self.lines.lines.give_up();
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
