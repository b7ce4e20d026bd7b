//! One customer's year, told by events and asks: what the timeline makes of it, and what is left when she leaves.

use serde_json::{Value, json};

use crate::harness::{Governor, event, question, with};

struct Year {
    governor: Governor,
    events: usize,
    _folder: tempfile::TempDir,
}

const ADA: &str = "/v1/customers/c-ada";

impl Year {
    fn begin() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = format!("embedded:{}", folder.path().join("data").display());
        let journal = folder.path().join("journal").display().to_string();
        let settings = [("LEDGER__URL", ledger.as_str()), ("JOURNAL__DIRECTORY", &journal)];
        Self { governor: Governor::start_with(&settings), events: 0, _folder: folder }
    }

    fn on(&self, moment: &str) {
        self.governor.set(moment);
    }

    fn tell(&mut self, kind: &str, data: &Value) {
        self.events += 1;
        let told = self.governor.caller.tell(&event(&format!("e-{}", self.events), kind, "c-ada", data));
        assert_eq!(told.status, 202, "{kind}: {told:?}");
    }

    fn ask(&self, channel: &str, more: &Value) -> Value {
        self.governor.caller.ask(&with(question("c-ada", channel), more)).body
    }

    /// Asked for, sent, arrived.
    fn send(&mut self, channel: &str, id: &str, more: &Value) {
        let answer = self.ask(channel, &with(json!({"contact_id": id}), more));
        assert_eq!(answer["verdict"], "allow", "{answer}");
        for kind in ["contact.sent", "contact.delivered"] {
            self.tell(kind, &json!({"contact_id": id}));
        }
    }

    fn story(&self) -> Vec<String> {
        let told = self.governor.caller.get(&format!("{ADA}/timeline?as=text&limit=500")).body;
        told.as_str().expect("text").lines().map(str::to_owned).collect()
    }
}

fn a_year_with_ada() -> Year {
    let mut year = Year::begin();
    let put = |year: &Year, path: &str, body: Value| {
        let set = year.governor.caller.put(&format!("{ADA}/{path}"), &body);
        assert_eq!(set.status, 204, "{set:?}");
    };
    // Winter: she signs up, and confirms.
    year.on("2026-12-01T09:00:00Z");
    put(&year, "facts", json!({"time_zone": "Europe/Paris", "kind": "customer", "purchases": 1}));
    let form = json!({"channel": "email", "purpose": "marketing", "evidence": "form-7"});
    year.tell("consent.granted", &with(form.clone(), &json!({"pending": true})));
    year.on("2026-12-01T09:10:00Z");
    year.tell("consent.granted", &form);
    year.on("2026-12-02T09:00:00Z");
    year.send("email", "welcome", &json!({"campaign": "welcome"}));
    // The same day a text message is asked for, three times: one contact a day.
    for minute in ["10:00", "10:30", "11:00"] {
        year.on(&format!("2026-12-02T{minute}:00Z"));
        assert_eq!(year.ask("sms", &json!({"campaign": "sale"}))["verdict"], "defer");
    }
    // A robot may not say that we care; a person is asked to.
    year.on("2027-01-12T09:00:00Z");
    let robot = json!({"contact_id": "call-1", "purpose": "relationship", "delivery": "synthetic_voice",
        "content": {"claims": ["care"]}});
    assert_eq!(year.ask("voice", &robot)["verdict"], "handoff");
    year.on("2027-01-12T16:00:00Z");
    let call =
        json!({"contact_id": "call-1", "channel": "voice", "purpose": "relationship", "delivery": "human"});
    year.tell("contact.sent", &call);
    // Spring: she tells the service desk how she wants it.
    year.on("2027-03-08T10:00:00Z");
    put(
        &year,
        "wishes",
        json!({"at_most": [{"limit": 1, "window": "rolling 30d"}], "channels": ["email", "mail"], "by": "ravi", "through": "voice"}),
    );
    assert_eq!(year.ask("sms", &json!({"campaign": "sale"}))["reasons"][0]["rule"], "wish");
    // Summer: she complains, and marketing stops until a person has answered.
    year.on("2027-07-05T08:00:00Z");
    year.send("email", "offer", &json!({"campaign": "summer"}));
    year.on("2027-07-05T12:00:00Z");
    year.tell("customer.complained", &json!({"channel": "email"}));
    year
}

