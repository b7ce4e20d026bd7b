use serde_json::json;

use crate::harness::{Governor, event, question, with};

#[test]
fn wishes_are_kept_shown_and_bind() {
    let governor = Governor::start();
    let wishes = json!({
        "at_most": [{"limit": 1, "window": "rolling 30d", "channels": ["email"]}],
        "channels": ["email", "mail"],
        "hours": {"mon": ["12:00-13:00"], "tue": ["12:00-13:00"]},
        "pause_until": "2026-11-16T12:30:00Z",
    });
    assert_eq!(governor.caller.put("/v1/customers/c-1/wishes", &wishes).status, 204);
    assert_eq!(governor.caller.get("/v1/customers/c-1").body["wishes"], wishes);

    let unwanted = governor.caller.ask(&question("c-1", "sms"));
    assert_eq!(unwanted.verdict(), "deny");
    let paused = governor.caller.ask(&question("c-1", "email"));
    assert_eq!((paused.verdict(), &paused.body["not_before"]), ("defer", &json!("2026-11-16T12:30:00Z")));
    governor.set("2026-11-16T12:30:00Z");
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow");
}

#[test]
fn facts_are_merged_by_name_and_null_forgets() {
    let governor = Governor::start();
    let path = "/v1/customers/c-1/facts";
    governor
        .caller
        .put(path, &json!({"purchases": 12, "kind": {"value": "customer", "as_of": "2026-01-01T00:00:00Z"}}));
    governor.caller.put(path, &json!({"purchases": null, "city": "Rome"}));
    let facts = governor.caller.get("/v1/customers/c-1").body["facts"].clone();
    assert_eq!(
        facts,
        json!({
            "city": {"value": "Rome", "as_of": "2026-11-16T12:00:00Z"},
            "kind": {"value": "customer", "as_of": "2026-01-01T00:00:00Z"},
        })
    );
}

#[test]
fn suppressions_are_set_and_lifted() {
    let governor = Governor::start();
    let suppressions = || governor.caller.get("/v1/customers/c-1").body["suppressions"].clone();
    governor.caller.put("/v1/customers/c-1/suppressions/email", &json!({}));
    assert_eq!(suppressions()["all"], false);
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "deny");
    assert_eq!(governor.caller.ask(&question("c-1", "sms")).verdict(), "allow");

    governor.set("2026-11-17T12:00:00Z");
    governor.caller.put("/v1/customers/c-1/suppressions/all", &json!({}));
    assert_eq!(suppressions()["all"], true);
    let receipt = with(question("c-1", "email"), &json!({"purpose": "transactional"}));
    assert_eq!(governor.caller.ask(&receipt).verdict(), "allow");

    governor.set("2026-11-18T12:00:00Z");
    governor.caller.send("DELETE", "/v1/customers/c-1/suppressions/all", b"");
    assert_eq!(suppressions(), json!({"channels": {}, "all": false, "list": []}));
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "allow");
}

#[test]
fn what_cannot_be_wished_for_is_refused_field_by_field() {
    let governor = Governor::start();
    let wishes = json!({
        "at_most": [{"limit": -1, "window": "weekly"}, {"limit": 1}],
        "channels": ["fax"],
        "hours": {"mon": ["25:00-26:00"], "someday": []},
        "pause_untl": "x",
    });
    let refused = governor.caller.put("/v1/customers/c-1/wishes", &wishes);
    assert_eq!(
        refused.pointers(),
        [
            "/at_most/0/limit",
            "/at_most/0/window",
            "/at_most/1/window",
            "/channels/0",
            "/hours/mon/0",
            "/hours/someday",
            "/pause_untl",
        ]
    );
    let facts =
        governor.caller.put("/v1/customers/c-1/facts", &json!({"time_zone": "Mars/Olympus", "regions": 3}));
    assert_eq!(facts.pointers(), ["/regions", "/time_zone"]);
    assert_eq!(governor.caller.put("/v1/customers/c-1/suppressions/fax", &json!({})).status, 400);
    let kept = governor.caller.get("/v1/customers/c-1").body;
    assert_eq!((&kept["wishes"], &kept["facts"]), (&json!({}), &json!({})), "nothing of it is stored");
}

