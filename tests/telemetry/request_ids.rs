//! Every answer has the id of its request, and everything that is written of the request has the same.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::command_line::{lines, run};
use crate::harness::keys::Keys;
use crate::harness::raw::{connect, head, post};
use crate::harness::{Caller, Governor, Process, event, question, with};

const ID: &str = "gateway-7f3a.42_B";
const SECRET: &str = "a-secret-of-this-test-of-32-characters";

fn send(caller: &Caller, method: &str, path: &str, media: &str, body: &str) -> (u16, String, Value) {
    let headers = [("content-type", media), ("x-request-id", ID)];
    let response = caller.try_send_with(method, path, &headers, body.as_bytes()).expect("an answer");
    (response.status, response.header("x-request-id").to_owned(), response.body)
}

/// Whether it is one of ours, made at that moment.
fn is_minted(id: &str) -> bool {
    let id = Uuid::parse_str(id).unwrap_or_else(|_| panic!("`{id}` is no UUID"));
    id.get_version_num() == 7 && id.get_timestamp().map(|at| at.to_unix().0) == Some(1_794_830_400)
}

#[test]
fn every_kind_of_answer_has_the_id_that_was_sent_and_a_problem_has_it_too() {
    let governor = Governor::start_with(&[("HTTP__MAX_BODY_BYTES", "2000")]);
    let json = "application/json";
    let asked = |contact: &str, channel: &str| {
        with(question("c-1", channel), &json!({"contact_id": contact})).to_string()
    };
    let told = event("e-1", "contact.sent", "c-1", &json!({"channel": "email"})).to_string();
    for (method, path, media, body, expected) in [
        ("POST", "/v1/preflight", json, asked("m-1", "email"), 200),
        ("POST", "/v1/preflight", json, asked("m-1", "sms"), 422),
        ("POST", "/v1/preflight", json, "{".to_owned(), 400),
        ("POST", "/v1/preflight", json, "{}".to_owned(), 400),
        ("POST", "/v1/preflight", json, "x".repeat(2_001), 413),
        ("POST", "/v1/preflight", "text/plain", asked("m-2", "email"), 415),
        ("POST", "/v1/preflight/batch", "application/x-ndjson", asked("m-3", "email"), 200),
        ("POST", "/v1/events", json, told, 202),
        ("PUT", "/v1/campaigns/autumn/halt", json, String::new(), 204),
        ("GET", "/v1/follow-ups/none", json, String::new(), 404),
        ("GET", "/nowhere", json, String::new(), 404),
        ("PATCH", "/v1/policy", json, String::new(), 405),
        ("GET", "/wishes/nothing", json, String::new(), 404),
        ("GET", "/docs", json, String::new(), 200),
        ("GET", "/metrics", json, String::new(), 200),
        ("GET", "/livez", json, String::new(), 200),
    ] {
        let (status, id, answered) = send(&governor.caller, method, path, media, &body);
        assert_eq!((status, &*id), (expected, ID), "{method} {path} {body}");
        let is_problem = status >= 400;
        let instance = format!("urn:contact-governor:request:{ID}");
        assert_eq!(answered["instance"] == instance, is_problem, "{method} {path}: {answered}");
    }
}

#[test]
fn so_has_an_answer_to_whoever_is_turned_away() {
    let mut keys = Keys::default();
    let key = keys.issue("asker", &[("SCOPES", "ask"), ("PER_SECOND", "1"), ("BURST", "1")]);
    let governor = keys.governor();
    let asker = governor.caller.with_key(&key);
    let asked = question("c", "email").to_string();
    for (caller, method, path, body, expected) in [
        (&governor.caller, "POST", "/v1/preflight", &*asked, 401),
        (&asker, "GET", "/v1/policy", "", 403),
        (&asker, "POST", "/v1/preflight", &*asked, 200),
        (&asker, "POST", "/v1/preflight", &*asked, 429),
    ] {
        let (status, id, _) = send(caller, method, path, "application/json", body);
        assert_eq!((status, &*id), (expected, ID), "{method} {path}");
    }
}