#[test]
fn she_complains_marketing_stops_a_person_answers_and_two_days_later_the_next_offer_is_allowed() {
    let year = a_year_with_ada();
    let offer = json!({"contact_id": "next-offer", "campaign": "late-summer"});
    year.on("2027-08-10T08:00:00Z");
    let held = year.ask("email", &offer);
    assert_eq!((&held["verdict"], &held["reasons"][0]["rule"]), (&json!("defer"), &json!("complaint-pause")));
    let owed = year.governor.caller.get("/v1/follow-ups").body;
    let owed: Vec<&Value> = owed["follow_ups"].as_array().expect("a list").iter().collect();
    assert_eq!((owed.len(), &owed[0]["kind"], &owed[0]["overdue"]), (1, &json!("complaint"), &json!(true)));
    let path = format!("/v1/follow-ups/{}/done", owed[0]["id"].as_str().expect("an id"));
    let done = json!({"what": "called her and said sorry", "by": "ravi"}).to_string();
    assert_eq!(year.governor.caller.send("POST", &path, done.as_bytes()).status, 204);

    let waits = year.ask("email", &offer);
    assert_eq!(waits["not_before"], "2027-08-12T08:00:00Z", "a decent pause after the answer");
    year.on("2027-08-12T08:00:00Z");
    assert_eq!(year.ask("email", &offer)["verdict"], "allow");
}

#[test]
fn the_timeline_reads_true() {
    let year = a_year_with_ada();
    let story = year.story();
    let told: Vec<&str> = story.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "What happened with c-ada, newest first. Times are those of Europe/Paris.",
            "Monday, 5 July 2027, 14:00: The customer complained by email.",
            "Monday, 5 July 2027, 14:00: The customer complained and still waits for an answer: less than a minute so far.",
            "Monday, 5 July 2027, 10:00: An e-mail (marketing, summer) was sent and arrived.",
            "Monday, 8 March 2027, 11:00: The customer wished by voice, as ravi noted: at most 1 in any 30 days; only by email or mail.",
            "Monday, 8 March 2027, 11:00: A text message (marketing, sale) was not allowed. The customer does not want to be contacted on this channel.",
            "Tuesday, 12 January 2027, 17:00: A telephone call from a person (relationship) was sent.",
            "Tuesday, 12 January 2027, 10:00: A telephone call from a machine (relationship) was not left to a machine; a person was asked to do it.",
            "Tuesday, 12 January 2027, 10:00: A telephone call from a machine (relationship) was not left to a machine. A machine cannot care, be grateful, be sorry or know somebody; a person should say this.",
            "Wednesday, 2 December 2026, 12:00: A text message (marketing, sale) was put off to Thursday, 3 December 2026, 10:00 or later. Nobody wants to hear from us twice in one day. It was asked 3 times, first on Wednesday, 2 December 2026, 11:00.",
            "Wednesday, 2 December 2026, 10:00: An e-mail (marketing, welcome) was sent and arrived.",
            "Tuesday, 1 December 2026, 10:10: The customer agreed to marketing messages by email (evidence: form-7).",
            "Tuesday, 1 December 2026, 10:00: The customer was asked to confirm that they agree to marketing messages by email (evidence: form-7).",
        ]
    );
    let refusals = year.governor.caller.get(&format!("{ADA}/timeline?kind=refusal")).body;
    let first = &refusals["timeline"][2];
    assert_eq!(
        (&first["times"], &first["reasons"][0]["rule"]),
        (&json!(3), &json!("one-a-day")),
        "{refusals}"
    );
    let shown = year.governor.caller.get(ADA).body;
    assert_eq!(shown["wishes_set"], json!({"at": "2027-03-08T10:00:00Z", "by": "ravi", "through": "voice"}));
    assert_eq!(shown["consents"][0]["state"], "granted");
    assert_eq!(
        shown["next_welcome"]["sms"]["marketing"],
        json!(null),
        "an unwanted channel is never welcome"
    );
}

#[test]
fn she_asks_to_be_forgotten_and_is_yet_stays_unsubscribed() {
    let mut year = a_year_with_ada();
    year.on("2027-09-01T08:00:00Z");
    year.tell("customer.unsubscribed", &json!({"purposes": "all"}));
    let erased = year.governor.caller.send("DELETE", ADA, b"");
    assert_eq!(
        (erased.status, &erased.body["erased_at"]),
        (200, &json!("2027-09-01T08:00:00Z")),
        "{erased:?}"
    );
    assert_eq!(
        year.story(),
        ["What happened with c-ada, newest first. Times are those of UTC.", "Nothing is on record."]
    );
    assert_eq!(year.governor.caller.get("/v1/follow-ups").body["follow_ups"], json!([]));
    year.on("2028-09-01T08:00:00Z");
    let receipt = year.ask("mail", &json!({"purpose": "transactional"}));
    assert_eq!(
        (&receipt["verdict"], &receipt["reasons"][0]["rule"]),
        (&json!("deny"), &json!("suppression"))
    );
    // Only she can change that.
    year.tell("customer.resubscribed", &json!({}));
    assert_eq!(year.ask("mail", &json!({}))["verdict"], "allow");
}
