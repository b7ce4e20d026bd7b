//! The shapes of what is sent allow what the readers take, and refuse what the readers refuse.
//!
//! Sound values are bent at random, and readers and shapes must be of one mind about each. A shape cannot say two things:
//! how a moment lies to the clock or to another moment, and that two keys of opening hours name the same day.

use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use contact_governor::domain::moment::Moment;
use contact_governor::policy::Policy;
use contact_governor::policy::compile::compile;
use contact_governor::wire::batch::read_line;
use contact_governor::wire::problem::Problem;
use contact_governor::wire::put::{read_facts_body, read_suppression_body, read_wishes_body};
use contact_governor::wire::question::QuestionReader;
use contact_governor::wire::{claims, event, follow_up};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::harness::at;
use crate::harness::contract::Contract;

thread_local! {
    // The validator cannot be shared.
    static CONTRACT: Rc<Contract> = Rc::new(Contract::kept());
}

fn contract() -> Rc<Contract> {
    CONTRACT.with(Rc::clone)
}

static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    Arc::new(compile("policy", "version = \"1\"\ntime_zone = \"UTC\"\n").expect("a policy"))
});

fn now() -> Moment {
    at("2026-11-16T12:00:00Z")
}

/// What no shape can say.
fn is_beyond_shapes(detail: &str) -> bool {
    detail.starts_with("lies ") || detail.ends_with("has hours twice")
}

/// The reader's objections that a shape could share.
fn objections(read: Result<(), Problem>) -> Vec<String> {
    let Err(problem) = read else { return Vec::new() };
    let objections = problem.errors.into_iter().filter(|error| !is_beyond_shapes(&error.detail));
    objections.map(|error| format!("{}: {}", error.pointer, error.detail)).collect()
}

/// Steps and asks, events and puts of the scenario files.
fn scenarios(member: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).expect("scenarios") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        let Ok(file) = toml::from_str::<Value>(&text) else { continue };
        let steps = file.get("steps").or_else(|| file.get("step")).and_then(Value::as_array);
        found.extend(steps.into_iter().flatten().filter_map(|step| step.get(member).cloned()));
    }
    found
}

/// Every name of a member in the document, and some that are in none.
fn names() -> Vec<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::Object(properties)) = members.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                members.values().for_each(|value| gather(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            _ => {}
        }
    }
    let mut found =
        ["", "zzz", "Mon", "mon", "sat-sun", "mon-fri", "a\u{7}b", "x y"].map(str::to_owned).to_vec();
    found.push("n".repeat(129));
    gather(&contract().document["components"]["schemas"], &mut found);
    found.sort();
    found.dedup();
    found
}

/// Values that are sound somewhere.
fn atoms() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "x",
        "email",
        "all",
        "marketing",
        "human",
        "care",
        "1.0",
        "contact.sent",
        "contact.failed",
        "customer.unsubscribed",
        "customer.resubscribed",
        "consent.granted",
        "consent.withdrawn",
        "x.",
        "x.visited",
        "governor.done",
        "2026-11-16T12:00:00Z",
        "2026-11-17T12:00:00+01:00",
        "2026-11-16T12:00:00",
        "2026-11-16",
        "2026-02-30",
        "Europe/London",
        "europe/london",
        "Atlantis/Capital",
        "US",
        "us-fl",
        "US_NY",
        "US-",
        "facts.purchases >= 10",
        "facts.x >=",
        "rolling 7d",
        "rolling 401d",
        "calendar week",
        "local 30 days",
        "lifetime",
        "09:00-20:00",
        "20:00-09:00",
        "a\u{7}b",
        "caf\u{e9}",
        "\u{85}",
    ];
    let longer = [
        "n".repeat(128),
        "n".repeat(129),
        "n".repeat(256),
        "\u{e9}".repeat(256),
        "n".repeat(257),
        "n".repeat(1_024),
        "n".repeat(1_025),
    ];
    let numbers = [
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-1),
        json!(4_294_967_295_u32),
        json!(4_294_967_296_u64),
        json!(1e300),
    ];
    let nested = [
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([null]),
        json!(["email"]),
        json!(["marketing"]),
        json!(["care", "value"]),
        json!(["US", "us-fl"]),
        json!([["a"]]),
        json!([[[1]]]),
        json!([[[[1]]]]),
        json!([[[[]]]]),
        json!({"a": {"b": {"c": 1}}}),
        json!({"a": {"b": {"c": {"d": 1}}}}),
        json!({"value": 1}),
        json!({"value": null}),
        json!({"value": [1], "as_of": "2026-01-01"}),
        json!({"value": 1, "as_of": "once"}),
        json!({"value": 1, "x": 2}),
        json!({"limit": 1, "window": "lifetime"}),
        json!([{"limit": 1, "window": "rolling 7d", "channels": null}]),
        json!({"mon-fri": ["18:00-20:00"]}),
        json!({"contact_id": "m-1"}),
        json!({"channel": "email"}),
        Value::from(vec!["care"; 64]),
        Value::from(vec!["care"; 65]),
        Value::from(vec![1; 65]),
    ];
    let texts = texts.map(str::to_owned).into_iter().chain(longer).map(Value::from);
    texts.chain(numbers).chain(nested).collect()
}

