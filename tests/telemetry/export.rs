//! Spans arrive at a collector, and nobody waits for it.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::receiver::{Receiver, SILENCE};
use crate::harness::{Caller, Governor, event, question, time_until};
use crate::heralds::Hook;

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

fn start(collector: &str, sample: &str) -> Governor {
    Governor::start_with(&[("TRACING__OTLP_ENDPOINT", collector), ("TRACING__SAMPLE", sample)])
}

/// The spans in what a collector was sent, checked for what every one must have.
fn spans(body: &Value) -> Vec<Value> {
    let [resource] = body["resourceSpans"].as_array().expect("resources").as_slice() else {
        panic!("{body}")
    };
    let [scope] = resource["scopeSpans"].as_array().expect("scopes").as_slice() else { panic!("{body}") };
    assert_eq!(scope["scope"]["name"], "contact-governor");
    let spans = scope["spans"].as_array().expect("spans");
    for span in spans {
        for (member, digits) in [("traceId", 32), ("spanId", 16)] {
            let id = span[member].as_str().expect("an id");
            assert!(id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{span}");
        }
        let nanos = |member: &str| {
            span[member].as_str().and_then(|text| text.parse::<u64>().ok()).expect("nanoseconds")
        };
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"), "{span}");
        assert!(span["flags"].is_u64() && span["kind"].is_u64() && span["name"].is_string(), "{span}");
    }
    spans.clone()
}

/// Attributes as a map, each value as it is written.
fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let pairs = of["attributes"].as_array().expect("attributes").iter();
    pairs.map(|pair| (pair["key"].as_str().expect("a key").to_owned(), pair["value"].clone())).collect()
}

/// The next span of that name.
fn next(collector: &Receiver, name: &str) -> Value {
    loop {
        let spans = spans(&collector.next().json());
        if let Some(span) = spans.into_iter().find(|span| span["name"] == name) {
            return span;
        }
    }
}

fn counted(caller: &Caller, name: &str) -> u64 {
    let metrics = caller.get("/metrics").body;
    let metrics = metrics.as_str().expect("text").to_owned();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("contact_governor_{name} ")));
    line.expect("a metric").parse().expect("a number")
}

#[test]
fn a_request_is_a_span_of_its_callers_trace() {
    let collector = Receiver::start();
    let endpoint = collector.url("");
    let governor = Governor::start_with(&[
        ("TRACING__OTLP_ENDPOINT", &endpoint),
        ("TRACING__OTLP_HEADERS", "x-tenant=seven, authorization=Basic YTpi"),
        ("TRACING__SERVICE_NAME", "governor-of-a-test"),
        ("TRACING__SAMPLE", "0"),
    ]);
    let headers = [
        ("traceparent", &*traceparent("01")),
        ("tracestate", "rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE"),
        ("x-request-id", "req-42"),
    ];
    let path = "/v1/customers/zaphod-4242";
    let answer = governor.caller.try_send_with("GET", path, &headers, b"").expect("an answer");
    let posted = collector.next();
    assert_eq!((&*posted.path, posted.header("content-type")), ("/v1/traces", "application/json"));
    assert_eq!((posted.header("x-tenant"), posted.header("authorization")), ("seven", "Basic YTpi"));
    assert_eq!(posted.header("traceparent"), "", "sending spans is no part of a trace");
    assert!(!posted.body.contains("zaphod"), "{}", posted.body);
    let body = posted.json();
    let resource = attributes(&body["resourceSpans"][0]["resource"]);
    assert_eq!(resource["service.name"], json!({"stringValue": "governor-of-a-test"}));
    assert_eq!(resource["service.version"], json!({"stringValue": env!("CARGO_PKG_VERSION")}));
    let spans = spans(&body);
    let (served, parts): (Vec<&Value>, Vec<&Value>) = spans.iter().partition(|span| span["kind"] == 2);
    let [span] = *served else { panic!("{body}") };
    // What the ledger did for it is a part of it.
    assert!(parts.iter().any(|part| part["name"] == "ledger load"), "{body}");
    for part in parts {
        assert_eq!((&part["traceId"], &part["parentSpanId"]), (&json!(TRACE), &span["spanId"]), "{part}");
        assert_eq!((&part["kind"], &part["flags"]), (&json!(1), &json!(0x101)), "{part}");
    }
    assert_eq!(
        answer.header("traceresponse"),
        format!("00-{TRACE}-{}-01", span["spanId"].as_str().expect("an id"))
    );
    let mut shown = span.clone();
    for told_elsewhere in ["attributes", "spanId"] {
        shown.as_object_mut().expect("an object").remove(told_elsewhere);
    }
    let noon = "1794830400000000000";
    let expected = json!({
        "traceId": TRACE, "parentSpanId": SPAN, "traceState": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        "name": "GET /v1/customers/{customer}", "kind": 2, "flags": 0x301, "status": {},
        "startTimeUnixNano": noon, "endTimeUnixNano": noon,
    });
    assert_eq!(shown, expected);
    let text = |text: &str| json!({"stringValue": text});
    let expected = [
        ("contact_governor.caller", text("local")),
        ("contact_governor.request_id", text("req-42")),
        ("http.request.method", text("GET")),
        ("http.response.status_code", json!({"intValue": answer.status.to_string()})),
        ("http.route", text("/v1/customers/{customer}")),
    ];
    assert_eq!(attributes(span), expected.map(|(key, value)| (key.to_owned(), value)).into());
}

