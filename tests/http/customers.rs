use serde_json::{Value, json};

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

#[test]
fn a_suppression_says_what_it_reaches_until_when_and_on_whose_word() {
    let governor = Governor::start();
    let path = "/v1/customers/c-1/suppressions/email";
    let said = json!({"purposes": ["marketing"], "expires_at": "2026-12-01T00:00:00Z", "reason": "too much",
        "source": "desk", "by": "ravi", "through": "voice"});
    assert_eq!(governor.caller.put(path, &said).status, 204);
    let listed = || governor.caller.get("/v1/customers/c-1").body["suppressions"].clone();
    let standing = json!({"channel": "email", "purposes": ["marketing"], "since": "2026-11-16T12:00:00Z",
        "expires_at": "2026-12-01T00:00:00Z", "reason": "too much", "source": "desk"});
    assert_eq!(listed(), json!({"channels": {}, "all": false, "list": [standing]}));
    let denied = governor.caller.ask(&question("c-1", "email")).body;
    let reason = &denied["reasons"][0];
    assert_eq!((&denied["verdict"], &reason["not_before"]), (&json!("deny"), &json!("2026-12-01T00:00:00Z")));
    let service = with(question("c-1", "email"), &json!({"purpose": "service"}));
    assert_eq!(governor.caller.ask(&service).verdict(), "allow");
    let told = governor.caller.get("/v1/customers/c-1/timeline?kind=event").body["timeline"][0].clone();
    assert_eq!(
        (&told["type"], &told["by"], &told["reason"]),
        (&json!("governor.suppressed"), &json!("ravi"), &json!("too much"))
    );

    // Said again it is no news, and taken back for another purpose it stands.
    assert_eq!(governor.caller.put(path, &said).status, 204);
    governor.set("2026-11-16T12:00:01Z");
    assert_eq!(governor.caller.send("DELETE", &format!("{path}?purpose=service"), b"").status, 204);
    assert_eq!(listed()["list"].as_array().map(Vec::len), Some(1));
    governor.set("2026-11-16T12:00:02Z");
    assert_eq!(governor.caller.send("DELETE", &format!("{path}?purpose=marketing"), b"").status, 204);
    assert_eq!(listed()["list"], json!([]));
    let events = governor.caller.get("/v1/customers/c-1/timeline?kind=event").body["timeline"].clone();
    let kinds: Vec<_> = events.as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["governor.unsuppressed", "governor.unsuppressed", "governor.suppressed"]);
}

#[test]
fn what_is_wrong_with_a_suppression_is_named() {
    let governor = Governor::start();
    for (channel, body, pointer) in [
        ("fax", json!({}), ""),
        ("email", json!({"purposes": []}), "/purposes"),
        ("email", json!({"purposes": "some"}), "/purposes"),
        ("email", json!({"purposes": ["marketing", "spam"]}), "/purposes/1"),
        ("email", json!({"expires_at": "soon"}), "/expires_at"),
        ("email", json!({"reason": 7}), "/reason"),
        ("email", json!({"because": "x"}), "/because"),
        ("email", json!([1]), ""),
    ] {
        let path = format!("/v1/customers/c-1/suppressions/{channel}");
        let refused = governor.caller.put(&path, &body);
        assert_eq!((refused.status, refused.pointers()), (400, vec![pointer]), "{channel} {body}");
    }
    let refused = governor.caller.send("DELETE", "/v1/customers/c-1/suppressions/email?purpose=spam", b"");
    assert_eq!((refused.status, refused.pointers()), (400, vec!["?purpose"]));
    let events = |data: Value| governor.caller.tell(&event("e", "customer.unsubscribed", "c-1", &data));
    assert_eq!(events(json!({"purposes": ["spam"]})).pointers(), ["/data/purposes/0"]);
    assert_eq!(events(json!({"expiry": "2027-01-01T00:00:00Z"})).pointers(), ["/data/expiry"]);
    assert_eq!(governor.caller.get("/v1/customers/c-1").body["events"], 0, "nothing half-done");
}

