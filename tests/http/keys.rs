//! Who may call what: the table in docs/keys.md, and that nobody reaches more.

use contact_governor::domain::caller::{Scope, Scopes};
use contact_governor::http::{About, Access, endpoints};
use serde_json::{Value, json};

use crate::harness::keys::{Keys, with_one};
use crate::harness::{Caller, Governor, Process, Response, event, question, with};

const EVERY_SCOPE: &str = "ask tell read admin";
const PROBLEM: &str = "urn:contact-governor:problem:";

/// A row of the table: `POST /v1/preflight`, its scope if it takes a key, and its channels.
struct Row {
    method: String,
    path: String,
    scope: Option<String>,
    channels: String,
}

impl Row {
    /// Calls it for some customer, with a body that means nothing.
    fn call(&self, caller: &Caller) -> Response {
        let path = self.path.replace("{customer}", "c").replace("{channel}", "email");
        let path = path.replace("{campaign}", "autumn").replace("{id}", "x");
        caller.send(&self.method, &path, b"{}")
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What the documentation says.
fn documented() -> Vec<Row> {
    let documentation = include_str!("../../docs/keys.md");
    let (_, table) = documentation.split_once("| call | scope | channels |").expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let (method, path) = cells[0].trim_matches('`').split_once(' ').expect("a call");
        let scope = cells[1].strip_prefix('`').map(|scope| scope.trim_matches('`').to_owned());
        Row { method: method.to_owned(), path: path.to_owned(), scope, channels: cells[2].to_owned() }
    })
    .collect()
}

#[test]
fn the_documentation_has_every_route_with_its_scope_and_channels() {
    let written: Vec<_> = documented()
        .into_iter()
        .map(|Row { method, path, scope, channels }| (method, path, scope, channels))
        .collect();
    let served: Vec<_> = endpoints()
        .into_iter()
        .map(|(method, path, access)| {
            let (scope, channels) = match access {
                Access::Open => (None, "none"),
                Access::Needs(scope, about) => (Some(scope.name().to_owned()), word(about)),
            };
            (method, path.to_owned(), scope, channels.to_owned())
        })
        .collect();
    assert_eq!(written, served);
}

fn word(about: About) -> &'static str {
    match about {
        About::NoChannel => "none",
        About::OneChannel => "its own",
        About::EveryChannel => "every",
    }
}

#[test]
fn no_set_of_scopes_reaches_more_than_the_table_says_or_less() {
    let mut keys = Keys::default();
    let sets: Vec<Scopes> = (1..16_u8)
        .map(|bits| Scope::ALL.into_iter().filter(|scope| bits & 1 << *scope as u8 != 0).collect())
        .collect();
    let held: Vec<_> = sets
        .iter()
        .map(|scopes| {
            let words: Vec<&str> = scopes.iter().map(Scope::name).collect();
            (*scopes, keys.issue(&words.join("_"), &[("scopes", &words.join(" "))]))
        })
        .collect();
    let governor = keys.governor();
    for row in documented() {
        for (scopes, key) in &held {
            let response = row.call(&governor.caller.with_key(key));
            let may = row.scope.as_deref().is_none_or(|scope| scopes.iter().any(|held| held.name() == scope));
            let (name, status) = (row.name(), response.status);
            assert_eq!(status == 403, !may, "{name} with {scopes:?}: {response:?}");
            assert!(status != 401, "{name} with {scopes:?}");
            if !may {
                assert_eq!(response.body["type"], format!("{PROBLEM}forbidden"));
                let needed = row.scope.as_deref().unwrap_or_default();
                let detail = format!("this takes a key with the scope `{needed}`");
                assert_eq!(response.body["detail"], detail, "{name}");
            }
        }
    }
}

