//! More is asked than can be answered.

use serde_json::Value;

use crate::harness::raw::{Answer, Raw, connect, head, post};
use crate::harness::{Process, question, time_until};

/// As many at once as take the worker far longer than it may take.
const AT_ONCE: usize = 400;

/// Asks on all connections at once; the answers.
fn round(connections: &mut [Raw], number: &mut usize) -> Vec<Answer> {
    for connection in connections.iter_mut() {
        *number += 1;
        connection.send(post("/v1/preflight", &question(&format!("c-{number}"), "email").to_string()));
    }
    connections.iter_mut().map(Raw::answer).collect()
}

fn shed(process: &Process) -> u64 {
    let metrics = process.caller.get("/metrics");
    assert_eq!(metrics.status, 200);
    let metrics = metrics.body.as_str().expect("text").to_owned();
    let line = metrics.lines().find(|line| line.starts_with("contact_governor_requests_shed_total"));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a count")
}

#[test]
fn some_are_refused_early_so_that_others_are_answered() {
    let settings =
        [("HTTP__WORKERS", "1"), ("OVERLOAD__TARGET_DELAY", "1ms"), ("OVERLOAD__LEAST_UNDER_WAY", "1")];
    let process = Process::start_with(&settings, &["--ledger", "memory:"]);
    let address = process.caller.address();
    let mut connections: Vec<Raw> = (0..AT_ONCE).map(|_| connect(address)).collect();
    let begin = "POST /v1/preflight/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
                 transfer-encoding: chunked\r\n\r\n";
    let line = format!("{}\n", question("of-the-batch", "email"));
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let mut batch = connect(address);
    assert_eq!(batch.send(format!("{begin}{chunk}")).answer().status, 200);
    assert!(batch.chunk().contains("verdict"));

    let (mut number, mut refused, mut answered_beside_refused) = (0, 0, false);
    time_until(|| {
        let answers = round(&mut connections, &mut number);
        let now_refused = answers.iter().filter(|answer| answer.status == 503).count();
        assert!(answers.iter().all(|answer| [200, 503].contains(&answer.status)));
        for answer in answers.iter().filter(|answer| answer.status == 503) {
            assert!(answer.head.to_ascii_lowercase().contains("retry-after: 1\r\n"), "{answer:?}");
            assert!(!answer.head.to_ascii_lowercase().contains("connection: close"), "{answer:?}");
            assert!(answer.head.contains("x-request-id: "), "{answer:?}");
            let problem: Value = serde_json::from_str(&answer.body).expect("a problem");
            assert_eq!(problem["type"], "urn:contact-governor:problem:overloaded");
        }
        refused += now_refused;
        answered_beside_refused |= now_refused > 0 && now_refused < AT_ONCE;
        answered_beside_refused
    });
    assert_eq!(shed(&process), refused as u64);
    assert!(batch.send(&chunk).chunk().contains("verdict"), "what was begun goes on");

    // What says how the program is, is never refused; a new batch is, among so many.
    let mut beside = connect(address);
    time_until(|| {
        for connection in &mut connections {
            connection.send(post("/v1/preflight", &question("c", "email").to_string()));
        }
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_eq!(beside.send(head("GET", path, "")).answer().status, 200);
        }
        let mut other = connect(address);
        let status = other.send(format!("{begin}{chunk}0\r\n\r\n")).answer().status;
        for connection in &mut connections {
            connection.answer();
        }
        status == 503
    });

    // Once it is over, everybody is answered.
    time_until(|| {
        connections[..8].iter_mut().all(|connection| {
            connection.send(post("/v1/preflight", &question("c", "email").to_string())).answer().status == 200
        })
    });
}

#[test]
fn nothing_is_refused_where_the_operator_says_so() {
    let settings = [("HTTP__WORKERS", "1"), ("OVERLOAD__TARGET_DELAY", "1h")];
    let process = Process::start_with(&settings, &["--ledger", "memory:"]);
    let mut connections: Vec<Raw> = (0..AT_ONCE).map(|_| connect(process.caller.address())).collect();
    let mut number = 0;
    for _ in 0..3 {
        assert!(round(&mut connections, &mut number).iter().all(|answer| answer.status == 200));
    }
    assert_eq!(shed(&process), 0);
}