/// One way to bend a value: somewhere in it, something is put in the place of something, added, or taken away.
#[derive(Clone, Debug)]
struct Bend {
    place: Index,
    way: u8,
    name: Index,
    atom: Index,
}

fn places(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(places).sum(),
        Value::Array(values) => values.iter().map(places).sum(),
        _ => 0,
    }
}

/// The `place`th value within, counted as it is written.
fn within<'v>(value: &'v mut Value, place: &mut usize) -> Option<&'v mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Object(members) => members.values_mut().find_map(|value| within(value, place)),
        Value::Array(values) => values.iter_mut().find_map(|value| within(value, place)),
        _ => None,
    }
}

impl Bend {
    fn any() -> impl Strategy<Value = Self> {
        (any::<Index>(), 0..6_u8, any::<Index>(), any::<Index>()).prop_map(|(place, way, name, atom)| Self {
            place,
            way,
            name,
            atom,
        })
    }

    fn apply(&self, value: &mut Value, names: &[String], atoms: &[Value]) {
        let atom = self.atom.get(atoms).clone();
        let mut place = self.place.index(places(value));
        let Some(target) = within(value, &mut place) else { return };
        match (self.way, target) {
            (0, Value::Object(members)) if !members.is_empty() => {
                let name = members.keys().nth(self.name.index(members.len())).cloned();
                name.and_then(|name| members.remove(&name));
            }
            (1 | 2, Value::Object(members)) => {
                members.insert(self.name.get(names).clone(), atom);
            }
            (0..=2, Value::Array(values)) => values.push(atom),
            (_, target) => *target = atom,
        }
    }
}

