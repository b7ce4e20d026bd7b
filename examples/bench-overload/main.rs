//! Load for `benches/overload.sh`, of no other use: asks on a schedule that waits for no answer, each measured from
//! the moment it should have been sent. What a slow server keeps waiting is therefore counted as late. An ask for which
//! no connection is free is not sent, as by a sender whose connections all wait; those are counted.
//!
//! bench-overload ADDRESS SECONDS RATE CONNECTIONS BODY: RATE asks a second, or 0 for as many as are answered; BODY
//! is a file with the question, in which {n} stands for a number.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{Error, Result, Write};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Asks whose answers are not counted, while connections are made.
const WARM_UP: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Load {
    /// Moments at which asks should be sent, for each of which there is a connection that is free.
    due: RefCell<VecDeque<Instant>>,
    /// Connections that are free, but for those.
    free: Cell<usize>,
    /// Asks that found none.
    unsent: RefCell<Vec<Instant>>,
    bell: Notify,
    outcomes: RefCell<Vec<Outcome>>,
}

struct Outcome {
    status: u16,
    due: Instant,
    took: Duration,
}

async fn ask(stream: &mut BufReader<TcpStream>, question: &str) -> Result<u16> {
    let request = format!(
        "POST /v1/preflight HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{question}",
        question.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(Error::other("closed"));
        }
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(0);
        } else if let Some((_, value)) =
            line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.parse().map_err(Error::other)?;
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(status)
}

/// Sends what is due, one after the other; with no rate, whenever it was answered.
async fn send(load: Rc<Load>, address: String, body: Rc<str>, is_paced: bool) -> Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(&address).await?);
    stream.get_ref().set_nodelay(true)?;
    load.free.set(load.free.get() + 1);
    loop {
        let due = if is_paced {
            let due = load.due.borrow_mut().pop_front();
            let Some(due) = due else {
                load.bell.notified().await;
                continue;
            };
            due
        } else {
            Instant::now()
        };
        let question = body.replace("{n}", &fastrand::u64(..).to_string());
        let status = ask(&mut stream, &question).await?;
        load.outcomes.borrow_mut().push(Outcome { status, due, took: due.elapsed() });
        load.free.set(load.free.get() + 1);
    }
}

/// Says what is due; how late it was itself, at worst.
async fn pace(load: &Load, rate: f64, until: Instant) -> Duration {
    let (start, mut sent, mut latest) = (Instant::now(), 0_u64, Duration::ZERO);
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while Instant::now() < until {
        ticks.tick().await;
        loop {
            let due = start + Duration::from_secs_f64(sent as f64 / rate);
            let now = Instant::now();
            if due > now {
                break;
            }
            latest = latest.max(now - due);
            sent += 1;
            if load.free.get() == 0 {
                load.unsent.borrow_mut().push(due);
                continue;
            }
            load.free.set(load.free.get() - 1);
            load.due.borrow_mut().push_back(due);
            load.bell.notify_one();
        }
    }
    latest
}

fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, seconds, rate, connections, body] = words.as_slice() else {
        return Err(Error::other("bench-overload ADDRESS SECONDS RATE CONNECTIONS BODY"));
    };
    let seconds: f64 = seconds.parse().map_err(Error::other)?;
    let rate: f64 = rate.parse().map_err(Error::other)?;
    let connections: usize = connections.parse().map_err(Error::other)?;
    let body: Rc<str> = std::fs::read_to_string(body)?.trim_end().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let load = Rc::new(Load::default());
    let (begin, latest, broken) = tokio::task::LocalSet::new().block_on(&runtime, async {
        let begin = Instant::now() + WARM_UP;
        let until = begin + Duration::from_secs_f64(seconds);
        let senders: Vec<_> = (0..connections)
            .map(|_| {
                let send = send(Rc::clone(&load), address.clone(), Rc::clone(&body), rate > 0.0);
                tokio::task::spawn_local(send)
            })
            .collect();
        let latest = if rate > 0.0 {
            pace(&load, rate, until).await
        } else {
            tokio::time::sleep_until(until).await;
            Duration::ZERO
        };
        (begin, latest, senders.iter().filter(|sender| sender.is_finished()).count())
    });
    let outcomes = load.outcomes.take();
    let took = |is: fn(u16) -> bool| {
        let counted = outcomes.iter().filter(|outcome| outcome.due >= begin && is(outcome.status));
        let mut took: Vec<Duration> = counted.map(|outcome| outcome.took).collect();
        took.sort_unstable();
        took
    };
    let (accepted, shed) = (took(|status| status == 200), took(|status| status == 503));
    let failed = took(|status| status != 200 && status != 503).len() + broken;
    // A sender that has no connection left asks nobody.
    let unsent = load.unsent.borrow().iter().filter(|due| **due >= begin).count();
    writeln!(
        std::io::stdout(),
        "RESULT {:.0} {} {} {failed} {unsent} {:.2} {:.2} {:.2} {:.2}",
        accepted.len() as f64 / seconds,
        accepted.len(),
        shed.len(),
        percentile(&accepted, 0.5),
        percentile(&accepted, 0.99),
        percentile(&shed, 0.99),
        latest.as_secs_f64() * 1_000.0,
    )
}