#[test]
fn whoever_begins_a_trace_decides_whether_it_is_recorded() {
    let collector = Receiver::start();
    let all = start(&collector.url("/"), "1");
    let send = |governor: &Governor, path: &str, headers: &[(&str, &str)]| {
        governor.caller.try_send_with("GET", path, headers, b"").expect("an answer")
    };
    // The caller says no, and is heard although everything that begins here is recorded.
    let refused = send(&all, "/livez", &[("traceparent", &traceparent("00"))]);
    assert!(refused.header("traceresponse").ends_with("-00"), "{refused:?}");
    let begun = send(&all, "/readyz", &[]);
    let parts: Vec<&str> = begun.header("traceresponse").split('-').collect();
    let spans = spans(&collector.next().json());
    let [span] = &*spans else { panic!("{spans:?}") };
    assert_eq!((&span["name"], &span["traceId"]), (&json!("GET /readyz"), &json!(parts[1])));
    assert_eq!((parts[3], &span["flags"]), ("03", &json!(0x103)));
    assert!(span.get("parentSpanId").is_none() && span.get("traceState").is_none(), "{span}");
    assert_eq!((counted(&all.caller, "spans_dropped_total"), all.caller.get("/nowhere").status), (0, 404));

    // The other way round.
    let other = Receiver::start();
    let none = start(&other.url(""), "0");
    assert_eq!(send(&none, "/readyz", &[]).header("traceresponse"), "");
    send(&none, "/livez", &[("traceparent", &traceparent("01"))]);
    assert_eq!(next(&other, "GET /livez")["traceId"], TRACE);
}

#[test]
fn a_failure_of_ours_is_an_error_and_a_mistake_of_the_callers_is_none() {
    let collector = Receiver::start();
    let governor = start(&collector.url(""), "1");
    governor.caller.send("POST", "/v1/preflight", b"{");
    let span = next(&collector, "POST /v1/preflight");
    assert_eq!(span["status"], json!({}));
    assert_eq!(attributes(&span)["http.response.status_code"], json!({"intValue": "400"}));
    governor.caller.send("DELETE", "/nowhere/zaphod-4242", b"");
    assert_eq!(next(&collector, "DELETE")["status"], json!({}));
}

#[test]
fn a_batch_is_over_when_its_last_answer_is() {
    let collector = Receiver::start();
    let governor = start(&collector.url(""), "1");
    let lines = format!("{}\n{}\n", question("c-1", "email"), question("c-2", "email"));
    let answers =
        governor.caller.try_send_as("application/x-ndjson", "POST", "/v1/preflight/batch", lines.as_bytes());
    assert_eq!(answers.expect("answers").status, 200);
    next(&collector, "POST /v1/preflight/batch");
}