/// Bends sound values and asks both.
fn agree(shape: &str, sound: &[Value], read: impl Fn(&Value) -> Result<(), Problem>) {
    let (names, atoms) = (names(), atoms());
    for value in sound {
        assert_eq!(contract().shape_allows(shape, value), Ok(()), "{value:#}");
        assert_eq!(objections(read(value)), Vec::<String>::new(), "{value:#}");
    }
    let mut runner = TestRunner::new(Config { cases: 600, failure_persistence: None, ..Config::default() });
    let bends = proptest::collection::vec(Bend::any(), 1..4);
    runner
        .run(&(any::<Index>(), bends), |(seed, bends)| {
            let mut value = seed.get(sound).clone();
            for bend in &bends {
                bend.apply(&mut value, &names, &atoms);
            }
            let (allowed, objections) = (contract().shape_allows(shape, &value), objections(read(&value)));
            prop_assert_eq!(
                allowed.is_ok(),
                objections.is_empty(),
                "{:#}\nthe shape: {:?}\nthe reader: {:?}",
                value,
                allowed,
                objections
            );
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{shape}: {error}"));
}

fn example(method_and_path: &str) -> Value {
    let example = format!("/paths/{method_and_path}/requestBody/content/application~1json/example");
    contract().document.pointer(&example).unwrap_or_else(|| panic!("no {example}")).clone()
}

/// The sound ones among what the scenarios have, by the reader.
fn sound(found: Vec<Value>, read: &impl Fn(&Value) -> Result<(), Problem>) -> Vec<Value> {
    found.into_iter().filter(|value| objections(read(value)).is_empty()).collect()
}

#[test]
fn of_questions() {
    let reader = QuestionReader::new(Arc::clone(&POLICY));
    let read = |value: &Value| reader.read(value, now(), || "minted".into()).map(drop);
    let whole = json!({
        "contact_id": "m", "customer": "c", "channel": "voice", "purpose": "service", "delivery": "human", "sender": "s",
        "campaign": "c", "category": "c", "brand": "b", "subject": "s", "send_at": "2026-11-16T12:00:00Z",
        "deadline": "2026-11-17T12:00:00Z", "audience": "facts.purchases >= 1", "time_zone": ["Europe/London", "Asia/Tokyo"],
        "regions": ["US-NY", "US"], "facts": {"a": 1, "b": {"value": [1], "as_of": "2026-01-01"}, "time_zone": "Asia/Tokyo",
        "regions": ["US"], "o": {"p": {"q": 1}}}, "content": {"subject": "", "body": "b", "media_type": "text/plain",
        "language": "en", "addressee": "A", "claims": ["care"]},
    });
    let asks = sound(scenarios("ask"), &read);
    assert!(asks.len() > 100, "{} asks", asks.len());
    let seeds: Vec<Value> = [example("~1v1~1preflight/post"), whole].into_iter().chain(asks).collect();
    agree("Question", &seeds, read);
}

#[test]
fn of_lines_of_a_batch() {
    let reader = QuestionReader::new(Arc::clone(&POLICY));
    let read =
        |value: &Value| read_line(&reader, value.to_string().as_bytes(), now(), || "minted".into()).map(drop);
    let line = json!({"customer": "c", "channel": "email", "purpose": "service", "delivery": "human", "priority": 2});
    agree("BatchLine", &[line], read);
}

#[test]
fn of_events() {
    let read = |value: &Value| {
        let mut errors = Vec::new();
        event::read(value, "", &POLICY, now(), None, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    };
    let told = |kind: &str, data: Value| json!({"specversion": "1.0", "id": "e", "source": "s", "type": kind, "subject": "c", "time": "2026-11-16T11:00:00Z", "data": data});
    let tags = json!({"contact_id": "m", "channel": "email", "purpose": "service", "delivery": "human", "campaign": "c", "claims": ["care"]});
    let mut seeds = vec![
        example("~1v1~1events/post"),
        told("contact.sent", tags.clone()),
        told("contact.sent", json!({"channel": "email", "by": "b", "through": "t"})),
        told("contact.failed", tags.clone()),
        told("contact.cancelled", json!({"contact_id": "m"})),
        told(
            "customer.unsubscribed",
            json!({"purposes": ["marketing"], "expires_at": "2027-01-01T00:00:00Z", "reason": "r", "source": "s"}),
        ),
        told("customer.unsubscribed", json!({"purposes": "all", "channel": "sms"})),
        told("customer.resubscribed", json!({"purposes": ["marketing"]})),
        told(
            "consent.granted",
            json!({"purpose": "marketing", "pending": true, "evidence": "e", "source": "s", "expires_at": null}),
        ),
        told("consent.withdrawn", json!({"evidence": "e"})),
        told("human.replied", tags.clone()),
        told("x.visited", json!({"by": 7, "anything": [1], "channel": "email"})),
    ];
    let tells = scenarios("tell").into_iter().map(|mut tell| {
        if let Some(members) = tell.as_object_mut() {
            for (name, value) in [("specversion", "1.0"), ("source", "s"), ("id", "e")] {
                members.entry(name).or_insert_with(|| value.into());
            }
        }
        tell
    });
    seeds.extend(sound(tells.collect(), &read));
    assert!(seeds.len() > 60, "{} events", seeds.len());
    agree("Event", &seeds, read);
}

#[test]
fn of_wishes() {
    let read = |value: &Value| read_wishes_body(value, &POLICY).map(drop);
    let mut seeds = vec![
        example("~1v1~1customers~1{customer}~1wishes/put"),
        json!({}),
        json!({"pause_until": "2027-01-01T00:00:00Z", "hours": {"sat-mon": ["09:00-10:00", "12:00-24:00"], "tue": []}}),
    ];
    seeds
        .extend(sound(scenarios("put").iter().filter_map(|put| put.get("wishes").cloned()).collect(), &read));
    assert!(seeds.len() > 10, "{} wishes", seeds.len());
    agree("WishesToSet", &seeds, read);
}

#[test]
fn of_facts() {
    let mut seeds = vec![
        example("~1v1~1customers~1{customer}~1facts/put"),
        json!({"time_zone": {"value": ["Asia/Tokyo"], "as_of": "2026-11-16T12:00:00Z"}, "regions": "US", "deep": [[{"a": 1}]]}),
    ];
    let read = |value: &Value| read_facts_body(value).map(drop);
    seeds.extend(sound(scenarios("put").iter().filter_map(|put| put.get("facts").cloned()).collect(), &read));
    assert!(seeds.len() > 10, "{} facts", seeds.len());
    agree("Facts", &seeds, read);
}

#[test]
fn of_suppressions() {
    let seeds = [
        example("~1v1~1customers~1{customer}~1suppressions~1{channel}/put"),
        json!(true),
        json!(false),
        json!(null),
        json!({"purposes": "all", "expires_at": "2027-01-01T00:00:00Z", "source": "s"}),
        json!({"purposes": ["marketing"]}),
    ];
    agree("SuppressionToSet", &seeds, |value| read_suppression_body("email", value, &POLICY).map(drop));
}

#[test]
fn of_follow_ups() {
    agree("ClaimOfFollowUp", &[json!({"by": "ravi"})], |value| follow_up::read_claim(value).map(drop));
    agree("Done", &[json!({"what": "called", "by": "ravi"})], |value| follow_up::read_done(value).map(drop));
}

#[test]
fn of_texts_whose_claims_are_read() {
    let seeds = [
        example("~1v1~1claims/post"),
        json!({"text": "", "id": 7, "subject": "s", "media_type": "m", "channel": null, "label": [1]}),
    ];
    agree("TextToRead", &seeds, |value| claims::read(value).map(drop));
}
