//! Those who tell others of follow-ups: each once, signed, again until it has arrived, and naming nobody where
//! others read along.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use crate::harness::receiver::{Posted, Receiver};
use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Governor, Process, event, question, time_until, with};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";

/// Somebody who is told of follow-ups.
pub struct Hook {
    receiver: Receiver,
    url: String,
}

impl Hook {
    pub fn start() -> Self {
        let receiver = Receiver::start();
        let url = receiver.url("/hook");
        Self { receiver, url }
    }

    pub fn next(&self) -> Told {
        Told(self.receiver.next())
    }

    fn answer(&self, status: u16) {
        self.receiver.answer(status);
    }

    pub fn settings(&self) -> Vec<(&str, &str)> {
        vec![("WEBHOOK__URL", &self.url), ("WEBHOOK__SECRETS", SECRET), ("FOLLOW_UPS__LOOK_EVERY", "50ms")]
    }
}

/// What they are told.
#[derive(Debug)]
pub struct Told(Posted);

impl Told {
    pub fn header(&self, name: &str) -> &str {
        self.0.header(name)
    }

    fn id(&self) -> &str {
        self.header("webhook-id")
    }

    fn timestamp(&self) -> &str {
        self.header("webhook-timestamp")
    }

    fn json(&self) -> Value {
        self.0.json()
    }