#[test]
fn whoever_shows_no_key_that_is_known_gets_one_answer_for_all() {
    let mut keys = Keys::default();
    let good = keys.issue("good", &[("scopes", EVERY_SCOPE)]);
    let expired = keys.issue("expired", &[("scopes", EVERY_SCOPE), ("expires", "2026-11-16T12:00:00Z")]);
    let governor = keys.governor();
    let stranger = contact_governor::api_key::ApiKey::fresh().expect("a key");
    let (good, caller) = (good.expose(), &governor.caller);
    let strangers = [
        ("nothing", caller.clone()),
        ("an unknown key", caller.with_key(&stranger)),
        ("an expired key", caller.with_key(&expired)),
        (
            "a key that is cut off",
            caller.showing(&format!("Bearer {}", good.get(..74).expect("its beginning"))),
        ),
        ("a key and more", caller.showing(&format!("Bearer {good}0"))),
        ("another scheme", caller.showing(&format!("Basic {good}"))),
        ("no scheme", caller.showing(good)),
        ("a scheme alone", caller.showing("Bearer")),
    ];
    for row in documented() {
        for (which, caller) in &strangers {
            let response = row.call(caller);
            let name = row.name();
            if row.scope.is_none() {
                assert_eq!(response.status, 200, "{name} with {which}");
                continue;
            }
            assert_eq!(response.status, 401, "{name} with {which}");
            assert_eq!(response.header("www-authenticate"), "Bearer");
            assert_eq!(response.header("ratelimit"), "", "how it stands is the caller's to know");
            let expected = json!({
                "type": format!("{PROBLEM}unauthenticated"), "title": "This takes a key", "status": 401,
                "detail": "this takes a key that is known here, as `Authorization: Bearer cg_…`",
                "instance": format!("urn:contact-governor:request:{}", response.header("x-request-id")),
            });
            assert_eq!(response.body, expected, "{name} with {which}");
        }
    }
    // The scheme is a word of HTTP, whose case does not matter; the rest is as it is elsewhere.
    assert_eq!(caller.showing(&format!("bearer  {good}")).get("/v1/policy").status, 200);
    assert_eq!(caller.get("/nowhere").status, 404);
    assert_eq!(caller.send("DELETE", "/v1/policy", b"").status, 405);
    assert_eq!(caller.get("/wishes/anything").status, 404);
}

#[test]
fn a_key_opens_until_the_moment_it_expires() {
    let (governor, holder) = with_one(&[("scopes", "read"), ("expires", "2026-11-17")]);
    governor.set("2026-11-16T23:59:59.999Z");
    assert_eq!(holder.get("/v1/policy").status, 200);
    governor.set("2026-11-17T00:00:00Z");
    assert_eq!(holder.get("/v1/policy").status, 401);
}

#[test]
fn without_keys_whatever_is_shown_is_ignored() {
    let governor = Governor::start();
    assert_eq!(governor.caller.showing("Bearer of news").get("/v1/policy").status, 200);
}

/// What a route about one channel is called with, for that channel.
fn about(row: &Row, channel: &str) -> (String, Vec<u8>) {
    let asked = question("c", channel).to_string().into_bytes();
    let body = match row.name().as_str() {
        "POST /v1/preflight" | "POST /v1/preflight/batch" | "POST /v1/explain" => asked,
        "POST /v1/events" => {
            let told = event(channel, "contact.sent", "c", &json!({"channel": channel}));
            told.to_string().into_bytes()
        }
        "PUT /v1/customers/{customer}/suppressions/{channel}" => b"false".to_vec(),
        "DELETE /v1/customers/{customer}/suppressions/{channel}" => Vec::new(),
        other => panic!("how is {other} about a channel?"),
    };
    (row.path.replace("{customer}", "c").replace("{channel}", channel), body)
}