#[test]
fn a_webhook_is_told_by_a_trace_of_its_own() {
    let (collector, hook) = (Receiver::start(), Hook::start());
    let endpoint = collector.url("");
    let mut settings = hook.settings();
    settings.extend([("TRACING__OTLP_ENDPOINT", &*endpoint), ("TRACING__SAMPLE", "1")]);
    let governor = Governor::start_with(&settings);
    let told = event("e-1", "customer.complained", "c-1", &json!({"channel": "email"}));
    let headers = [("content-type", "application/json"), ("traceparent", &*traceparent("01"))];
    let answer = governor.caller.try_send_with("POST", "/v1/events", &headers, told.to_string().as_bytes());
    assert_eq!(answer.expect("an answer").status, 202);
    let told = hook.next();
    let span = next(&collector, "POST webhook");
    let (trace, id) = (span["traceId"].as_str().expect("an id"), span["spanId"].as_str().expect("an id"));
    assert_eq!(told.header("traceparent"), format!("00-{trace}-{id}-03"));
    assert!(trace != TRACE && span.get("parentSpanId").is_none(), "{span}");
    assert_eq!((&span["kind"], &span["status"]), (&json!(3), &json!({})));
    assert_eq!(attributes(&span)["http.response.status_code"], json!({"intValue": "204"}));
}

#[test]
fn a_webhook_is_told_of_a_trace_even_where_nothing_is_recorded() {
    let hook = Hook::start();
    let governor = Governor::start_with(&hook.settings());
    governor.caller.tell(&event("e-1", "customer.complained", "c-1", &json!({"channel": "email"})));
    let told = hook.next();
    let parts: Vec<&str> = told.header("traceparent").split('-').collect();
    assert!(matches!(*parts, ["00", trace, span, "02"] if trace.len() == 32 && span.len() == 16), "{told:?}");
}

#[test]
fn spans_that_a_collector_cannot_take_now_are_sent_again_and_those_it_will_not_are_lost_and_counted() {
    let collector = Receiver::start();
    collector.answer(503);
    let governor = start(&collector.url(""), "0");
    let send = || {
        let headers = [("traceparent", &*traceparent("01"))];
        governor.caller.try_send_with("GET", "/livez", &headers, b"").expect("an answer");
    };
    send();
    let first = collector.next();
    collector.answer(200);
    assert_eq!(first.body, collector.next().body);
    time_until(|| counted(&governor.caller, "spans_sent_total") == 1);
    assert_eq!(counted(&governor.caller, "spans_dropped_total"), 0);
    collector.answer(400);
    send();
    time_until(|| counted(&governor.caller, "spans_dropped_total") == 1);
    assert_eq!(counted(&governor.caller, "spans_sent_total"), 1);
}

#[test]
fn nobody_waits_for_a_collector_that_is_silent_or_away() {
    let silent = Receiver::start();
    silent.answer(SILENCE);
    let away = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    for endpoint in [silent.url(""), format!("http://{away}")] {
        let governor = start(&endpoint, "1");
        for number in 0..50 {
            let asked = governor.caller.ask(&question(&format!("c-{number}"), "email"));
            assert_eq!((asked.status, asked.verdict()), (200, "allow"));
        }
    }
}

#[test]
fn what_is_wrong_with_the_settings_is_said_at_the_start_and_no_secret_with_it() {
    for (name, value, named) in [
        ("TRACING__OTLP_ENDPOINT", "collector:4317", "tracing.otlp_endpoint"),
        ("TRACING__OTLP_HEADERS", "s3cret", "tracing.otlp_headers"),
        ("TRACING__SAMPLE", "10%", "tracing.sample"),
        ("TRACING__TRUST_CALLERS", "perhaps", "tracing.trust_callers"),
        ("TRACING__SERVICE_NAME", "", "tracing.service_name"),
    ] {
        let settings = [(name, value)];
        let launch = crate::harness::Launch {
            settings: &settings,
            arguments: &["--ledger", "memory:"],
            ..Default::default()
        };
        let said = crate::harness::Process::launch(&launch).err().expect("it does not start");
        assert!(said.contains(named) && !said.contains("s3cret"), "{said}");
    }
}