    /// Checked as a receiver would, by nothing but the specification.
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let signed = format!("{}.{}.{}", self.id(), self.timestamp(), self.0.body);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(tag.as_ref()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

fn complain(caller: &Caller, id: &str, customer: &str) {
    let told = caller.tell(&event(id, "customer.complained", customer, &json!({"channel": "email"})));
    assert_eq!(told.status, 202, "{told:?}");
}

#[test]
fn a_webhook_is_told_of_what_opens_and_of_what_is_not_done_in_time_each_once() {
    let receiver = Hook::start();
    let governor = Governor::start_with(&receiver.settings());
    complain(&governor.caller, "e-1", "c-1");
    let opened = receiver.next();
    assert!(opened.is_signed_with(SECRET) && !opened.is_signed_with("whsec_AAAA"), "{opened:?}");
    assert_eq!(opened.timestamp(), "1794830400");
    let body = opened.json();
    assert_eq!((&body["type"], &body["data"]["kind"]), (&json!("follow_up.opened"), &json!("complaint")));
    assert_eq!(
        (&body["data"]["customer"], &body["timestamp"]),
        (&json!("c-1"), &json!("2026-11-16T12:00:00Z"))
    );
    let name = body["data"]["id"].as_str().expect("an id").to_owned();
    let shown = governor.caller.get(&format!("/v1/follow-ups/{name}"));
    assert_eq!((shown.status, &shown.body["due_at"]), (200, &body["data"]["due_at"]));

    // The same cause again is no news; a handoff of another customer is.
    complain(&governor.caller, "e-2", "c-1");
    let robot =
        json!({"purpose": "relationship", "delivery": "synthetic_voice", "content": {"claims": ["care"]}});
    let handed = governor.caller.ask(&with(question("c-2", "voice"), &robot)).body;
    assert_eq!(receiver.next().json()["data"]["id"], handed["follow_up"]["id"]);

    governor.set("2026-11-17T12:00:01Z");
    let mut escalated = [receiver.next().json(), receiver.next().json()];
    escalated.sort_by_key(|body| body["data"]["kind"].to_string());
    for (body, kind) in escalated.iter().zip(["complaint", "handoff"]) {
        assert_eq!((&body["type"], &body["data"]["kind"]), (&json!("follow_up.escalated"), &json!(kind)));
        assert_eq!(body["data"]["overdue"], true);
    }
    // The look that told this counts what it saw.
    for line in [
        "contact_governor_follow_ups_open{kind=\"complaint\"} 1",
        "contact_governor_follow_ups_overdue{kind=\"handoff\"} 1",
        "contact_governor_follow_ups_open{kind=\"thanks\"} 0",
        "contact_governor_follow_ups_oldest_wait_seconds{kind=\"complaint\"} 86401",
    ] {
        time_until(|| governor.caller.get("/metrics").body.as_str().is_some_and(|text| text.contains(line)));
    }
    let done = json!({"what": "called back"}).to_string();
    let done = governor.caller.send("POST", &format!("/v1/follow-ups/{name}/done"), done.as_bytes());
    assert_eq!(done.status, 204, "{done:?}");
    let metrics = governor.caller.get("/metrics").body;
    let waited = "contact_governor_follow_up_wait_seconds_sum{kind=\"complaint\"} 86401";
    assert!(metrics.as_str().is_some_and(|text| text.contains(waited)), "{metrics}");

    // Nothing was told twice: the next thing told is the next thing that happens.
    complain(&governor.caller, "e-3", "c-3");
    assert_eq!(receiver.next().json()["data"]["customer"], "c-3");
    let story = governor.caller.get("/v1/customers/c-1/timeline?as=text").body;
    assert!(story.as_str().is_some_and(|text| text.contains("still not done when it was due")), "{story}");
}

#[test]
fn a_receiver_that_fails_is_told_again_under_the_same_id_after_a_while() {
    let receiver = Hook::start();
    receiver.answer(503);
    let governor = Governor::start_with(&receiver.settings());
    complain(&governor.caller, "e-1", "c-1");
    let first = receiver.next();
    governor.set("2026-11-16T12:00:05Z");
    let second = receiver.next();
    assert_eq!(
        (first.id(), first.json()["data"]["id"].clone()),
        (second.id(), second.json()["data"]["id"].clone())
    );
    assert_ne!(first.timestamp(), second.timestamp());
    // The rest grows: after ten seconds more, not after five.
    receiver.answer(200);
    governor.set("2026-11-16T12:00:15Z");
    assert_eq!(receiver.next().timestamp(), "1794830415");
    complain(&governor.caller, "e-2", "c-2");
    assert_eq!(receiver.next().json()["data"]["customer"], "c-2");
}

#[test]
fn a_new_secret_signs_beside_the_old_one() {
    let receiver = Hook::start();
    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let both = format!("{other} {SECRET}");
    let mut settings = receiver.settings();
    settings[1] = ("WEBHOOK__SECRETS", &both);
    let governor = Governor::start_with(&settings);
    complain(&governor.caller, "e-1", "c-1");
    let posted = receiver.next();
    assert!(posted.is_signed_with(SECRET) && posted.is_signed_with(other), "{posted:?}");
}

#[test]
fn what_a_dead_process_could_not_tell_is_told_by_the_next() {
    let receiver = Hook::start();
    receiver.answer(500);
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let settings = receiver.settings();
    let mut governor = Process::start_with(&settings, &["--ledger", &ledger]);
    complain(&governor.caller, "e-1", "c-1");
    let untold = receiver.next();
    governor.kill();
    receiver.answer(200);
    let _next = Process::start_with(&settings, &["--ledger", &ledger]);
    assert_eq!(receiver.next().id(), untold.id());
}

/// The entries of the stream, as pairs.
fn entries(server: &RedisServer) -> Vec<Vec<String>> {
    let entries: Vec<(String, Vec<String>)> = server.command(&["XRANGE", "cg:follow-ups", "-", "+"]);
    entries.into_iter().map(|(_, fields)| fields).collect()
}

#[test]
fn a_stream_in_redis_is_told_once_whoever_opened_it_and_names_nobody() {
    let server = RedisServer::start(&[]);
    let settings = [("FOLLOW_UPS__LOOK_EVERY", "100ms")];
    let first = Process::start_with(&settings, &["--ledger", &server.url()]);
    let second = Process::start_with(&settings, &["--ledger", &server.url()]);
    for (number, governor) in [&first, &second, &first, &second].into_iter().enumerate() {
        complain(&governor.caller, &format!("e-{number}"), &format!("secret-customer-{number}"));
    }
    time_until(|| entries(&server).len() >= 4);
    // Both have looked through everything again and again by the time they have answered this.
    let told = entries(&server);
    assert_eq!(told.len(), 4, "{told:?}");
    for fields in &told {
        assert_eq!(fields[..2], ["type", "follow_up.opened"]);
        assert!(!fields.iter().any(|field| field.contains("secret-customer")), "{fields:?}");
        let name =
            fields.iter().position(|field| field == "follow_up").map(|at| &fields[at + 1]).expect("a name");
        let shown = second.caller.get(&format!("/v1/follow-ups/{name}"));
        assert!(
            shown.body["customer"].as_str().is_some_and(|id| id.starts_with("secret-customer")),
            "{shown:?}"
        );
    }
    assert_eq!(second.caller.send("DELETE", "/v1/customers/secret-customer-0", b"").status, 200);
    assert_eq!(entries(&server).len(), 3);
}

#[test]
fn a_webhook_without_a_secret_or_with_an_address_that_is_none_is_refused_at_start() {
    for (settings, named) in [
        ([("WEBHOOK__URL", "https://example.com"), ("WEBHOOK__SECRETS", "")], "webhook.secrets"),
        ([("WEBHOOK__URL", "example.com"), ("WEBHOOK__SECRETS", SECRET)], "webhook.url"),
        ([("WEBHOOK__URL", "https://example.com"), ("WEBHOOK__SECRETS", "abc")], "webhook.secrets"),
    ] {
        let launch = crate::harness::Launch {
            settings: &settings,
            arguments: &["--ledger", "memory:"],
            ..Default::default()
        };
        let said = Process::launch(&launch).err().expect("it does not start");
        assert!(said.contains(named), "{said}");
    }
}
