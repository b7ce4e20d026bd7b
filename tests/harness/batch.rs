//! A batch over the wire, sent and read at once.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use ureq::http::HeaderMap;

use super::{Caller, Response};

pub const PATH: &str = "/v1/preflight/batch";

/// Sends lines with a query and returns the lines that came back.
pub fn batch(caller: &Caller, query: &str, lines: &[u8]) -> Vec<Value> {
    let response = send(caller, query, lines, "application/x-ndjson");
    assert_eq!((response.status, &*response.content_type), (200, "application/x-ndjson"), "{response:?}");
    match response.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        one => vec![one],
    }
}

/// Reads while it sends, as clients must: the answers of a long batch do not wait for its end.
pub fn send(caller: &Caller, query: &str, lines: &[u8], content_type: &str) -> Response {
    let mut stream = TcpStream::connect(caller.address()).expect("a connection");
    let mut answers = stream.try_clone().expect("its other half");
    let head = format!(
        "POST {PATH}{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n",
        lines.len()
    );
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        // Whoever is refused may be refused before all is sent.
        scope.spawn(move || stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(lines)));
        answers.read_to_end(&mut received).expect("answers");
    });
    let text = String::from_utf8(received).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let head = head.to_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    let body = if header("transfer-encoding") == Some("chunked") { joined(body) } else { body.to_owned() };
    let value = serde_json::from_str(&body);
    Response {
        status: head.get(9..12).and_then(|status| status.parse().ok()).expect("a status"),
        content_type: header("content-type").unwrap_or("").to_owned(),
        headers: HeaderMap::new(),
        body: if body.is_empty() { Value::Null } else { value.unwrap_or(Value::String(body)) },
    }
}

/// What chunks hold together, to the last.
fn joined(mut chunks: &str) -> String {
    let mut whole = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n").expect("a chunk");
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            return whole;
        }
        let (chunk, rest) = rest.split_at(length);
        whole.push_str(chunk);
        chunks = rest.strip_prefix("\r\n").expect("its end");
    }
}
