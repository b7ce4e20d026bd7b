//! Everything that can be known of somebody goes through every route, at log level trace, and is looked for in all that
//! is written: nobody who reads logs or metrics learns of whom they tell, and no message's words are kept anywhere.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use contact_governor::http::endpoints;
use serde_json::{Value, json};

use crate::harness::raw::{connect, head};
use crate::harness::receiver::Receiver;
use crate::harness::redis::RedisServer;
use crate::harness::spellings::{files_with, found_in};
use crate::harness::{Caller, PROGRAM, Process, event, question, time_until, with};
use crate::heralds::Hook;

const SECRET: &str = "a-secret-of-the-privacy-test-of-32-characters";

const CUSTOMER: &str = "zaphod-4242-beeblebrox";
const CONTACT: &str = "contact-heart-of-gold";
const EVENT: &str = "event-slartibartfast";
/// Who said what, and why: kept beside the record, and nowhere else.
const PERSON: &str = "ford-prefect-junior";
const REASON: &str = "mostly harmless, he said";
/// What facts say is kept for the rules, and written in the decision log as it is.
const FACT: &str = "7 Magrathea Lane";
/// What is in the messages: kept nowhere at all.
const NAME: &str = "Ms Trillian Åström";
const ADDRESS: &str = "trillian@heart-of-gold.example";
const TELEPHONE: &str = "+44 20 7946 0042";
const WORDS: &str = "forty-two cups of the best tea";
/// What a caller shows to be let in.
const KEY: &str = "cg-key-of-eddie-the-computer";

const IN_MESSAGES: [&str; 5] = [NAME, ADDRESS, TELEPHONE, WORDS, KEY];
const IN_DECISIONS: [&str; 5] = [CUSTOMER, CONTACT, EVENT, PERSON, REASON];

/// The policy that ships with the program.
const POLICY: &str = include_str!("../config/policy.toml");

/// One call: its method, the route as `src/http.rs` writes it, what stands for the names in that, and the body.
struct Call {
    method: &'static str,
    route: &'static str,
    path: String,
    body: String,
    media: &'static str,
}

fn call(method: &'static str, route: &'static str, body: &Value) -> Call {
    let named = [("{customer}", CUSTOMER), ("{channel}", "sms"), ("{campaign}", "autumn")];
    let path = named.iter().fold(route.to_owned(), |path, (name, value)| path.replace(name, value));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Call { method, route, path, body, media: "application/json" }
}

fn asked(contact: &str, members: &Value) -> Value {
    let body = format!("Dear {NAME}, we care about you: {WORDS}. Call {TELEPHONE} or write to {ADDRESS}.");
    let asked = json!({"contact_id": contact, "content": {"subject": WORDS, "body": body, "addressee": NAME},
        "facts": {"address": FACT}});
    with(with(question(CUSTOMER, "email"), &asked), members)
}

fn told(kind: &str) -> Value {
    let data = json!({"channel": "email", "contact_id": CONTACT, "reason": REASON, "evidence": REASON, "by": PERSON,
        "text": REASON});
    event(&format!("{EVENT}-{kind}"), kind, CUSTOMER, &data)
}

