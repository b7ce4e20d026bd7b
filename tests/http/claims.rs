use serde_json::{Value, json};

use crate::harness::{Governor, question, with};

fn read(governor: &Governor, message: &Value) -> Value {
    let response = governor.caller.send("POST", "/v1/claims", message.to_string().as_bytes());
    assert_eq!(response.status, 200, "{response:?}");
    response.body
}

#[test]
fn a_text_is_read_and_each_claim_shown_where_it_stands() {
    let governor = Governor::start();
    let text = "Caf\u{e9} Zo\u{eb} \u{1F600}: we are so sorry for the long wait.";
    let reading = read(&governor, &json!({"id": 7, "text": text, "channel": "email"}));
    assert_eq!((&reading["id"], &reading["labels"]), (&json!(7), &json!(["apology"])));
    let span = &reading["spans"][0];
    assert_eq!((&span["claim"], &span["part"]), (&json!("apology"), &json!("body")));
    let place = |member: &str| span[member].as_u64().expect("a place") as usize;
    let shown: String = text.chars().skip(place("start")).take(place("end") - place("start")).collect();
    assert_eq!(span["text"], shown.as_str());
    assert!(shown.contains("sorry"), "{shown}");
}

#[test]
fn whatever_is_sent_there_is_a_reading_or_a_problem() {
    let governor = Governor::start();
    let nothing = json!({"labels": [], "spans": []});
    for text in ["", " ", "\u{0}\u{1}\u{fffd}", "<div><b", "&#x1;&amp;&lol9;", "\u{202e}\u{300}\u{301}"] {
        assert_eq!(read(&governor, &json!({"text": text})), nothing, "{text:?}");
    }
    for (message, pointer) in [
        (json!({}), "/text"),
        (json!({"text": 3}), "/text"),
        (json!({"text": "x", "id": []}), "/id"),
        (json!({"text": "x", "language": 1, "labels": []}), "/language"),
        (json!([]), ""),
    ] {
        let response = governor.caller.send("POST", "/v1/claims", message.to_string().as_bytes());
        assert_eq!((response.status, response.pointers()), (400, vec![pointer]), "{message}");
    }
    let long = json!({"text": "we care about you ".repeat(40_000)});
    let reading = read(&governor, &long);
    assert!(reading["labels"].as_array().is_some_and(|labels| labels.contains(&json!("care"))), "{reading}");
    assert_eq!(reading["truncated"], json!(true));
}

#[test]
fn explain_shows_the_words_that_make_a_claim_and_who_said_so() {
    let governor = Governor::start();
    let asked = with(
        question("c-1", "email"),
        &json!({"content": {"subject": "Sorry, Ada", "body": "We apologise for the mix-up.", "claims": ["urgency"]}}),
    );
    let explained = governor.caller.explain(&asked).body;
    let claims = explained["claims"].as_array().expect("claims");
    let of = |name: &str| claims.iter().find(|claim| claim["claim"] == name).expect("the claim");
    assert_eq!((&of("urgency")["declared"], &of("urgency")["spans"]), (&json!(true), &json!([])));
    assert_eq!(of("apology")["declared"], json!(false));
    let parts: Vec<_> =
        of("apology")["spans"].as_array().expect("spans").iter().map(|span| &span["part"]).collect();
    assert_eq!(parts, [&json!("subject"), &json!("body")]);
}

#[test]
fn what_senders_leave_undeclared_is_counted() {
    let governor = Governor::start();
    let count = || {
        let metrics = governor.caller.get("/metrics").body;
        let text = metrics.as_str().expect("text").to_owned();
        let line = text
            .lines()
            .find(|line| line.starts_with("contact_governor_undeclared_claims_total{claim=\"apology\"}"));
        line.and_then(|line| line.split(' ').nth(1)).expect("the counter").to_owned()
    };
    assert_eq!(count(), "0");
    let asked = |claims: &[&str]| {
        with(
            question("c-1", "email"),
            &json!({"content": {"body": "We apologise for the delay.", "claims": claims}}),
        )
    };
    for _ in 0..3 {
        governor.caller.ask(&asked(&[]));
    }
    governor.caller.ask(&asked(&["apology"]));
    assert_eq!(count(), "3");
}