#[test]
fn a_customer_is_shown_with_holds_budgets_and_when_each_channel_is_next_welcome() {
    let governor = Governor::start();
    let nobody = governor.caller.get("/v1/customers/c-1").body;
    assert_eq!(nobody["next_welcome"]["email"]["marketing"], "2026-11-16T12:00:00Z");
    assert_eq!(nobody["holds"], json!([]));

    governor.caller.ask(&question("c-1", "email"));
    governor.caller.tell(&event("e-1", "conversation.opened", "c-1", &json!({"channel": "email"})));
    let shown = governor.caller.get("/v1/customers/c-1").body;
    let hold = &shown["holds"][0];
    assert_eq!((&hold["rule"], &hold["since"]), (&json!("heard-first"), &json!("2026-11-16T12:00:00Z")));
    assert_eq!(hold["purposes"], json!(["marketing", "relationship"]));
    let budget = |rule: &str| {
        let budgets = shown["budgets"].as_array().expect("budgets");
        budgets.iter().find(|budget| budget["rule"] == rule).unwrap_or_else(|| panic!("no {rule}")).clone()
    };
    assert_eq!(budget("email-two-a-week")["used"], 1);
    assert_eq!(budget("email-two-a-week")["channels"], json!(["email"]));
    assert_eq!(budget("one-a-day")["next_free"], "2026-11-17T12:00:00Z");

    // Each moment named is the first at which that message is allowed.
    for (channel, purposes) in shown["next_welcome"].as_object().expect("channels") {
        for (purpose, moment) in purposes.as_object().expect("purposes") {
            let asked = with(question("c-1", channel), &json!({"purpose": purpose}));
            let explained = governor.caller.explain(&asked).body["answer"].clone();
            let expected = match explained["verdict"].as_str() {
                Some("allow") => json!("2026-11-16T12:00:00Z"),
                Some("defer") => explained["not_before"].clone(),
                _ => json!(null),
            };
            assert_eq!(*moment, expected, "{channel} {purpose}: {explained}");
        }
    }
}

#[test]
fn an_export_holds_everything_that_was_ever_said_of_the_customer() {
    let governor = Governor::start();
    let asked = json!({"contact_id": "m-1", "campaign": "autumn", "sender": "mailer", "delivery": "human",
        "content": {"body": "We apologise for the delay."}});
    governor.caller.ask(&with(question("c-1", "email"), &asked));
    governor.caller.tell(&event("e-1", "contact.sent", "c-1", &json!({"contact_id": "m-1"})));
    governor.caller.tell(&event("e-2", "contact.cancelled", "c-1", &json!({"contact_id": "m-9"})));
    governor.caller.tell(&event("e-3", "customer.unsubscribed", "c-1", &json!({"channel": "sms"})));
    let granted = json!({"channel": "email", "expires_at": "2027-01-01T00:00:00Z"});
    governor.caller.tell(&event("e-4", "consent.granted", "c-1", &granted));
    governor.caller.put("/v1/customers/c-1/facts", &json!({"city": "Rome"}));
    governor.caller.put("/v1/customers/c-1/wishes", &json!({"channels": ["email"]}));
    let held = governor.caller.get("/v1/customers/c-1/export").body;
    let contact = &held["contacts"][0];
    assert_eq!((&contact["contact_id"], &contact["standing"]), (&json!("m-1"), &json!("sent")));
    assert_eq!((&contact["campaign"], &contact["claims"]), (&json!("autumn"), &json!(["apology"])));
    let kinds: Vec<_> =
        held["events"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(
        kinds,
        ["contact.sent", "contact.cancelled", "customer.unsubscribed", "consent.granted", "governor.wished"]
    );
    assert_eq!(held["told_of_unknown_contacts"][0]["contact_id"], "m-9");
    assert_eq!(held["suppressions"][0]["channel"], "sms");
    assert_eq!(held["consents"][0]["expires_at"], "2027-01-01T00:00:00Z");
    assert_eq!(held["facts"]["city"]["value"], "Rome");
    assert_eq!(held["wishes"], json!({"channels": ["email"]}));
}
