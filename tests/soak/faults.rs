//! What goes wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::harness::redis::RedisServer;

use super::Governed;
use super::askers::Askers;
use super::book::Book;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGSTOP, and after a while SIGCONT.
    RedisStops,
    /// `kill -9`, and a new one on what it had on disk.
    RedisStartsAnew,
    /// Clients that leave in the middle of a batch.
    BrokenBatches,
    /// Clients that begin a request and never end it.
    SlowClients,
    /// Bodies that mean nothing.
    Nonsense,
    /// Clients that ask and do not wait for the answer.
    DepartedClients,
    /// `kill -9` of the governor itself.
    Kill,
}

/// Connections of one fault.
const CLIENTS: usize = 12;
const LINES: usize = 30;
/// Answers, most of them blind, while Redis is stopped.
const BLIND_ANSWERS: u64 = 60;

pub fn make(
    fault: Fault,
    governed: &mut Governed,
    redis: &mut Option<RedisServer>,
    askers: &Askers,
    book: &Book,
    random: &mut fastrand::Rng,
) {
    match fault {
        Fault::RedisStops => {
            let redis = redis.as_ref().expect("a Redis");
            redis.pause();
            askers.wait_for(BLIND_ANSWERS);
            redis.resume();
        }
        Fault::RedisStartsAnew => {
            let mut server = redis.take().expect("a Redis");
            server.kill();
            askers.wait_for(BLIND_ANSWERS);
            *redis = Some(server.restart());
        }
        Fault::BrokenBatches => {
            for _ in 0..CLIENTS {
                broken_batch(governed, book, random);
            }
        }
        Fault::SlowClients => {
            let begun: Vec<TcpStream> = (0..CLIENTS).map(|_| slow_client(governed, random)).collect();
            askers.wait_for(BLIND_ANSWERS);
            drop(begun);
        }
        Fault::Nonsense => (0..CLIENTS).for_each(|_| nonsense(governed, random)),
        Fault::DepartedClients => {
            for _ in 0..CLIENTS {
                let body = book.next(random).body().to_string();
                let mut stream = connected(governed);
                let _ = stream.write_all(head("/v1/preflight", body.len()).as_bytes());
                let _ = stream.write_all(body.as_bytes());
            }
        }
        Fault::Kill => governed.kill_and_start(),
    }
}

fn connected(governed: &Governed) -> TcpStream {
    TcpStream::connect(governed.process.caller.address()).expect("a connection")
}

fn head(path: &str, length: usize) -> String {
    let media = if path.ends_with("batch") { "application/x-ndjson" } else { "application/json" };
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {media}\r\ncontent-length: {length}\r\n\r\n")
}

/// Sends some of a batch, reads some of the answers, perhaps, and leaves.
fn broken_batch(governed: &Governed, book: &Book, random: &mut fastrand::Rng) {
    let lines: Vec<String> = (0..LINES).map(|_| book.next(random).body().to_string()).collect();
    let lines = lines.join("\n");
    let mut stream = connected(governed);
    let cut = random.usize(..lines.len());
    let _ = stream.write_all(head("/v1/preflight/batch", lines.len()).as_bytes());
    let _ = stream.write_all(&lines.as_bytes()[..cut]);
    if random.bool() {
        let _ = stream.read(&mut [0; 64]);
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn slow_client(governed: &Governed, random: &mut fastrand::Rng) -> TcpStream {
    let mut stream = connected(governed);
    let request = head("/v1/preflight", 500) + "{\"customer\": \"c-slow\", \"channel\"";
    let _ = stream.write_all(&request.as_bytes()[..random.usize(..request.len())]);
    stream
}

fn nonsense(governed: &Governed, random: &mut fastrand::Rng) {
    let too_long = vec![b' '; 1_200_000];
    let bodies: [&[u8]; 6] = [
        b"{\"customer\": ",
        b"\xff\xfe\x00",
        b"[[[[[[[[[[",
        b"{\"customer\": 1, \"channel\": [], \"purpose\": {}, \"delivery\": null}",
        b"null",
        &too_long,
    ];
    let paths = ["/v1/preflight", "/v1/events", "/v1/explain", "/v1/claims", "/v1/customers/c-0/wishes"];
    let (body, path) = (bodies[random.usize(..bodies.len())], paths[random.usize(..paths.len())]);
    let method = if path.ends_with("wishes") { "PUT" } else { "POST" };
    // Whoever sends too much may find the connection closed.
    if let Ok(answer) = governed.process.caller.try_send(method, path, body) {
        assert!((400..500).contains(&answer.status), "{method} {path}: {answer:?}");
    }
}
