//! Erased is erased: nobody who reads what is stored, byte by byte, finds the customer again, and yet they stay
//! unsubscribed.

use std::path::Path;

use serde_json::json;

use crate::harness::redis::RedisServer;
use crate::harness::spellings::files_with;
use crate::harness::{Caller, Process, event, question, time_until, with};

/// An id, and things told of its owner, that no other bytes contain by chance.
const CUSTOMER: &str = "zaphod-4242-beeblebrox";
const TOLD: [&str; 5] =
    [CUSTOMER, "magrathea-lane", "contact-heart-of-gold", "trillian-wishes", "form-vogon"];

/// Everything that can be known of somebody, and another customer of whom the same is known.
fn live(caller: &Caller, customer: &str, contact: &str) {
    let path = format!("/v1/customers/{customer}");
    let contact_id = json!({"contact_id": contact});
    assert_eq!(caller.ask(&with(question(customer, "email"), &contact_id)).verdict(), "allow");
    let robot = json!({"contact_id": "robot-1", "purpose": "relationship", "delivery": "synthetic_voice",
        "content": {"claims": ["care"]}});
    assert_eq!(caller.ask(&with(question(customer, "voice"), &robot)).verdict(), "handoff");
    let facts = json!({"address": "magrathea-lane", "time_zone": "Europe/Paris"});
    assert_eq!(caller.put(&format!("{path}/facts"), &facts).status, 204);
    let wishes = json!({"channels": ["email", "sms"], "by": "trillian-wishes"});
    assert_eq!(caller.put(&format!("{path}/wishes"), &wishes).status, 204);
    for (id, kind, data) in [
        ("1", "contact.sent", contact_id),
        ("2", "customer.complained", json!({"channel": "email"})),
        ("3", "consent.granted", json!({"channel": "email", "evidence": "form-vogon"})),
        ("4", "customer.unsubscribed", json!({"channel": "email", "reason": "magrathea-lane"})),
    ] {
        let told = caller.tell(&event(&format!("{customer}-{id}"), kind, customer, &data));
        assert_eq!(told.status, 202, "{told:?}");
    }
    assert_eq!(caller.ask(&question(customer, "email")).verdict(), "deny");
}

