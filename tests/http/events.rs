use serde_json::json;

use crate::harness::{Governor, event, question, with};

#[test]
fn a_cancelled_contact_gives_its_slot_back_and_is_judged_afresh() {
    let governor = Governor::start();
    let asked = with(question("c-1", "sms"), &json!({"contact_id": "m-1"}));
    assert_eq!(governor.caller.ask(&asked).verdict(), "allow");
    let told = governor.caller.tell(&event("e-1", "contact.cancelled", "c-1", &json!({"contact_id": "m-1"})));
    assert_eq!(told.status, 202);
    assert_eq!(governor.caller.ask(&question("c-1", "sms")).verdict(), "allow");
    assert_eq!(governor.caller.ask(&asked).verdict(), "defer", "the slot is somebody else's by now");
}

#[test]
fn an_event_told_twice_counts_once() {
    let governor = Governor::start();
    let sent = event("e-1", "contact.sent", "c-1", &json!({"contact_id": "m-1", "channel": "email"}));
    for _ in 0..3 {
        assert_eq!(governor.caller.tell(&sent).status, 202);
    }
    let body = governor.caller.get("/v1/customers/c-1").body;
    assert_eq!((&body["events"], &body["contacts"]), (&json!(1), &json!(1)));
}

#[test]
fn a_batch_is_stored_whole_or_not_at_all() {
    let governor = Governor::start();
    let good = event("e-1", "customer.complained", "c-1", &json!({}));
    let bad = event("e-2", "customer.complaned", "", &json!({}));
    let refused = governor.caller.tell(&json!([good, bad]));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.pointers(), ["/1/type", "/1/subject"]);
    assert_eq!(governor.caller.get("/v1/customers/c-1").body["events"], 0);

    let other = event("e-3", "conversation.opened", "c-2", &json!({"channel": "email"}));
    assert_eq!(governor.caller.tell(&json!([good, other])).status, 202);
    assert_eq!(governor.caller.get("/v1/customers/c-1").body["events"], 1);
    assert_eq!(governor.caller.get("/v1/customers/c-2").body["events"], 1);
}

#[test]
fn every_bad_field_of_an_event_is_named() {
    let governor = Governor::start();
    let cases = [
        (json!({}), vec!["/specversion", "/source", "/id", "/type", "/subject"]),
        (
            json!({"specversion": "0.3", "id": "1", "source": "s", "type": "x.own", "subject": "c"}),
            vec!["/specversion"],
        ),
        (
            json!({"specversion": "1.0", "id": "1", "source": "s", "type": "x.own", "subject": "c",
                   "time": "2026-11-16T12:05:00.001Z"}),
            vec!["/time"],
        ),
        (event("1", "contact.cancelled", "c", &json!({})), vec!["/data/contact_id"]),
        (event("1", "contact.sent", "c", &json!({})), vec!["/data/contact_id"]),
        (
            event("1", "contact.sent", "c", &json!({"channel": "fax", "delivery": "robot"})),
            vec!["/data/channel", "/data/delivery", "/data/contact_id"],
        ),
        (
            event("1", "consent.granted", "c", &json!({"expires": "2027-01-01T00:00:00Z"})),
            vec!["/data/expires"],
        ),
        (event("1", "x.", "c", &json!({})), vec!["/type"]),
    ];
    for (told, expected) in cases {
        let response = governor.caller.tell(&told);
        assert_eq!((response.status, response.pointers()), (400, expected), "{told}");
    }
}
