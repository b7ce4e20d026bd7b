//! Lines of the log, and what they say of a request.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::raw::{connect, head};
use crate::harness::redis::RedisServer;
use crate::harness::{PROGRAM, Process, question, time_until, with};

const TRACEPARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";
const ACCESS: (&str, &str) = ("LOG__LEVEL", "info,contact_governor::access=debug");

fn lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[test]
fn every_line_is_json_where_that_is_asked_for_and_a_request_can_be_followed_by_its_id() {
    let settings = [("LOG__FORMAT", "json"), ACCESS];
    let mut process = Process::start_with(&settings, &["--ledger", "memory:"]);
    let headers = [("x-request-id", "req-42"), ("traceparent", TRACEPARENT)];
    let path = "/v1/customers/zaphod-4242?zone=Europe/Paris";
    let answer = process.caller.try_send_with("GET", path, &headers, b"").expect("an answer");
    let brewed = head("BREW-zaphod", "/teapots/zaphod-4242", "x-request-id: req-43\r\n");
    assert_eq!(connect(process.caller.address()).send(brewed).answer().status, 404);
    let (_, log) = process.terminate();
    let lines = lines(&log);
    for line in &lines {
        for member in ["timestamp", "level", "target", "message"] {
            assert!(line[member].is_string(), "{line}");
        }
        assert!(
            line.as_object().expect("an object").values().all(|value| !value.is_object()),
            "flat: {line}"
        );
    }
    let of = |id: &str| lines.iter().filter(|line| line["request_id"] == id).collect::<Vec<_>>();
    let [line] = *of("req-42") else { panic!("{log}") };
    let shown = line.as_object().expect("an object");
    let span = answer.header("traceresponse").split('-').nth(2).expect("a span");
    let expected = json!({
        "level": "DEBUG", "target": "contact_governor::access", "message": "answered",
        "method": "GET", "route": "/v1/customers/{customer}", "status": answer.status, "caller": "local",
        "request_id": "req-42", "trace_id": "12345678901234567890123456789012", "span_id": span,
    });
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(&line[member], value, "{member} of {line}");
    }
    assert!(line["latency_us"].is_u64(), "{line}");
    assert_eq!(shown.len(), 12, "and nothing else: {line}");
    // What nobody knows has no route and no caller, and its method is nobody's word.
    let [line] = *of("req-43") else { panic!("{log}") };
    assert_eq!((&line["method"], &line["status"]), (&json!("_OTHER"), &json!(404)));
    assert!(line.get("route").is_none() && line.get("caller").is_none(), "{line}");
    assert!(!log.contains("zaphod") && !log.contains("BREW") && !log.contains("Paris"), "{log}");
    // What is no request's has no request.
    let stopped = lines.iter().find(|line| line["message"] == "stopped").expect("the last line");
    assert!(stopped.get("request_id").is_none() && stopped.get("trace_id").is_none(), "{stopped}");
}

#[test]
fn text_says_the_same_and_nothing_is_said_of_requests_unless_asked_for() {
    for (settings, is_said) in [(vec![ACCESS], true), (vec![], false)] {
        let mut process = Process::start_with(&settings, &["--ledger", "memory:"]);
        let headers = [("x-request-id", "req-42"), ("traceparent", TRACEPARENT)];
        process.caller.try_send_with("GET", "/livez", &headers, b"").expect("an answer");
        let (_, log) = process.terminate();
        let line = log.lines().find(|line| line.contains("req-42"));
        assert_eq!(line.is_some(), is_said, "{log}");
        if let Some(line) = line {
            assert!(
                line.contains(" DEBUG contact_governor::access: answered method=\"GET\" route=\"/livez\""),
                "{line}"
            );
            assert!(
                line.contains(" request_id=req-42 trace_id=12345678901234567890123456789012 span_id="),
                "{line}"
            );
        }
        assert!(log.contains(" INFO contact_governor::app: stopped\n"), "{log}");
    }
}

#[test]
fn a_command_passes_on_the_trace_of_whoever_started_it() {
    for (inherited, is_passed_on) in [(TRACEPARENT, true), ("00-nonsense", false)] {
        let mut process = Process::start_with(&[("LOG__FORMAT", "json"), ACCESS], &["--ledger", "memory:"]);
        let url = format!("http://{}", process.caller.address());
        let status = Command::new(PROGRAM)
            .args(["preflight", "--url", &url])
            .env("TRACEPARENT", inherited)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .and_then(|mut command| {
                let mut stdin = command.stdin.take().expect("a pipe");
                stdin.write_all(question("c-1", "email").to_string().as_bytes())?;
                drop(stdin);
                command.wait()
            });
        assert!(status.expect("the program runs").code().is_some_and(|code| code <= 1), "an answer came");
        let (_, log) = process.terminate();
        let lines = lines(&log);
        let asked = lines.iter().find(|line| line["message"] == "answered").expect("a line");
        assert_eq!(asked["trace_id"] == "12345678901234567890123456789012", is_passed_on, "{asked}");
    }
}

#[test]
fn what_goes_wrong_within_a_request_is_said_with_its_id() {
    let redis = RedisServer::start(&[]);
    let mut process = Process::start_with(&[("LOG__FORMAT", "json")], &["--ledger", &redis.url()]);
    redis.pause();
    let asked = with(question("c-1", "email"), &json!({"purpose": "transactional"})).to_string();
    let headers = |id| [("content-type", "application/json"), ("x-request-id", id)];
    let send = |id, method, path, body: &str| {
        process.caller.try_send_with(method, path, &headers(id), body.as_bytes()).expect("an answer").status
    };
    assert_eq!(send("asked-blind", "POST", "/v1/preflight", &asked), 200);
    assert_eq!(send("put-in-vain", "PUT", "/v1/customers/c-1/facts", "{\"purchases\": 1}"), 503);
    redis.resume();
    time_until(|| process.caller.get("/readyz").status == 200);
    let (_, log) = process.terminate();
    let lines = lines(&log);
    for (id, message) in
        [("asked-blind", "answering blind"), ("put-in-vain", "refused a call for want of the ledger")]
    {
        let of = lines.iter().filter(|line| line["message"] == message && line["request_id"] == id);
        assert_eq!(of.count(), 1, "{message}");
    }
}
