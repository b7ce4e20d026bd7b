use serde_json::{Value, json};

use crate::harness::{Governor, event, question, with};

fn listed(governor: &Governor) -> Vec<Value> {
    let response = governor.caller.get("/v1/follow-ups");
    assert_eq!(response.status, 200, "{response:?}");
    response.body["follow_ups"].as_array().expect("follow-ups").clone()
}

fn tell(governor: &Governor, id: &str, kind: &str, customer: &str) {
    let told = governor.caller.tell(&event(id, kind, customer, &json!({"channel": "email"})));
    assert_eq!(told.status, 202, "{told:?}");
}

fn post(governor: &Governor, follow_up: &Value, verb: &str, body: &Value) -> crate::harness::Response {
    let id = follow_up["id"].as_str().expect("an id");
    governor.caller.send("POST", &format!("/v1/follow-ups/{id}/{verb}"), body.to_string().as_bytes())
}

/// What a machine may not say: it is handed to a person.
fn robot(customer: &str) -> Value {
    with(
        question(customer, "voice"),
        &json!({"purpose": "relationship", "delivery": "synthetic_voice",
        "contact_id": "call-1", "content": {"claims": ["care"]}}),
    )
}

#[test]
fn causes_open_follow_ups_that_are_listed_by_when_they_are_due() {
    let governor = Governor::start();
    tell(&governor, "e-1", "customer.thanked", "c-thankful");
    governor.set("2026-11-16T13:00:00Z");
    tell(&governor, "e-2", "customer.complained", "c-angry");
    tell(&governor, "e-3", "customer.complained", "c-angry");
    governor.set("2026-11-16T14:00:00Z");
    tell(&governor, "e-4", "conversation.opened", "c-asking");
    let handed = governor.caller.ask(&robot("c-cared-for")).body;
    assert_eq!(handed["verdict"], "handoff");
    assert_eq!(handed["follow_up"]["due_at"], "2026-11-17T14:00:00Z");
    let again = governor.caller.ask(&robot("c-cared-for")).body;
    assert_eq!(again["follow_up"], handed["follow_up"], "the same question is the same cause");

    let shown: Vec<_> = listed(&governor)
        .iter()
        .map(|one| {
            format!("{} {} {}", one["due_at"].as_str().unwrap_or(""), one["kind"], one["customer"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert_eq!(shown[0], "2026-11-17T13:00:00Z complaint c-angry");
    assert!(shown[1..3].contains(&"2026-11-17T14:00:00Z unanswered c-asking".to_owned()), "{shown:?}");
    assert!(shown[1..3].contains(&"2026-11-17T14:00:00Z handoff c-cared-for".to_owned()), "{shown:?}");
    assert_eq!(shown[3], "2026-11-18T12:00:00Z thanks c-thankful");
    let customer = governor.caller.get("/v1/customers/c-angry").body;
    assert_eq!(customer["follow_ups"].as_array().map(Vec::len), Some(1));
}

#[test]
fn one_is_claimed_by_one_and_done_once_and_the_next_offer_waits_a_decent_while() {
    let governor = Governor::start();
    tell(&governor, "e-1", "customer.complained", "c-1");
    assert_ne!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow", "they complained");
    let open = listed(&governor).remove(0);
    assert_eq!(post(&governor, &open, "claim", &json!({"by": "ravi"})).body["claimed"]["by"], "ravi");
    assert_eq!(post(&governor, &open, "claim", &json!({"by": "ravi"})).status, 200);
    let taken = post(&governor, &open, "claim", &json!({"by": "ada"}));
    assert_eq!((taken.status, taken.content_type.as_str()), (409, "application/problem+json"));
    assert_eq!(post(&governor, &open, "done", &json!({"what": "called back", "by": "ada"})).status, 409);

    governor.set("2026-11-18T11:00:00Z");
    assert_eq!(listed(&governor)[0]["overdue"], json!(true));
    assert_eq!(post(&governor, &open, "done", &json!({"what": "called back", "by": "ravi"})).status, 204);
    assert_eq!(listed(&governor), [] as [Value; 0]);
    assert_eq!(post(&governor, &open, "done", &json!({"what": "again"})).status, 404);

    let told = governor.caller.get("/v1/customers/c-1/timeline?as=text").body;
    let story = told.as_str().expect("text");
    for sentence in ["ravi took it on.", "It was done: called back.", "A person replied by email.", "1 day."]
    {
        assert!(story.contains(sentence), "{sentence}: {story}");
    }
    let waiting = governor.caller.ask(&question("c-1", "email"));
    let not_before = waiting.body["not_before"].as_str().unwrap_or_else(|| panic!("{waiting:?}")).to_owned();
    governor.set(&not_before);
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow");
}

#[test]
fn what_is_wrong_with_a_call_is_named() {
    let governor = Governor::start();
    tell(&governor, "e-1", "customer.complained", "c-1");
    let open = listed(&governor).remove(0);
    for (verb, body, pointer) in [
        ("claim", json!({}), "/by"),
        ("claim", json!({"by": ""}), "/by"),
        ("claim", json!({"by": "ravi", "at": 1}), "/at"),
        ("done", json!({"by": "ravi"}), "/what"),
        ("done", json!({"what": 3}), "/what"),
    ] {
        let response = post(&governor, &open, verb, &body);
        assert_eq!((response.status, response.pointers()), (400, vec![pointer]), "{verb} {body}");
    }
    for id in ["nothing", "00000000000000076331", &"0".repeat(700)] {
        let response = post(&governor, &json!({"id": id}), "claim", &json!({"by": "ravi"}));
        assert_eq!(response.status, 404, "{id}");
    }
    assert_eq!(governor.caller.get("/v1/follow-ups?limit=0").pointers(), ["?limit"]);
}
