//! Everything has a limit: time, size, number. Against the program itself, as from outside.

use std::io;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::raw::{Raw, connect, head, post};
use crate::harness::{Governor, Launch, Process, question, time_until};

const IN_MEMORY: [&str; 2] = ["--ledger", "memory:"];
/// Room for what an allocator keeps, and far below what the attacks would take.
const FLAT_KB: u64 = 64 * 1024;

fn ask(customer: &str) -> String {
    post("/v1/preflight", &question(customer, "email").to_string())
}

fn kind(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no problem: {body}"));
    let kind = problem["type"].as_str().expect("a type");
    kind.trim_start_matches("urn:contact-governor:problem:").to_owned()
}

fn open_files(process: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process.pid())).expect("its files").count()
}

/// The connection was cut, by the other side and not by this one's patience.
fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

#[test]
fn a_head_that_does_not_arrive_is_not_waited_for() {
    let process = Process::start_with(&[("HTTP__REQUEST_TIMEOUT", "1s")], &IN_MEMORY);
    let address = process.caller.address();
    let mut silent = connect(address);
    assert_eq!(silent.answer().status, 408);
    assert!(silent.is_closed());
    let mut slow = connect(address);
    assert_eq!(slow.send("POST /v1/preflight HTTP/1.1\r\nhost").answer().status, 408);
    assert!(slow.is_closed());
    // Nor when the connection has been of use before.
    let mut later = connect(address);
    assert_eq!(later.send(ask("c")).answer().status, 200);
    later.send("POST /v1/preflight HTTP/1.1\r\nho");
    assert!(later.is_closed());
    // Byte by byte it is as late.
    let mut dripping = connect(address);
    assert_eq!(dripping.send(ask("c")).answer().status, 200);
    time_until(|| dripping.try_send("x").is_err_and(|error| is_cut(&error)));
    assert_eq!(process.caller.get("/livez").status, 200);
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for() {
    let process = Process::start_with(&[("HTTP__REQUEST_TIMEOUT", "1s")], &IN_MEMORY);
    let mut slow = connect(process.caller.address());
    let answer =
        slow.send(head("POST", "/v1/preflight", "content-length: 200\r\n") + "{\"customer\"").answer();
    assert_eq!((answer.status, &*kind(&answer.body)), (408, "timed-out"));
    assert!(answer.head.contains("x-request-id: "), "{answer:?}");
    assert!(slow.is_closed());
    let mut dripping = connect(process.caller.address());
    dripping.send(head("POST", "/v1/events", "content-length: 1000000\r\n"));
    time_until(|| dripping.try_send(" ").is_err_and(|error| is_cut(&error)));
}

#[test]
fn a_head_has_a_size() {
    let process = Process::start_with(&[], &IN_MEMORY);
    let address = process.caller.address();
    let large = head("GET", "/livez", &format!("x-large: {}\r\n", "a".repeat(100_000)));
    assert_eq!(connect(address).send(large).answer().status, 200);
    let mut huge = connect(address);
    // Whether it is refused before or after all of it is sent.
    let _ = huge.try_send(head("GET", "/livez", &format!("x-large: {}\r\n", "a".repeat(200_000))));
    assert!(huge.try_answer().map_or_else(|error| is_cut(&error), |answer| answer.status == 431));
    let mut many = connect(address);
    let _ = many.try_send(head("GET", "/livez", &"x-many: 1\r\n".repeat(200)));
    assert_eq!(many.answer().status, 431);
    assert!(many.is_closed());
    let mut endless = connect(address);
    endless.send("GET /livez HTTP/1.1\r\n");
    time_until(|| endless.try_send("x-more: 1\r\n".repeat(1_000)).is_err_and(|error| is_cut(&error)));
    assert_eq!(process.caller.get("/livez").status, 200);
}

#[test]
fn a_gigabyte_is_refused_before_it_arrives() {
    let process = Process::start_with(&[("HTTP__REQUEST_TIMEOUT", "1s")], &IN_MEMORY);
    let before = process.resident_kb();
    let mut announced = connect(process.caller.address());
    let answer = announced.send(head("POST", "/v1/preflight", "content-length: 1073741824\r\n")).answer();
    assert_eq!((answer.status, &*kind(&answer.body)), (413, "too-large"));
    assert!(answer.head.contains("x-request-id: "), "{answer:?}");
    // One that goes on for ever without having said so is answered too, and then cut off.
    let mut endless = connect(process.caller.address());
    endless.send(head("POST", "/v1/preflight", "transfer-encoding: chunked\r\n"));
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000));
    for _ in 0..32 {
        endless.send(&chunk);
    }
    assert_eq!(endless.answer().status, 413);
    time_until(|| endless.try_send(&chunk).is_err_and(|error| is_cut(&error)));
    let after = process.resident_kb();
    assert!(after < before + FLAT_KB, "{before} kB and then {after} kB");
}