fn erase(caller: &Caller) {
    live(caller, CUSTOMER, "contact-heart-of-gold");
    live(caller, "somebody-else", "contact-of-theirs");
    let refusals = |customer: &str| {
        let timeline = caller.get(&format!("/v1/customers/{customer}/timeline?kind=refusal")).body;
        timeline["timeline"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((refusals(CUSTOMER), refusals("somebody-else")), (2, 2));

    let erased = caller.send("DELETE", &format!("/v1/customers/{CUSTOMER}"), b"");
    assert_eq!(erased.status, 200, "{erased:?}");
    assert_eq!(erased.body["suppressions"][0]["channel"], "email", "{erased:?}");
    assert!(erased.body["suppressions"][0].get("reason").is_none(), "{erased:?}");
}

/// What is known of them afterwards, and of the other one.
fn is_forgotten(caller: &Caller) {
    let held = caller.get(&format!("/v1/customers/{CUSTOMER}/export")).body;
    for part in ["contacts", "events", "refusals", "consents"] {
        assert_eq!(held[part], json!([]), "{part}");
    }
    assert_eq!(held["facts"], json!({}));
    let owed = caller.get("/v1/follow-ups").body;
    let owed: Vec<_> =
        owed["follow_ups"].as_array().expect("a list").iter().map(|one| &one["customer"]).collect();
    assert_eq!(owed, ["somebody-else", "somebody-else"]);
    // A late word from a provider about a message of theirs brings nothing back.
    let late = json!({"contact_id": "contact-heart-of-gold"});
    let mut late = event("late", "contact.delivered", CUSTOMER, &late);
    late["time"] = json!("2026-11-01T00:00:00Z");
    assert_eq!(caller.tell(&late).status, 202);
    let later = json!({"contact_id": "contact-heart-of-gold"});
    assert_eq!(caller.tell(&event("later", "contact.bounced", CUSTOMER, &later)).status, 202);
    assert_eq!(caller.get(&format!("/v1/customers/{CUSTOMER}")).body["events"], 0);
    assert_eq!(caller.get("/v1/customers/somebody-else").body["contacts"], 1);
}

fn stays_unsubscribed(caller: &Caller) {
    let asked = with(question(CUSTOMER, "email"), &json!({"contact_id": "next"}));
    let answer = caller.ask(&asked);
    assert_eq!((answer.verdict(), &answer.body["reasons"][0]["rule"]), ("deny", &json!("suppression")));
    assert_eq!(caller.ask(&question("somebody-else", "email")).verdict(), "deny");
}

#[test]
fn the_embedded_ledgers_files_hold_nothing_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let ledger = format!("embedded:{}", data.display());
    let mut governor = Process::start(&["--ledger", &ledger]);
    erase(&governor.caller);
    // As it is at this very moment, not as it will be once it is closed; only the other one has a lane now.
    assert_eq!(files_with(&data, &[CUSTOMER, "contact-heart-of-gold"]), [] as [String; 0]);
    assert!(!files_with(&data, &["somebody-else"]).is_empty());
    is_forgotten(&governor.caller);
    governor.kill();
    assert_eq!(files_with(&data, &[CUSTOMER, "contact-heart-of-gold"]), [] as [String; 0]);

    let governor = Process::start(&["--ledger", &ledger]);
    is_forgotten(&governor.caller);
    stays_unsubscribed(&governor.caller);
    let other = governor.caller.send("DELETE", "/v1/customers/somebody-else", b"");
    assert_eq!(other.status, 200, "{other:?}");
    assert_eq!(files_with(&data, &TOLD), [] as [String; 0]);
}

#[test]
fn writes_go_on_while_the_files_are_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let mut governor = Process::start(&["--ledger", &ledger]);
    let customers = 3_000;
    let tell = |caller: &Caller, from: usize| {
        let events: Vec<_> = (from..from + 500)
            .map(|number| event(&format!("v-{number}"), "x.visited", &format!("c-{number}"), &json!({})))
            .collect();
        assert_eq!(caller.tell(&json!(events)).status, 202);
    };
    (0..customers).step_by(500).for_each(|from| tell(&governor.caller, from));
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let caller = &governor.caller;
            scope.spawn(move || {
                for number in 0..100 {
                    let (erased, kept) = (worker * 100 + number, 1_000 + worker * 100 + number);
                    if number % 10 == 0 {
                        let gone = caller.send("DELETE", &format!("/v1/customers/c-{erased}"), b"");
                        assert_eq!(gone.status, 200, "{gone:?}");
                    }
                    let asked = with(question(&format!("c-{kept}"), "email"), &json!({"contact_id": "m"}));
                    assert_eq!(caller.ask(&asked).verdict(), "allow");
                }
            });
        }
    });
    governor.kill();
    let governor = Process::start(&["--ledger", &ledger]);
    for worker in 0..4 {
        for number in 0..100 {
            let kept =
                governor.caller.get(&format!("/v1/customers/c-{}", 1_000 + worker * 100 + number)).body;
            assert_eq!((&kept["contacts"], &kept["events"]), (&json!(1), &json!(1)));
            let erased = governor.caller.get(&format!("/v1/customers/c-{}", worker * 100 + number)).body;
            assert_eq!(erased["events"], json!(u8::from(number % 10 != 0)));
        }
    }
}

#[test]
fn a_dump_of_redis_holds_nothing_of_them_whichever_instance_is_asked() {
    let server = RedisServer::start(&["--save", "3600 1"]);
    let first = Process::start(&["--ledger", &server.url()]);
    let second = Process::start(&["--ledger", &server.url()]);
    erase(&first.caller);
    time_until(|| !server.command::<Vec<String>>(&["KEYS", "cg:r:*"]).is_empty());
    server.command::<()>(&["SAVE"]);
    let dump = server.command::<Vec<String>>(&["CONFIG", "GET", "dir"]).remove(1);
    assert_eq!(files_with(Path::new(&dump), &[CUSTOMER, "contact-heart-of-gold"]), [] as [String; 0]);
    assert!(!files_with(Path::new(&dump), &["somebody-else"]).is_empty());
    is_forgotten(&second.caller);
    stays_unsubscribed(&second.caller);
}

#[test]
fn a_secret_of_ones_own_may_come_later_and_finds_who_was_erased_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let mut governor = Process::start(&["--ledger", &ledger]);
    erase(&governor.caller);
    governor.kill();
    let secret = ("PRIVACY__SECRETS", "a-secret-that-is-long-enough-to-be-one");
    let mut governor = Process::start_with(&[secret], &["--ledger", &ledger]);
    stays_unsubscribed(&governor.caller);
    let again = governor.caller.send("DELETE", &format!("/v1/customers/{CUSTOMER}"), b"");
    assert_eq!(again.body["suppressions"][0]["channel"], "email", "{again:?}");
    governor.kill();
    let rotated =
        ("PRIVACY__SECRETS", "another-secret-that-is-long-enough a-secret-that-is-long-enough-to-be-one");
    let governor = Process::start_with(&[rotated], &["--ledger", &ledger]);
    stays_unsubscribed(&governor.caller);
}
