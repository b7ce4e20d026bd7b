//! Somebody who is sent things over HTTP: a webhook's other side, or a collector.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);
/// The status of somebody who does not answer.
pub const SILENCE: u16 = 0;

/// What was posted.
#[derive(Debug)]
pub struct Posted {
    pub path: String,
    headers: HashMap<String, String>,
    pub body: String,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// A header by its name in small letters, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Answers with a status that a test can change.
pub struct Receiver {
    address: SocketAddr,
    posted: mpsc::Receiver<Posted>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tell, posted) = mpsc::channel();
        let status = Arc::new(AtomicU16::new(204));
        let answers = Arc::clone(&status);
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.expect("a connection"));
                let Some(posted) = read(&mut stream) else { continue };
                let status = answers.load(Ordering::SeqCst);
                if status == SILENCE {
                    unanswered.push(stream);
                } else {
                    let answer =
                        format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    // Whoever has sent it may have gone.
                    let _ = stream.get_mut().write_all(answer.as_bytes());
                }
                if tell.send(posted).is_err() {
                    return;
                }
            }
        });
        Self { address, posted, status }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn next(&self) -> Posted {
        self.posted.recv_timeout(PATIENCE).expect("somebody tells")
    }

    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

fn read(stream: &mut impl BufRead) -> Option<Posted> {
    let mut request = String::new();
    stream.read_line(&mut request).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(':') {
            Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.trim().to_owned())),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Posted { path, headers, body: String::from_utf8(body).ok()? })
}