/// A call for every route. A new route needs a line here, with everything in it that might be somebody's.
fn calls(page: &str, follow_up: &str) -> Vec<Call> {
    let voice = json!({"channel": "voice", "purpose": "relationship", "delivery": "synthetic_voice"});
    let lines: Vec<String> =
        (0..3).map(|line| asked(&format!("{CONTACT}-{line}"), &json!({})).to_string()).collect();
    let suppression = json!({"reason": REASON, "by": PERSON, "source": PERSON});
    let wishes = json!({"channels": ["email", "mail"], "by": PERSON});
    let on =
        |method, route, path: &str, body: &Value| Call { path: path.to_owned(), ..call(method, route, body) };
    let follow_up = |action: &str| format!("/v1/follow-ups/{follow_up}{action}");
    let none = Value::Null;
    vec![
        call("POST", "/v1/preflight", &asked(CONTACT, &json!({}))),
        call("POST", "/v1/preflight", &asked("another", &voice)),
        Call {
            body: lines.join("\n"),
            media: "application/x-ndjson",
            ..call("POST", "/v1/preflight/batch", &none)
        },
        call("POST", "/v1/explain", &asked(CONTACT, &json!({}))),
        call("POST", "/v1/claims", &json!({"subject": WORDS, "text": format!("{NAME}, {ADDRESS}")})),
        call("POST", "/v1/events", &told("contact.sent")),
        call("POST", "/v1/events", &json!([told("customer.complained"), told("consent.granted")])),
        call("POST", "/v1/events", &told("customer.unsubscribed")),
        call("GET", "/v1/customers/{customer}", &none),
        call("GET", "/v1/customers/{customer}/export", &none),
        call("GET", "/v1/customers/{customer}/timeline", &none),
        call("PUT", "/v1/customers/{customer}/wishes", &wishes),
        call("PUT", "/v1/customers/{customer}/facts", &json!({"address": FACT, "time_zone": "Europe/Paris"})),
        call("PUT", "/v1/customers/{customer}/suppressions/{channel}", &suppression),
        call("DELETE", "/v1/customers/{customer}/suppressions/{channel}", &none),
        call("PUT", "/v1/campaigns/{campaign}/halt", &none),
        call("DELETE", "/v1/campaigns/{campaign}/halt", &none),
        call("GET", "/v1/follow-ups", &none),
        on("GET", "/v1/follow-ups/{id}", &follow_up(""), &none),
        on("POST", "/v1/follow-ups/{id}/claim", &follow_up("/claim"), &json!({"by": PERSON})),
        on("POST", "/v1/follow-ups/{id}/done", &follow_up("/done"), &json!({"by": PERSON, "what": REASON})),
        call("GET", "/v1/policy", &none),
        call("GET", "/v1/policy/shadow", &none),
        Call {
            body: format!("{POLICY}\n# {NAME}, {ADDRESS}"),
            media: "application/toml",
            ..call("PUT", "/v1/policy", &none)
        },
        on("GET", "/wishes/{token}", page, &none),
        Call {
            body: "do=save&channel=email".to_owned(),
            media: "application/x-www-form-urlencoded",
            ..on("POST", "/wishes/{token}", page, &none)
        },
        call("GET", "/metrics", &none),
        on("HEAD", "/wishes/{token}", page, &none),
        call("GET", "/openapi.json", &none),
        call("GET", "/docs", &none),
        call("GET", "/livez", &none),
        call("GET", "/readyz", &none),
        call("DELETE", "/v1/customers/{customer}", &none),
    ]
}

/// Calls that go wrong, each in another way.
fn wrong_calls() -> Vec<Call> {
    let at = |method, path: &str, body: &str| Call {
        path: path.to_owned(),
        body: body.to_owned(),
        ..call(method, "none", &Value::Null)
    };
    let unknown =
        asked(CONTACT, &json!({"chanel": ADDRESS, "channel": ADDRESS, "purpose": NAME, "send_at": WORDS}));
    vec![
        at("POST", "/v1/preflight", &format!("{{\"customer\": \"{CUSTOMER}\", {NAME} {ADDRESS}")),
        at("POST", "/v1/preflight", &unknown.to_string()),
        at("POST", "/v1/preflight/batch", &unknown.to_string()),
        at("POST", "/v1/events", &with(told("customer.complained"), &json!({"time": WORDS})).to_string()),
        at("PUT", &format!("/v1/customers/{CUSTOMER}/facts"), &format!("[\"{FACT}\"]")),
        at("PUT", &format!("/v1/customers/{CUSTOMER}/wishes"), &json!({"channels": [NAME]}).to_string()),
        at("PATCH", &format!("/v1/customers/{CUSTOMER}"), &format!("\"{FACT}\"")),
        at("GET", &format!("/v1/customers/{CUSTOMER}/nowhere?address={ADDRESS}"), ""),
        at("GET", &format!("/v1/follow-ups/{CUSTOMER}"), ""),
        at("GET", &format!("/wishes/{CUSTOMER}"), ""),
    ]
}

