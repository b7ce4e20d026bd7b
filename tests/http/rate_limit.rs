//! How often a caller may call.

use serde_json::{Value, json};

use crate::harness::keys::Keys;
use crate::harness::{Caller, Governor, question, time_until};

const POLICY: &str = "/v1/policy";

/// What `metrics` says of a caller.
fn counted(reader: &Caller, what: &str, caller: &str) -> u64 {
    let metrics = reader.get("/metrics").body;
    let metrics = metrics.as_str().expect("text").to_owned();
    let name = format!("contact_governor_throttled_{what}_total{{caller=\"{caller}\"}} ");
    let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
    count.map_or(0, |count| count.parse().expect("a number"))
}

#[test]
fn whoever_calls_too_often_is_told_when_to_call_again() {
    let governor = Governor::start_with(&[("RATE_LIMIT__PER_SECOND", "2"), ("RATE_LIMIT__BURST", "3")]);
    let caller = &governor.caller;
    for left in ["\"caller\";r=2;t=1", "\"caller\";r=1;t=1", "\"caller\";r=0;t=2"] {
        let response = caller.get(POLICY);
        assert_eq!((response.status, response.header("ratelimit")), (200, left));
        assert_eq!(response.header("ratelimit-policy"), "\"caller\";q=3;w=2");
        assert_eq!(response.header("retry-after"), "");
    }
    let refused = caller.ask(&question("c", "email"));
    assert_eq!((refused.status, &*refused.content_type), (429, "application/problem+json"));
    assert_eq!(refused.body["type"], "urn:contact-governor:problem:throttled");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"caller\";r=0;t=2");
    assert_eq!(refused.header("ratelimit-policy"), "\"caller\";q=3;w=2");
    // Nothing but the clock gives it back; what needs no key is answered all the while.
    assert_eq!(caller.get("/livez").status, 200);
    assert_eq!(caller.get(POLICY).status, 429);
    governor.set("2026-11-16T12:00:00.500Z");
    assert_eq!(caller.ask(&question("c", "email")).verdict(), "allow");
    assert_eq!(caller.get(POLICY).status, 429);
    governor.set("2026-11-16T12:01:00Z");
    assert_eq!(counted(caller, "requests", "local"), 3);
}

#[test]
fn a_problem_of_a_caller_says_how_it_stands_too() {
    let governor = Governor::start_with(&[("RATE_LIMIT__PER_SECOND", "1"), ("RATE_LIMIT__BURST", "9")]);
    let bad = governor.caller.ask(&json!({}));
    assert_eq!((bad.status, bad.header("ratelimit")), (400, "\"caller\";r=8;t=1"));
}

#[test]
fn a_rate_of_nought_is_none_and_the_usual_one_is_generous() {
    let governor = Governor::start_with(&[("RATE_LIMIT__PER_SECOND", "0")]);
    let response = governor.caller.get(POLICY);
    assert_eq!((response.header("ratelimit"), response.header("ratelimit-policy")), ("", ""));
    let usual = Governor::start().caller.get(POLICY);
    assert_eq!(usual.header("ratelimit-policy"), "\"caller\";q=500000;w=1");
}

#[test]
fn each_caller_has_a_bucket_of_its_own_whichever_key_it_uses() {
    let mut keys = Keys::default();
    let own = [("scopes", "read"), ("per_second", "1"), ("burst", "2")];
    let first = keys.issue("first", &own);
    let second = keys.issue("second", &[&own[..], &[("caller", "first")]].concat());
    let other = keys.issue("other", &[("scopes", "read"), ("per_second", "0")]);
    let usual = keys.issue("usual", &[("scopes", "read")]);
    keys.set("RATE_LIMIT__PER_SECOND", "5");
    keys.set("RATE_LIMIT__BURST", "7");
    let governor = keys.governor();
    let [first, second, other, usual] =
        [&first, &second, &other, &usual].map(|key| governor.caller.with_key(key));
    assert_eq!(first.get(POLICY).header("ratelimit"), "\"caller\";r=1;t=1");
    assert_eq!(second.get(POLICY).header("ratelimit"), "\"caller\";r=0;t=2");
    assert_eq!((first.get(POLICY).status, second.get(POLICY).status), (429, 429));
    assert_eq!(other.get(POLICY).header("ratelimit"), "");
    assert_eq!(usual.get(POLICY).header("ratelimit-policy"), "\"caller\";q=7;w=2");
    assert_eq!(counted(&other, "requests", "first"), 2);
    assert_eq!(counted(&other, "requests", "usual"), 0);
    // Whoever is turned away for another reason has not used anything up.
    assert_eq!(usual.ask(&question("c", "email")).status, 403);
    assert_eq!(usual.get(POLICY).header("ratelimit"), "\"caller\";r=5;t=1");
}

#[test]
fn a_batch_waits_for_its_callers_rate_and_is_answered_in_full() {
    let mut keys = Keys::default();
    let sender = keys.issue("sender", &[("scopes", "ask"), ("per_second", "1"), ("burst", "2")]);
    let reader = keys.issue("reader", &[("scopes", "read")]);
    let governor = keys.governor();
    let [sender, reader] = [&sender, &reader].map(|key| governor.caller.with_key(key));
    let lines: Vec<String> =
        (0..5).map(|number| question(&format!("c-{number}"), "email").to_string()).collect();
    let body = lines.join("\n");
    let sending = std::thread::spawn(move || {
        let path = "/v1/preflight/batch?dry_run=true";
        sender.try_send_as("application/x-ndjson", "POST", path, body.as_bytes()).expect("answers")
    });
    // The request pays for its first line, and there is one for the second; each of the others waits for a second.
    for (waited, second) in [(1, "01"), (2, "02"), (3, "03")] {
        time_until(|| counted(&reader, "lines", "sender") == waited);
        assert!(!sending.is_finished());
        governor.set(&format!("2026-11-16T12:00:{second}Z"));
    }
    let response = sending.join().expect("answers");
    assert_eq!((response.status, response.header("ratelimit")), (200, "\"caller\";r=1;t=1"));
    let answers: Vec<Value> = response
        .body
        .as_str()
        .expect("lines")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), 5);
    assert!(answers.iter().all(|answer| answer["verdict"] == "allow"), "{answers:?}");
    assert_eq!(counted(&reader, "lines", "sender"), 3);
    assert_eq!(counted(&reader, "requests", "sender"), 0);
}
