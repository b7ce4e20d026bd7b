//! A wire between two programs that a test can cut: bytes stop, and nobody is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

pub struct Proxy {
    pub port: u16,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    cut: Mutex<bool>,
    changed: Condvar,
    over: AtomicBool,
    /// How many bytes may still pass before it is cut, where that was said.
    allowed_bytes: Mutex<Option<usize>>,
}

impl Wire {
    /// Waits for as long as the wire is cut, which these bytes may bring about.
    fn pass(&self, bytes: usize) {
        if let Some(allowed) = self.allowed_bytes.lock().expect("the wire").as_mut() {
            *allowed = allowed.saturating_sub(bytes);
            if *allowed == 0 {
                *self.cut.lock().expect("the wire") = true;
                self.changed.notify_all();
            }
        }
        let mut cut = self.cut.lock().expect("the wire");
        while *cut && !self.over.load(Ordering::SeqCst) {
            cut = self.changed.wait(cut).expect("the wire");
        }
    }
}

impl Proxy {
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let wire = Arc::new(Wire::default());
        std::thread::spawn({
            let wire = Arc::clone(&wire);
            move || {
                for near in listener.incoming().map_while(Result::ok) {
                    if wire.over.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                    carry(&near, &far, &wire);
                    carry(&far, &near, &wire);
                }
            }
        });
        Self { port, wire }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn cut(&self) {
        *self.wire.cut.lock().expect("the wire") = true;
    }

    /// Cuts the wire once so many bytes have passed.
    pub fn cut_after(&self, bytes: usize) {
        *self.wire.allowed_bytes.lock().expect("the wire") = Some(bytes);
    }

    pub fn wait_until_cut(&self) {
        let mut cut = self.wire.cut.lock().expect("the wire");
        while !*cut {
            cut = self.wire.changed.wait(cut).expect("the wire");
        }
    }

    pub fn mend(&self) {
        *self.wire.allowed_bytes.lock().expect("the wire") = None;
        *self.wire.cut.lock().expect("the wire") = false;
        self.wire.changed.notify_all();
    }
}

fn carry(from: &TcpStream, to: &TcpStream, wire: &Arc<Wire>) {
    let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
    let wire = Arc::clone(wire);
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1_024];
        loop {
            let read = from.read(&mut bytes).unwrap_or(0);
            wire.pass(read);
            if read == 0 || to.write_all(&bytes[..read]).is_err() {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
    });
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wire.over.store(true, Ordering::SeqCst);
        self.mend();
        // Wakes the listener, so that it ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