#[test]
fn what_is_compressed_is_not_read() {
    let process = Process::start_with(&[], &IN_MEMORY);
    let body = question("c", "email").to_string();
    for path in ["/v1/preflight", "/v1/events", "/v1/claims", "/v1/preflight/batch"] {
        for encoding in ["gzip", "br", "deflate, gzip", "zstd"] {
            let more = format!(
                "content-encoding: {encoding}\r\ncontent-length: {}\r\nconnection: close\r\n",
                body.len()
            );
            let head = head("POST", path, &more);
            let head = if path.ends_with("batch") { head.replace("json", "x-ndjson") } else { head };
            let answer = connect(process.caller.address()).send(head + &body).answer();
            assert_eq!(
                (answer.status, &*kind(&answer.body)),
                (415, "unsupported-media-type"),
                "{path} {encoding}"
            );
        }
    }
    let more = format!("content-encoding: identity\r\ncontent-length: {}\r\n", body.len());
    let answer =
        connect(process.caller.address()).send(head("POST", "/v1/preflight", &more) + &body).answer();
    assert_eq!(answer.status, 200);
}

#[test]
fn many_requests_at_once_on_one_connection_are_answered_in_order() {
    let process = Process::start_with(&[], &IN_MEMORY);
    let mut connection = connect(process.caller.address());
    let asked: String = (0..500).map(|number| ask(&format!("c-{number}"))).collect();
    connection.send(asked);
    for _ in 0..500 {
        assert_eq!(connection.answer().status, 200);
    }
}

#[test]
fn whoever_takes_no_answers_is_asked_for_no_more_questions_and_cut_off() {
    let process = Process::start_with(&[("HTTP__ANSWER_TIMEOUT", "300ms")], &IN_MEMORY);
    let before = process.resident_kb();
    let mut connection = connect(process.caller.address());
    let asked = head("GET", "/metrics", "").repeat(100);
    time_until(|| connection.try_send(&asked).is_err_and(|error| is_cut(&error)));
    let after = process.resident_kb();
    assert!(after < before + FLAT_KB, "{before} kB and then {after} kB");
    assert_eq!(process.caller.get("/livez").status, 200);
}

#[test]
fn ten_thousand_idle_connections_are_in_nobodys_way() {
    let may_open = rlimit::increase_nofile_limit(u64::MAX).expect("a limit") as usize;
    let number = 10_000.min(may_open.saturating_sub(1_000));
    let process = Process::start_with(&[("HTTP__REQUEST_TIMEOUT", "5m"), ("HTTP__WORKERS", "2")], &IN_MEMORY);
    let before = process.resident_kb();
    let idle: Vec<TcpStream> =
        (0..number).map(|_| TcpStream::connect(process.caller.address()).expect("a connection")).collect();
    time_until(|| open_files(&process) >= number);
    assert_eq!(process.caller.ask(&question("c", "email")).status, 200);
    let each = (process.resident_kb() - before) as f64 / number as f64;
    assert!(each < 32.0, "{each} kB for each connection");
    drop(idle);
    time_until(|| open_files(&process) < 100);
    assert_eq!(process.caller.ask(&question("c", "email")).status, 200);
}

#[test]
fn connections_leave_files_for_the_ledger_and_the_rest_wait_their_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let launch = Launch {
        wrapper: &["prlimit", "--nofile=200:200"],
        settings: &[("HTTP__WORKERS", "1"), ("HTTP__REQUEST_TIMEOUT", "1s")],
        arguments: &["--ledger", &ledger],
    };
    let mut process = Process::launch(&launch).unwrap_or_else(|log| panic!("it did not start: {log}"));
    // Those that are let in first say nothing, and are let go; then it is the others' turn.
    let idle: Vec<Raw> = (0..500).map(|_| connect(process.caller.address())).collect();
    assert!(open_files(&process) <= 200);
    let answer = process.caller.ask(&question("c", "email"));
    assert_eq!((answer.status, &answer.body["degraded"]), (200, &json!(false)));
    drop(idle);
    let (status, log) = process.terminate();
    assert_eq!(status, Some(0));
    assert!(!log.contains("Error accepting"), "{log}");
}

#[test]
fn a_batch_has_a_length_and_an_end() {
    let process = Process::start_with(&[("HTTP__MAX_BATCH_LINES", "2")], &IN_MEMORY);
    let lines = format!("{}\n", question("c", "email")).repeat(4);
    let more = format!("content-length: {}\r\n", lines.len());
    let head_of = |more: &str| head("POST", "/v1/preflight/batch", more).replace("json", "x-ndjson");
    let mut connection = connect(process.caller.address());
    assert_eq!(connection.send(head_of(&more) + &lines).answer().status, 200);
    let answers = connection.chunk();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert!(answers[2].contains("at most 2 lines"), "{answers:?}");
    assert!(connection.is_closed());

    let governor = Governor::start_with(&[("HTTP__MAX_BATCH_TIME", "1h")]);
    let mut connection = connect(governor.caller.address());
    let line = format!("{}\n", question("c", "email"));
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    assert_eq!(connection.send(head_of("transfer-encoding: chunked\r\n") + &chunk).answer().status, 200);
    assert!(connection.chunk().contains("verdict"));
    governor.set("2026-11-16T13:00:00.001Z");
    let refused = connection.send(&chunk).chunk();
    assert!(refused.contains("timed-out") && refused.contains("\"line\":2"), "{refused}");
    assert!(connection.is_closed());
}
