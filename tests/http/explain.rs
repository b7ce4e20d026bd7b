use serde_json::{Value, json};

use crate::harness::{Governor, question, with};

fn rule<'a>(explanation: &'a Value, id: &str) -> &'a Value {
    let rules = explanation["rules"].as_array().expect("rules");
    rules.iter().find(|rule| rule["rule"] == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn every_rule_says_what_it_saw_and_nothing_is_reserved() {
    let governor = Governor::start();
    governor.caller.ask(&with(question("c-1", "email"), &json!({"contact_id": "m-1"})));
    governor.caller.put("/v1/customers/c-1/facts", &json!({"purchases": 3}));
    governor.set("2026-11-16T18:00:00Z");
    let valued = with(question("c-1", "email"), &json!({"content": {"claims": ["value"]}}));
    for _ in 0..2 {
        let explained = governor.caller.explain(&valued).body;
        assert_eq!(explained["answer"]["verdict"], "deny");
        let day = rule(&explained, "one-a-day");
        assert_eq!(day["verdict"], "defer");
        assert_eq!(day["counted_contacts"], json!(["m-1"]));
        let value = rule(&explained, "value-needs-evidence");
        assert_eq!(value["facts"], json!({"purchases": 3}));
        assert_eq!(value["verdict"], "deny");
        let hours = rule(&explained, "decent-hours");
        assert_eq!((&hours["matched"], &hours["verdict"]), (&json!(false), &json!("allow")));
    }
}

#[test]
fn the_smallest_change_that_helps_is_named() {
    let governor = Governor::start();
    let robot = json!({"customer": "c-1", "channel": "voice", "purpose": "relationship",
        "delivery": "synthetic_voice", "content": {"claims": ["care"]}});
    let explained = governor.caller.explain(&robot).body;
    assert_eq!(explained["answer"]["verdict"], "handoff");
    assert_eq!(explained["smallest_change"], json!({"delivery": "human"}));

    governor.caller.ask(&question("c-2", "email"));
    let waits = governor.caller.explain(&question("c-2", "email")).body;
    assert_eq!(waits["smallest_change"], json!({"send_at": "2026-11-17T12:00:00Z"}));

    let fine = governor.caller.explain(&question("c-3", "email")).body;
    assert_eq!(fine["smallest_change"], Value::Null);
}