/// The routes there are, and their methods: those of the table, and the customers' own page.
fn routes() -> BTreeSet<(String, String)> {
    let table = endpoints().into_iter().map(|(method, path, _)| (method, path.to_owned()));
    let page = ["GET", "HEAD", "POST"].map(|method| (method.to_owned(), "/wishes/{token}".to_owned()));
    let docs = [("GET".to_owned(), "/docs".to_owned())];
    table.chain(page).chain(docs).collect()
}

#[test]
fn every_route_has_its_call() {
    let called = calls("", "").iter().map(|call| (call.method.to_owned(), call.route.to_owned())).collect();
    let routes = routes();
    assert!(routes.len() > 20, "{routes:?}");
    assert_eq!(routes, called, "a route without a call in this file, or a call without a route");
}

fn send(caller: &Caller, call: &Call) -> u16 {
    let bearer = format!("Bearer {KEY}");
    // Neither is one: an id of ours is taken.
    let id = if call.method == "GET" { ADDRESS } else { TELEPHONE };
    let headers = [
        ("content-type", call.media),
        ("authorization", &bearer),
        ("x-request-id", id),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("baggage", CUSTOMER),
        ("if-match", "*"),
    ];
    let sent = caller.try_send_with(call.method, &call.path, &headers, call.body.as_bytes());
    sent.unwrap_or_else(|error| panic!("{} {}: {error}", call.method, call.path)).status
}

fn wishes_page() -> String {
    let link = Command::new(PROGRAM)
        .args(["key", "wishes-link", "--customer", CUSTOMER, "--base", "http://x"])
        .env("CONTACT_GOVERNOR__WISHES_PAGE__SECRET", SECRET)
        .output()
        .expect("the program runs");
    let link = String::from_utf8(link.stdout).expect("text");
    link.trim().strip_prefix("http://x").expect("the base").to_owned()
}

/// All that this instance writes, but for the ledger.
struct Written {
    folder: tempfile::TempDir,
    receiver: Hook,
    collector: Receiver,
}

impl Written {
    fn somewhere() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            receiver: Hook::start(),
            collector: Receiver::start(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path").to_owned()
    }

    fn start(&self, ledger: &str) -> Process {
        let decisions = format!("file:{}", self.path("decisions"));
        let (audit, journal, policy) = (self.path("audit"), self.path("journal"), self.path("policy.toml"));
        std::fs::write(&policy, POLICY).expect("a file");
        let spans = self.collector.url("");
        let mut settings = self.receiver.settings();
        settings.extend([
            ("LOG__LEVEL", "trace"),
            ("DECISION_LOG__TO", &*decisions),
            ("DECISION_LOG__SECRET", SECRET),
            ("AUDIT__DIRECTORY", &*audit),
            ("AUDIT__SECRETS", SECRET),
            ("JOURNAL__DIRECTORY", &*journal),
            ("WISHES_PAGE__SECRET", SECRET),
            ("POLICY__FILE", &*policy),
            ("SHADOW__POLICY", &*policy),
            ("TRACING__OTLP_ENDPOINT", &*spans),
        ]);
        Process::start_with(&settings, &["--ledger", ledger])
    }

    /// Nothing of anybody is in what operators read.
    fn holds_nobody(&self, metrics: &str, log: &str) {
        let all = [&IN_MESSAGES[..], &IN_DECISIONS, &[FACT]].concat();
        assert!(log.lines().count() > 5, "{log}");
        let lines: Vec<&str> =
            log.lines().filter(|line| !found_in(line.as_bytes(), &all).is_empty()).collect();
        assert!(lines.is_empty(), "{} lines of the log, as this one:\n{}", lines.len(), lines[0]);
        assert_eq!(found_in(metrics.as_bytes(), &all), [] as [String; 0]);
        // The erasure comes last, and what waits at the end is sent.
        let is_last = |spans: &str| spans.contains("\"DELETE /v1/customers/{customer}\"");
        loop {
            let spans = self.collector.next().body;
            assert_eq!(found_in(spans.as_bytes(), &all), [] as [String; 0]);
            if is_last(&spans) {
                break;
            }
        }
        let folder = self.folder.path();
        assert_eq!(files_with(&folder.join("audit"), &all), [] as [String; 0]);
        let decided = [&IN_MESSAGES[..], &IN_DECISIONS].concat();
        assert_eq!(files_with(&folder.join("decisions"), &decided), [] as [String; 0]);
        let journal = folder.join("journal");
        assert!(!journal.exists() || files_with(&journal, &IN_MESSAGES).is_empty());
        // What is looked for would be found.
        assert!(!files_with(&folder.join("decisions"), &[FACT]).is_empty());
    }
}