#[test]
fn consents_show_how_they_stand_and_every_word_is_kept() {
    let governor = Governor::start();
    let tell = |id: &str, kind: &str, data: Value| {
        let told = governor.caller.tell(&event(id, kind, "c-1", &data));
        assert_eq!(told.status, 202, "{told:?}");
    };
    let form = json!({"channel": "email", "evidence": "form-7", "source": "shop"});
    tell(
        "1",
        "consent.granted",
        with(form.clone(), &json!({"pending": true, "expires_at": "2026-11-18T00:00:00Z"})),
    );
    let states = || {
        let shown = governor.caller.get("/v1/customers/c-1").body["consents"].clone();
        let shown = shown.as_array().expect("consents").clone();
        shown
            .iter()
            .map(|one| format!("{} {}", one["channel"], one["state"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(states(), ["email pending"]);
    governor.set("2026-11-17T12:00:00Z");
    tell("2", "consent.granted", with(form.clone(), &json!({"expires_at": "2027-11-17T12:00:00Z"})));
    tell("3", "consent.withdrawn", json!({"channel": "sms"}));
    assert_eq!(states(), ["email granted", "sms withdrawn"]);
    governor.set("2027-11-17T12:00:00Z");
    assert_eq!(states(), ["email expired", "sms withdrawn"]);
    // Two years later, when events are long gone, every word on consent is still there.
    governor.set("2029-11-17T12:00:00Z");
    tell("4", "x.shop.visited", json!({}));
    let held = governor.caller.get("/v1/customers/c-1/export").body;
    assert_eq!(
        (held["events"].as_array().map(Vec::len), held["consents"].as_array().map(Vec::len)),
        (Some(1), Some(3))
    );
    assert_eq!(held["consents"][1]["evidence"], "form-7");
    let told = governor.caller.get("/v1/customers/c-1/timeline?channel=email").body["timeline"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(2), "{told}");
}

#[test]
fn what_was_refused_is_on_the_timeline_with_the_rule_and_why() {
    let governor = Governor::start();
    let send = with(question("c-1", "email"), &json!({"campaign": "autumn", "contact_id": "m-1"}));
    assert_eq!(governor.caller.ask(&send).verdict(), "allow");
    for minute in 0..3 {
        governor.set(&format!("2026-11-16T12:0{minute}:00Z"));
        let again = with(send.clone(), &json!({"contact_id": "m-2"}));
        assert_eq!(governor.caller.ask(&again).verdict(), "defer");
    }
    let timeline = governor.caller.get("/v1/customers/c-1/timeline?kind=refusal").body;
    let refusal = &timeline["timeline"][0];
    assert_eq!(timeline["timeline"].as_array().map(Vec::len), Some(1), "{timeline}");
    assert_eq!(
        (&refusal["times"], &refusal["first_at"], &refusal["at"]),
        (&json!(3), &json!("2026-11-16T12:00:00Z"), &json!("2026-11-16T12:02:00Z"))
    );
    assert_eq!(refusal["reasons"][0]["rule"], "one-a-day");
    assert!(refusal["reasons"][0]["because"].as_str().is_some_and(|because| because.len() > 10), "{refusal}");
    assert_eq!(
        governor.caller.get("/v1/customers/c-1").body["contacts"],
        1,
        "no refusal is part of the record"
    );

    let forgetful = Governor::start_with(&[("TIMELINE__REFUSALS", "false")]);
    let halted = forgetful.caller.put("/v1/campaigns/autumn/halt", &json!({}));
    assert_eq!((halted.status, forgetful.caller.ask(&send).verdict()), (204, "deny"));
    assert_eq!(forgetful.caller.get("/v1/customers/c-1/timeline").body["timeline"], json!([]));
}
