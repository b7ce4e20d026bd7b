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
}

impl Wire {
    /// Waits for as long as the wire is cut.
    fn pass(&self) {
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

    pub fn mend(&self) {
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
            wire.pass();
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
