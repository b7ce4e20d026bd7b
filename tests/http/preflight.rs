use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Governor, question, with};

#[test]
fn the_fourth_contact_of_a_week_is_deferred_to_the_right_moment() {
    let governor = Governor::start();
    for (moment, channel) in [
        ("2026-11-16T12:00:00Z", "email"),
        ("2026-11-17T13:00:00Z", "sms"),
        ("2026-11-18T14:00:00Z", "email"),
    ] {
        governor.set(moment);
        assert_eq!(governor.caller.ask(&question("c-1", channel)).verdict(), "allow");
    }
    governor.set("2026-11-19T15:00:00Z");
    let fourth = governor.caller.ask(&question("c-1", "mail"));
    assert_eq!(fourth.status, 200, "a refusal is no error");
    assert_eq!(fourth.verdict(), "defer");
    assert_eq!(fourth.body["not_before"], "2026-11-23T12:00:00Z");
    assert_eq!(fourth.body["reasons"][0]["rule"], "three-a-week");
    assert_eq!(fourth.body["reasons"][0]["used"], 3);

    governor.set("2026-11-23T11:59:59.999Z");
    assert_eq!(governor.caller.ask(&question("c-1", "mail")).verdict(), "defer");
    governor.set("2026-11-23T12:00:00Z");
    assert_eq!(governor.caller.ask(&question("c-1", "mail")).verdict(), "allow");
}

#[test]
fn an_answer_has_every_member_of_the_contract() {
    let governor = Governor::start();
    let answer = governor.caller.ask(&with(question("c-1", "email"), &json!({"contact_id": "m-1"})));
    let members: BTreeSet<&str> =
        answer.body.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = [
        "advice",
        "budgets",
        "claims",
        "contact_id",
        "degraded",
        "follow_up",
        "policy",
        "reasons",
        "send_at",
        "verdict",
    ];
    assert_eq!(members, BTreeSet::from(expected));
    assert_eq!(answer.body["contact_id"], "m-1");
    assert_eq!(answer.body["degraded"], false);
    assert_eq!(answer.body["policy"]["version"], "default");
}

#[test]
fn the_same_question_counts_once_and_another_under_its_id_is_refused() {
    let governor = Governor::start();
    let first = with(question("c-1", "email"), &json!({"contact_id": "m-1", "campaign": "a"}));
    assert_eq!(governor.caller.ask(&first).verdict(), "allow");
    governor.set("2026-11-18T12:00:00Z");
    let again = governor.caller.ask(&json!({"delivery": "template", "campaign": "a", "purpose": "marketing",
        "contact_id": "m-1", "channel": "email", "customer": "c-1", "brand": null}));
    assert_eq!(again.verdict(), "allow");
    assert_eq!(again.body["send_at"], "2026-11-16T12:00:00Z", "the moment first reserved");
    assert_eq!(again.body["budgets"][0]["used"], 1);

    let other = governor.caller.ask(&with(first, &json!({"campaign": "b"})));
    assert_eq!(other.status, 422);
    assert_eq!(other.pointers(), ["/contact_id"]);
}

#[test]
fn without_an_id_one_is_minted_and_each_ask_counts() {
    let governor = Governor::start();
    let one = governor.caller.ask(&question("c-1", "email"));
    governor.set("2026-11-18T12:00:00Z");
    let other = governor.caller.ask(&question("c-1", "email"));
    assert_ne!(one.body["contact_id"], other.body["contact_id"]);
    assert_eq!(other.body["budgets"][0]["used"], 2);
}

#[test]
fn alternatives_name_the_channels_that_are_open() {
    let governor = Governor::start();
    governor.caller.ask(&question("c-1", "sms"));
    governor.set("2026-11-18T12:00:00Z");
    let body = question("c-1", "sms").to_string();
    let answer = governor.caller.send("POST", "/v1/preflight?alternatives=true", body.as_bytes());
    assert_eq!(answer.verdict(), "defer");
    assert_eq!(answer.body["alternatives"], json!(["email", "voice", "mail"]));
}

#[test]
fn many_at_once_at_a_cap_of_one_allow_exactly_one() {
    let governor = Governor::start();
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let caller = governor.caller.clone();
            std::thread::spawn(move || {
                (0..4).filter(|_| caller.ask(&question("c-1", "sms")).verdict() == "allow").count()
            })
        })
        .collect();
    let allowed: usize = askers.into_iter().map(|asker| asker.join().expect("an asker")).sum();
    assert_eq!(allowed, 1);
}