/// Calls every route, and returns what the metrics say in between. `stored` looks at the ledger's bytes.
fn everything(caller: &Caller, stored: impl Fn()) -> String {
    let page = wishes_page();
    for call in calls(&page, "none").iter().filter(|call| call.route == "/v1/preflight") {
        assert_eq!(send(caller, call), 200);
    }
    let listed = caller.get("/v1/follow-ups").body;
    let follow_up = listed["follow_ups"][0]["id"].as_str().expect("a follow-up").to_owned();
    for call in wrong_calls() {
        assert!(send(caller, &call) >= 400, "{} {}", call.method, call.path);
    }
    // A method is a caller's own word too.
    let path = format!("/v1/customers/{CUSTOMER}");
    assert_eq!(connect(caller.address()).send(head(CUSTOMER, &path, "")).answer().status, 405);
    let mut metrics = String::new();
    for call in calls(&page, &follow_up) {
        if call.method == "DELETE" && call.route == "/v1/customers/{customer}" {
            stored();
            metrics = caller.get("/metrics").body.to_string();
        }
        let status = send(caller, &call);
        assert!(status < 400, "{} {}: {status}", call.method, call.path);
    }
    metrics
}

#[test]
fn with_the_embedded_ledger_nothing_written_tells_of_anybody() {
    let written = Written::somewhere();
    let data = written.folder.path().join("data");
    let mut process = written.start(&format!("embedded:{}", data.display()));
    let metrics = everything(&process.caller, || {
        assert_eq!(files_with(&data, &IN_MESSAGES), [] as [String; 0]);
        assert!(!files_with(&data, &[CUSTOMER]).is_empty(), "its id stands where its record does");
    });
    let (_, log) = process.terminate();
    assert_eq!(files_with(&data, &IN_MESSAGES), [] as [String; 0]);
    written.holds_nobody(&metrics, &log);
}

#[test]
fn with_redis_nothing_written_tells_of_anybody() {
    let written = Written::somewhere();
    let redis = RedisServer::start(&["--rdbcompression", "no"]);
    let mut process = written.start(&redis.url());
    let caller = &process.caller;
    let metrics = everything(caller, || {
        let dump = saved(&redis);
        assert_eq!(found_in(&dump, &IN_MESSAGES), [] as [String; 0]);
        assert!(!found_in(&dump, &[CUSTOMER]).is_empty(), "its id stands where its record does");
    });
    // While Redis does not answer, other things are said and written.
    redis.pause();
    let blind = asked("blind", &json!({"purpose": "transactional"}));
    let answer = caller.ask(&blind);
    assert_eq!((answer.verdict(), &answer.body["degraded"]), ("allow", &json!(true)));
    assert_eq!(send(caller, &call("PUT", "/v1/customers/{customer}/facts", &json!({"address": FACT}))), 503);
    assert_eq!(files_with(Path::new(&written.path("journal")), &IN_MESSAGES), [] as [String; 0]);
    redis.resume();
    time_until(|| caller.get("/readyz").status == 200);
    let (_, log) = process.terminate();
    written.holds_nobody(&metrics, &log);
}

/// All that a Redis holds, as it would write it to disk.
fn saved(redis: &RedisServer) -> Vec<u8> {
    let _: String = redis.command(&["SAVE"]);
    let directory: Vec<String> = redis.command(&["CONFIG", "GET", "dir"]);
    std::fs::read(Path::new(&directory[1]).join("dump.rdb")).expect("bytes")
}
