//! Each gets its own clear problem; nothing is stored; nothing stops.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Governor, question, with};

#[test]
fn every_bad_field_of_a_question_is_named_at_once() {
    let governor = Governor::start();
    let bad = json!({
        "contact_id": "", "customer": 7, "channel": "emial", "purpose": "selling", "delivery": "robot",
        "campaign": "a\nb", "send_at": "2026-11-16T11:54:59Z", "deadline": "2026-11-16T11:00:00Z",
        "content": {"claims": ["cares"], "body": 1, "headline": "x"}, "audience": "facts.x >=",
        "facts": {"a": {"value": 1, "as_of": "once"}, "b": {"value": 1, "by": 2}},
        "time_zone": "Atlantis/Capital", "regions": ["US_NY"], "chanel": "email",
    });
    let refused = governor.caller.ask(&bad);
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.pointers(),
        [
            "/contact_id",
            "/customer",
            "/channel",
            "/purpose",
            "/delivery",
            "/campaign",
            "/content/body",
            "/content/claims/0",
            "/content/headline",
            "/audience",
            "/facts/a/as_of",
            "/facts/b/by",
            "/time_zone",
            "/regions/0",
            "/chanel",
            "/send_at",
            "/deadline",
        ]
    );
    let detail = |pointer: &str| {
        let errors = refused.body["errors"].as_array().expect("errors");
        let error = errors.iter().find(|error| error["pointer"] == pointer).expect("the field");
        error["detail"].as_str().expect("text").to_owned()
    };
    assert!(detail("/channel").contains("did you mean `email`?"), "{}", detail("/channel"));
    assert!(detail("/chanel").contains("did you mean `channel`?"), "{}", detail("/chanel"));
}

#[test]
fn a_moment_out_of_reach_is_refused_at_either_end() {
    let governor = Governor::start();
    let cases = [
        ("2026-11-16T11:55:00Z", 200),
        ("2026-11-16T11:54:59.999Z", 400),
        ("2027-02-14T12:00:00Z", 200),
        ("2027-02-14T12:00:00.001Z", 400),
    ];
    for (index, (send_at, status)) in cases.into_iter().enumerate() {
        let asked = with(question(&format!("c-{index}"), "email"), &json!({"send_at": send_at}));
        assert_eq!(governor.caller.ask(&asked).status, status, "{send_at}");
    }
}

#[test]
fn what_is_not_json_is_a_problem_and_not_the_end() {
    let governor = Governor::start();
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], u16); 8] = [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"{\"customer\": \"\xc3\x28\"}", 400),
        (deep.as_bytes(), 400),
        (b"[]", 400),
        (b"null", 400),
        (b"{\"customer\": 1e999}", 400),
    ];
    for (body, status) in cases {
        let response = governor.caller.send("POST", "/v1/preflight", body);
        assert_eq!(response.status, status, "{:?}", &body[..body.len().min(20)]);
        assert_eq!(response.content_type, "application/problem+json");
    }
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow");
}

#[test]
fn a_body_of_100_megabytes_is_refused_before_it_is_read() {
    let governor = Governor::start();
    let mut stream = TcpStream::connect(governor.caller.address()).expect("a connection");
    let head = "POST /v1/preflight HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                content-length: 104857600\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow");
}

#[test]
fn expressions_that_would_cost_too_much_are_refused() {
    let governor = Governor::start();
    let nested = "[1,2,3].all(a, [1,2,3].all(b, a == b))";
    let deep = format!("{}true{}", "!(".repeat(500), ")".repeat(500));
    let long = format!("{} true", "true || ".repeat(1000));
    for audience in [nested, &deep, &long, "'x'.matches('(((a{99}){99}){99})')", "unknown_function(1)"] {
        let refused = governor.caller.ask(&with(question("c-1", "email"), &json!({"audience": audience})));
        assert!(!refused.pointers().is_empty(), "{audience}");
        assert!(refused.pointers().iter().all(|pointer| *pointer == "/audience"), "{audience}");
    }
}

#[test]
fn a_customer_is_known_by_so_many_facts_and_no_more() {
    let governor = Governor::start();
    let put = |from: usize| {
        let facts: serde_json::Map<_, _> = (from..from + 100).map(|n| (format!("f{n}"), json!(n))).collect();
        governor.caller.put("/v1/customers/c-1/facts", &facts.into())
    };
    for from in [0, 100, 200, 300, 400] {
        assert_eq!(put(from).status, 204);
    }
    let refused = put(500);
    assert_eq!((refused.status, refused.pointers()), (400, vec![""]));
    assert_eq!(governor.caller.get("/v1/customers/c-1").body["facts"].as_object().expect("facts").len(), 500);
}

#[test]
fn facts_are_bounded_in_number_depth_and_length() {
    let governor = Governor::start();
    let many: Value = (0..101).map(|n| (format!("f{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let cases = [
        (many, "/facts"),
        (json!({"f": {"a": {"b": {"c": {"d": 1}}}}}), "/facts/f/a/b/c/d"),
        (json!({"f": "x".repeat(1025)}), "/facts/f"),
        (json!({"f": vec![0; 65]}), "/facts/f"),
        (json!({"": 1}), "/facts/"),
    ];
    for (facts, pointer) in cases {
        let refused = governor.caller.ask(&with(question("c-1", "email"), &json!({"facts": facts})));
        assert_eq!(refused.pointers(), [pointer]);
    }
}