#[test]
fn where_none_was_sent_each_request_has_one_of_its_own() {
    let governor = Governor::start();
    let ids: Vec<String> = ["/livez", "/livez", "/nowhere"]
        .map(|path| governor.caller.get(path).header("x-request-id").to_owned())
        .into();
    assert!(ids.iter().all(|id| is_minted(id)), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

/// All of the head but what it begins with.
fn ids(head: &str) -> Vec<&str> {
    head.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect()
}

#[test]
fn what_is_hostile_or_ambiguous_is_not_repeated() {
    let governor = Governor::start();
    for sent in [
        &b"x-request-id: "[..],
        b"x-request-id: a b",
        b"x-request-id: a\tb",
        b"x-request-id: a\"b",
        b"x-request-id: <script>alert(1)</script>",
        b"x-request-id: ${jndi:ldap://example.com/a}",
        b"x-request-id: %0d%0aset-cookie:a",
        b"x-request-id: trillian@heart-of-gold.example",
        b"x-request-id: +442079460042",
        b"x-request-id: 442079460042",
        b"x-request-id: \xff\xfe",
        b"x-request-id: caf\xc3\xa9",
        b"x-request-id: one\r\nX-Request-Id: other",
        b"x-request-id: one\r\nx-request-id: one",
        &[b"x-request-id: ", &[b'x'; 65][..]].concat(),
        &[b"x-request-id: ", &[b'x'; 8_000][..]].concat(),
    ] {
        let [start, end] = [&b"GET /livez HTTP/1.1\r\nhost: x\r\n"[..], b"\r\n\r\n"];
        let answer = connect(governor.caller.address()).send([start, sent, end].concat()).answer();
        let shown = String::from_utf8_lossy(sent);
        assert_eq!(answer.status, 200, "{shown}");
        assert!(matches!(&*ids(&answer.head), [id] if is_minted(id)), "{shown}: {}", answer.head);
        assert!(!answer.head.to_lowercase().contains("set-cookie"), "{}", answer.head);
    }
    // Whatever comes around it, within a head that is one, is not part of it.
    for good in ["x-request-id:   padded \t", "X-REQUEST-ID: padded"] {
        let answer =
            connect(governor.caller.address()).send(head("GET", "/livez", &format!("{good}\r\n"))).answer();
        assert_eq!(ids(&answer.head), ["padded"], "{good}");
    }
}

#[test]
fn requests_on_one_connection_each_have_their_own() {
    let governor = Governor::start();
    let mut connection = connect(governor.caller.address());
    let asks = ["first", "second", "third"].map(|id| {
        post("/v1/preflight", &question("c", "email").to_string()).replacen(
            "\r\n",
            &format!("\r\nx-request-id: {id}\r\n"),
            1,
        )
    });
    // All at once, before any is answered.
    connection.send(asks.concat());
    for id in ["first", "second", "third"] {
        assert_eq!(ids(&connection.answer().head), [id]);
    }
    assert!(
        matches!(&*ids(&connection.send(head("GET", "/livez", "")).answer().head), [id] if is_minted(id))
    );
}

#[test]
fn where_callers_are_not_trusted_their_ids_are_not_taken() {
    let governor = Governor::start_with(&[("TRACING__TRUST_CALLERS", "false")]);
    let trace = "00-12345678901234567890123456789012-1234567890123456-01";
    let headers = [("x-request-id", ID), ("traceparent", trace)];
    let answer = governor.caller.try_send_with("GET", "/livez", &headers, b"").expect("an answer");
    assert!(is_minted(answer.header("x-request-id")), "{answer:?}");
    assert_eq!(answer.header("traceresponse"), "");
}

#[test]
fn the_audit_log_and_the_decision_log_name_the_request_that_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (audit, decisions) = (path("audit"), path("decisions"));
    let to = format!("file:{decisions}");
    let settings = [
        ("AUDIT__DIRECTORY", &*audit),
        ("AUDIT__SECRETS", SECRET),
        ("DECISION_LOG__TO", &to),
        ("DECISION_LOG__SECRET", SECRET),
    ];
    let mut process = Process::start_with(&settings, &["--ledger", "memory:"]);
    let caller = &process.caller;
    let halted = caller.put("/v1/campaigns/autumn/halt", &Value::Null).header("x-request-id").to_owned();
    let asked = question("c-1", "email").to_string();
    assert_eq!(send(caller, "POST", "/v1/preflight", "application/json", &asked).0, 200);
    let batch = format!("{asked}\n{}", question("c-2", "sms"));
    let headers = [("content-type", "application/x-ndjson"), ("x-request-id", "the-batch")];
    let batch =
        caller.try_send_with("POST", "/v1/preflight/batch", &headers, batch.as_bytes()).expect("answers");
    assert_eq!(batch.status, 200);
    process.terminate();
    let read = |folder: &str| -> Vec<Value> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
        let text: String = files.iter().map(|file| std::fs::read_to_string(file).expect("text")).collect();
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    };
    let acts: Vec<(Value, Value)> =
        read(&audit).iter().map(|line| (line["what"].clone(), line["request"].clone())).collect();
    assert_eq!(acts, [(json!("policy.in_force"), Value::Null), (json!("halt.set"), json!(halted))]);
    let mut requests: Vec<String> =
        read(&decisions).iter().map(|line| line["request"].as_str().expect("an id").to_owned()).collect();
    requests.sort();
    let mut expected = vec![&*halted, ID, "the-batch", "the-batch"];
    expected.sort_unstable();
    assert_eq!(requests, expected);
    // A replay passes over it.
    let written: Vec<String> = read(&decisions).iter().map(Value::to_string).collect();
    let replayed = lines(&run(&["simulate"], &written.join("\n")));
    assert!(replayed.len() == 4 && replayed.iter().all(|line| line.get("problem").is_none()), "{replayed:?}");
}