#[test]
fn a_key_for_some_channels_reaches_those_and_what_is_of_none() {
    let (_governor, holder) = with_one(&[("scopes", EVERY_SCOPE), ("channels", "voice")]);
    for row in documented().into_iter().filter(|row| row.scope.is_some()) {
        let name = row.name();
        match row.channels.as_str() {
            "none" => assert_ne!(row.call(&holder).status, 403, "{name}"),
            "every" => {
                let response = row.call(&holder);
                let detail = "this is about every channel, and takes a key that is not limited to some";
                assert_eq!((response.status, &response.body["detail"]), (403, &json!(detail)), "{name}");
            }
            "its own" => {
                for channel in ["voice", "email"] {
                    let (path, body) = about(&row, channel);
                    let lines = path.ends_with("/batch");
                    let content_type = if lines { "application/x-ndjson" } else { "application/json" };
                    let response =
                        holder.try_send_as(content_type, &row.method, &path, &body).expect("an answer");
                    let is_refused = response.body["type"] == format!("{PROBLEM}forbidden");
                    assert_eq!(is_refused, channel == "email", "{name} about {channel}: {response:?}");
                    assert_eq!(response.status == 403, is_refused && !lines, "{name} about {channel}");
                }
            }
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn a_line_for_another_channel_has_a_problem_in_its_place_and_the_others_are_judged() {
    let (_governor, holder) = with_one(&[("scopes", "ask"), ("channels", "voice sms")]);
    let lines = ["voice", "email", "sms"].map(|channel| question(channel, channel).to_string()).join("\n");
    let send = |query: &str| {
        let path = format!("/v1/preflight/batch{query}");
        holder.try_send_as("application/x-ndjson", "POST", &path, lines.as_bytes()).expect("answers")
    };
    for query in ["", "?dry_run=true", "?arbitrate=true"] {
        let answers = send(query);
        let answers: Vec<Value> = answers.body.as_str().expect("lines").lines().map(parsed).collect();
        assert!(answers[0]["verdict"].is_string(), "{query}");
        assert_eq!((&answers[1]["line"], &answers[1]["status"]), (&json!(2), &json!(403)), "{query}");
        assert_eq!(answers[1]["errors"][0]["pointer"], "/channel");
        assert!(answers[2]["verdict"].is_string(), "{query}");
    }
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn alternatives_are_of_the_keys_channels() {
    let mut keys = Keys::default();
    let limited = keys.issue("limited", &[("scopes", "ask"), ("channels", "voice,mail")]);
    let free = keys.issue("free", &[("scopes", "ask")]);
    let governor = keys.governor();
    let asked = question("c", "voice").to_string();
    let ask = |key, content_type: &str, path: &str| {
        let caller = governor.caller.with_key(key);
        let response = caller.try_send_as(content_type, "POST", path, asked.as_bytes());
        response.expect("an answer").body["alternatives"].clone()
    };
    let imagined = "/v1/preflight/batch?dry_run=true&alternatives=true";
    let of_any = ask(&free, "application/x-ndjson", imagined);
    assert!(of_any.as_array().expect("a list").contains(&json!("email")), "{of_any}");
    assert_eq!(ask(&limited, "application/x-ndjson", imagined), json!(["mail"]));
    assert_eq!(ask(&limited, "application/json", "/v1/preflight?alternatives=true"), json!(["mail"]));
}

#[test]
fn events_name_a_channel_of_the_keys_or_a_contact_on_one() {
    let mut keys = Keys::default();
    let voice = keys.issue("voice", &[("scopes", "ask tell"), ("channels", "voice")]);
    let any = keys.issue("any", &[("scopes", "ask tell read")]);
    let governor = keys.governor();
    let (voice, any) = (governor.caller.with_key(&voice), governor.caller.with_key(&any));
    assert_eq!(any.ask(&with(question("c", "email"), &json!({"contact_id": "e-1"}))).verdict(), "allow");
    assert_eq!(voice.ask(&with(question("d", "voice"), &json!({"contact_id": "v-1"}))).verdict(), "allow");

    let e1 = json!({"contact_id": "e-1", "channel": "voice"});
    let refused = [
        (event("1", "contact.cancelled", "c", &json!({"contact_id": "e-1"})), "/data/contact_id"),
        (event("2", "contact.sent", "c", &e1), "/data/contact_id"),
        (event("3", "contact.sent", "c", &json!({"channel": "email"})), "/data/channel"),
        (event("4", "customer.resubscribed", "c", &json!({})), "/data/channel"),
        (event("5", "conversation.answered", "c", &json!({"channel": "email"})), "/data/channel"),
        (event("6", "contact.cancelled", "c", &json!({"contact_id": "nobodys"})), "/data/channel"),
        (event("7", "x.shop.visited", "c", &json!({})), "/data/channel"),
    ];
    for (event, pointer) in &refused {
        let response = voice.tell(event);
        assert_eq!((response.status, response.pointers()), (403, vec![*pointer]), "{event}");
        assert_eq!(any.tell(event).status, 202, "{event}");
    }
    for event in [
        event("8", "contact.cancelled", "d", &json!({"contact_id": "v-1"})),
        event("9", "conversation.opened", "d", &json!({"channel": "voice"})),
    ] {
        assert_eq!(voice.tell(&event).status, 202, "{event}");
    }
    // Nothing of a list is stored of which something is not theirs.
    let list = json!([
        event("10", "contact.sent", "e", &json!({"channel": "voice"})),
        event("11", "contact.sent", "e", &json!({"channel": "sms"})),
    ]);
    let response = voice.tell(&list);
    assert_eq!((response.status, response.pointers()), (403, vec!["/1/data/channel"]));
    let timeline = any.get("/v1/customers/e/timeline").body;
    assert!(!timeline.to_string().contains("voice"), "{timeline}");
}

#[test]
fn a_customers_word_to_be_left_alone_is_heard_on_any_channel() {
    let mut keys = Keys::default();
    let voice = keys.issue("voice", &[("scopes", "tell"), ("channels", "voice")]);
    let asker = keys.issue("asker", &[("scopes", "ask")]);
    let governor = keys.governor();
    let (voice, asker) = (governor.caller.with_key(&voice), governor.caller.with_key(&asker));
    for (customer, kind, data) in [
        ("a", "customer.unsubscribed", json!({})),
        ("b", "customer.unsubscribed", json!({"channel": "email"})),
        ("c", "consent.withdrawn", json!({})),
        ("d", "customer.complained", json!({})),
    ] {
        assert_eq!(voice.tell(&event("1", kind, customer, &data)).status, 202, "{kind} {data}");
    }
    assert_eq!(asker.ask(&question("a", "sms")).verdict(), "deny");
    assert_eq!(asker.ask(&question("b", "email")).verdict(), "deny");
    for channel in ["email", "all"] {
        let path = format!("/v1/customers/{channel}/suppressions/{channel}");
        assert_eq!(voice.put(&path, &json!(true)).status, 204);
        assert_eq!(asker.ask(&question(channel, "email")).verdict(), "deny");
    }
}

#[test]
fn only_admin_takes_a_suppression_back_by_whatever_method() {
    let mut keys = Keys::default();
    let tell = keys.issue("tell", &[("scopes", "tell")]);
    let both = keys.issue("both", &[("scopes", "tell admin")]);
    let voice = keys.issue("voice", &[("scopes", "tell admin"), ("channels", "voice")]);
    let governor = keys.governor();
    let [tell, both, voice] = [&tell, &both, &voice].map(|key| governor.caller.with_key(key));
    let path = |channel: &str| format!("/v1/customers/c/suppressions/{channel}");
    assert_eq!(tell.put(&path("email"), &json!(true)).status, 204);
    let refused = tell.put(&path("email"), &json!(false));
    assert_eq!(refused.body["detail"], "taking a suppression back takes a key with the scope `admin`");
    for channel in ["email", "all"] {
        assert_eq!(voice.put(&path(channel), &json!(false)).status, 403, "{channel}");
        assert_eq!(voice.send("DELETE", &path(channel), b"").status, 403, "{channel}");
        assert_eq!(both.put(&path(channel), &json!(false)).status, 204, "{channel}");
        assert_eq!(both.send("DELETE", &path(channel), b"").status, 204, "{channel}");
    }
    assert_eq!(voice.send("DELETE", &path("voice"), b"").status, 204);
}

#[test]
fn two_keys_of_one_caller_are_both_good_and_their_uses_are_told_apart() {
    let mut keys = Keys::default();
    let old = keys.issue("dialler", &[("scopes", "read")]);
    let new = keys.issue("dialler_2", &[("scopes", "read"), ("caller", "dialler")]);
    let governor = keys.governor();
    let [old, new] = [&old, &new].map(|key| governor.caller.with_key(key));
    assert_eq!((old.get("/v1/policy").status, new.get("/v1/policy").status), (200, 200));
    let metrics = new.get("/metrics").body;
    let metrics = metrics.as_str().expect("text");
    for line in ["key_uses_total{key=\"dialler\"} 1\n", "key_uses_total{key=\"dialler_2\"} 2\n"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[test]
fn a_key_is_never_logged() {
    let mut keys = Keys::default();
    let good = keys.issue("good", &[("scopes", "ask")]);
    keys.set("LEDGER__URL", "memory:");
    keys.set("LOG__LEVEL", "trace");
    let mut process = Process::start_with(&keys.settings(), &[]);
    let stranger = contact_governor::api_key::ApiKey::fresh().expect("a key");
    assert_eq!(process.caller.with_key(&good).ask(&question("c", "email")).verdict(), "allow");
    assert_eq!(process.caller.with_key(&good).get("/v1/policy").status, 403);
    assert_eq!(process.caller.with_key(&stranger).ask(&question("c", "email")).status, 401);
    let (_, log) = process.terminate();
    assert!(log.contains(" INFO "), "{log}");
    for key in [&good, &stranger] {
        let secret = key.expose().get(3..67).expect("its digits");
        assert!(!log.contains(secret), "{log}");
    }
}
