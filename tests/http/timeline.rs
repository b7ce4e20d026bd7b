use serde_json::{Value, json};

use crate::harness::{Governor, event, question, with};

/// Ada's week: an e-mail, a question that waits three days, a call that is cancelled, a complaint.
fn week() -> Governor {
    let governor = Governor::start();
    let ask = |channel: &str, id: &str, more: Value| {
        let asked = with(question("c-ada", channel), &json!({"contact_id": id}));
        let answer = governor.caller.ask(&with(asked, &more));
        assert_eq!(answer.verdict(), "allow", "{answer:?}");
    };
    let tell = |id: &str, kind: &str, data: Value| {
        let told = governor.caller.tell(&event(id, kind, "c-ada", &data));
        assert_eq!(told.status, 202, "{told:?}");
    };
    governor.caller.put("/v1/customers/c-ada/facts", &json!({"time_zone": "Europe/Paris"}));
    ask("email", "m-1", json!({"campaign": "autumn"}));
    tell("e-1", "contact.sent", json!({"contact_id": "m-1"}));
    tell("e-2", "contact.delivered", json!({"contact_id": "m-1"}));
    tell("e-3", "conversation.opened", json!({"channel": "email"}));
    governor.set("2026-11-19T13:30:00Z");
    tell("e-4", "conversation.answered", json!({"channel": "email"}));
    ask(
        "voice",
        "m-2",
        json!({"purpose": "service", "delivery": "human", "send_at": "2026-11-20T15:00:00Z"}),
    );
    tell("e-5", "contact.cancelled", json!({"contact_id": "m-2"}));
    governor.set("2026-11-20T09:00:00Z");
    tell("e-6", "customer.complained", json!({"channel": "voice"}));
    governor.set("2026-11-20T11:00:00Z");
    governor
}

fn page(governor: &Governor, query: &str) -> Value {
    let response = governor.caller.get(&format!("/v1/customers/c-ada/timeline{query}"));
    assert_eq!(response.status, 200, "{response:?}");
    response.body
}

fn kinds(page: &Value) -> Vec<String> {
    let entries = page["timeline"].as_array().expect("a timeline").iter();
    entries
        .map(|entry| {
            let detail =
                ["outcome", "type", "waited"].iter().find_map(|name| entry[*name].as_str()).unwrap_or("");
            format!("{} {detail}", entry["kind"].as_str().expect("a kind"))
        })
        .collect()
}

#[test]
fn the_timeline_tells_contacts_with_their_outcome_events_and_waits_newest_first() {
    let governor = week();
    let all = page(&governor, "");
    assert_eq!(
        kinds(&all),
        [
            "contact cancelled",
            "event customer.complained",
            "wait 2 hours",
            "event conversation.answered",
            "wait 3 days",
            "contact delivered",
            "event conversation.opened",
        ]
    );
    assert_eq!(all["next"], json!(null));
    let wait = &all["timeline"][4];
    assert_eq!((&wait["since"], &wait["over"]), (&json!("2026-11-16T12:00:00Z"), &json!(true)));
}

#[test]
fn it_is_read_page_by_page_and_filtered() {
    let governor = week();
    let whole = page(&governor, "")["timeline"].as_array().expect("a timeline").clone();
    let mut pages = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let one = page(&governor, &query);
        pages.extend(one["timeline"].as_array().expect("a timeline").clone());
        // What happens meanwhile shifts no page.
        let id = format!("late-{}", pages.len());
        governor.caller.tell(&event(&id, "x.shop.visited", "c-ada", &json!({})));
        let Some(next) = one["next"].as_str() else { break };
        query = format!("?limit=2&before={next}");
    }
    assert_eq!(pages, whole);

    assert_eq!(kinds(&page(&governor, "?kind=contact")), ["contact cancelled", "contact delivered"]);
    assert_eq!(
        kinds(&page(&governor, "?channel=voice")),
        ["contact cancelled", "event customer.complained", "wait 2 hours"]
    );
}

#[test]
fn as_text_it_can_be_read_on_the_telephone() {
    let governor = week();
    let text = page(&governor, "?as=text");
    let lines: Vec<&str> = text.as_str().expect("text").lines().collect();
    assert_eq!(
        lines,
        [
            "What happened with c-ada, newest first. Times are those of Europe/Paris.",
            "Friday, 20 November 2026, 16:00: A telephone call from a person (service) was planned and then cancelled.",
            "Friday, 20 November 2026, 10:00: The customer complained by voice.",
            "Friday, 20 November 2026, 10:00: The customer complained and still waits for an answer: 2 hours so far.",
            "Thursday, 19 November 2026, 14:30: The customer was answered by email.",
            "Thursday, 19 November 2026, 14:30: The customer wrote or called on Monday, 16 November 2026 and was answered on Thursday, 19 November 2026: 3 days.",
            "Monday, 16 November 2026, 13:00: An e-mail (marketing, autumn) was sent and arrived.",
            "Monday, 16 November 2026, 13:00: The customer wrote or called by email.",
        ]
    );
    let nobody = governor.caller.get("/v1/customers/c-none/timeline?as=text");
    assert!(nobody.body.as_str().is_some_and(|text| text.ends_with("Nothing is on record.\n")), "{nobody:?}");
}

#[test]
fn a_bad_query_names_what_is_wrong_with_it() {
    let governor = Governor::start();
    for (query, pointer) in [
        ("?channel=fax", "?channel"),
        ("?kind=contacts", "?kind"),
        ("?limit=0", "?limit"),
        ("?limit=many", "?limit"),
        ("?before=yesterday", "?before"),
        ("?as=html", "?as"),
    ] {
        let response = governor.caller.get(&format!("/v1/customers/c-1/timeline{query}"));
        assert_eq!((response.status, response.pointers()), (400, vec![pointer]), "{query}");
    }
}
