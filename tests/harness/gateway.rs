//! What stands before a governor and has too much to do now and then: it answers instead of passing a request on, or
//! after it has.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What becomes of a request.
#[derive(Clone, Copy)]
pub enum Fate {
    Passed,
    /// It is answered with this status line and these headers, and the governor never sees it.
    Refused(&'static str),
    /// The governor answers, and that answer is lost.
    Lost(&'static str),
}

pub struct Gateway {
    address: SocketAddr,
    turned_away: Arc<AtomicUsize>,
}

impl Gateway {
    /// `fate` is told which request it is, the first being 0.
    pub fn before(governor: SocketAddr, fate: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let turned_away = Arc::new(AtomicUsize::new(0));
        let fate = Arc::new(fate);
        std::thread::spawn({
            let turned_away = Arc::clone(&turned_away);
            move || {
                // The thread ends with the tests.
                for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                    let (fate, turned_away) = (fate(number), Arc::clone(&turned_away));
                    std::thread::spawn(move || serve(stream, governor, fate, &turned_away));
                }
            }
        });
        Self { address, turned_away }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come to nothing.
    pub fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::SeqCst)
    }
}

/// One request; every connection carries one.
fn serve(mut stream: TcpStream, governor: SocketAddr, fate: Fate, turned_away: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split_whitespace().nth(1)?.to_owned();
    let (mut length, mut content_type) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "content-type" => value.clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let pass_on = || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let url = format!("http://{governor}{target}");
        let mut answer = agent.post(&url).header("content-type", &content_type).send(&body[..]).ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_vec().ok()?))
    };
    let (head, answer) = match fate {
        Fate::Passed => {
            let (status, answer) = pass_on()?;
            (format!("{status} Passed on\r\ncontent-type: application/json"), answer)
        }
        Fate::Refused(head) => (head.to_owned(), Vec::new()),
        Fate::Lost(head) => {
            pass_on()?;
            (head.to_owned(), Vec::new())
        }
    };
    if !matches!(fate, Fate::Passed) {
        turned_away.fetch_add(1, Ordering::SeqCst);
    }
    let length = answer.len();
    write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n").ok()?;
    stream.write_all(&answer).ok()
}
