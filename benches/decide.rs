//! The core alone: what one decision costs, and how that grows with the record and the policy.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a benchmark that is set up wrongly should stop")]

use std::sync::Arc;

use contact_governor::decide::decide;
use contact_governor::domain::contact::{Contact, Standing};
use contact_governor::domain::halts::Halts;
use contact_governor::domain::moment::{HOUR_MS, Moment};
use contact_governor::domain::question::Question;
use contact_governor::domain::record::Record;
use contact_governor::domain::words::{Delivery, Tags};
use contact_governor::ledger::record_format;
use contact_governor::policy::Policy;
use contact_governor::policy::compile::compile;
use contact_governor::wire::answer::AnswerBody;
use contact_governor::wire::question::QuestionReader;
use divan::{Bencher, black_box};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

fn now() -> Moment {
    Moment::from_millis(1_795_000_000_000)
}

fn default_policy() -> Arc<Policy> {
    Arc::new(
        compile("policy.toml", include_str!("../config/policy.toml"))
            .unwrap_or_else(|error| panic!("{error}")),
    )
}

/// Fifty rules of all kinds, none of which an e-mail of the benchmark breaks.
fn fifty_rules() -> Arc<Policy> {
    let mut text = "time_zone = \"America/New_York\"\n".to_owned();
    let windows = ["rolling 7d", "rolling 24h", "calendar week", "local 7 days", "rolling 14d"];
    for number in 0..30 {
        let window = windows[number % windows.len()];
        text += &format!("[[caps]]\nid = \"cap-{number}\"\nlimit = 900\nwindow = \"{window}\"\n");
    }
    for number in 0..10 {
        text += &format!("[[holds]]\nid = \"hold-{number}\"\nafter = \"x.event-{number}\"\nfor = \"7d\"\n");
    }
    for number in 0..5 {
        text += &format!(
            "[[contact_hours]]\nid = \"hours-{number}\"\nopen = {{ mon-sun = [\"00:00-24:00\"] }}\n"
        );
    }
    for number in 0..5 {
        text += &format!(
            "[[requirements]]\nid = \"needs-{number}\"\nclaims = [\"value\"]\nrequires = \"facts.n > {number}\"\n"
        );
    }
    Arc::new(compile("fifty.toml", &text).unwrap_or_else(|error| panic!("{error}")))
}

/// Contacts spread evenly over the 400 days that records keep.
fn record(contacts: usize) -> Record {
    let channels = ["email", "sms", "mail", "voice"];
    let gap_ms = 400 * 24 * HOUR_MS / contacts.max(1) as i64;
    let contact = |number: usize| {
        let at = Moment::from_millis(now().millis() - gap_ms * (contacts - number) as i64);
        Contact {
            id: format!("0193a5f0-7e0c-7cc2-98c6-{number:012}").into(),
            question: None,
            tags: Tags {
                channel: Some(channels[number % 4].into()),
                purpose: Some("marketing".into()),
                delivery: Some(Delivery::Template),
                campaign: Some(format!("campaign-{}", number / 10).into()),
                ..Tags::default()
            },
            at,
            reserved_at: at,
            standing: Standing::Sent,
            told_at: Some(at),
        }
    };
    Record::default().with_history((0..contacts).map(contact).collect(), Vec::new())
}

fn asked() -> Value {
    json!({"contact_id": "0193a5f0-7e0c-7cc2-98c6-3c8f1f6a5a11", "customer": "c-1001", "channel": "email",
        "purpose": "marketing", "delivery": "template", "campaign": "autumn-wellness", "sender": "mailer-2"})
}

fn question(policy: &Arc<Policy>) -> Question {
    let reader = QuestionReader::new(Arc::clone(policy));
    reader.read(&asked(), now(), || "".into()).unwrap_or_else(|problem| panic!("{}", problem.detail))
}

fn deciding(bencher: Bencher<'_, '_>, policy: &Arc<Policy>, contacts: usize) {
    let (record, question, halts) = (record(contacts), question(policy), Halts::default());
    bencher.bench(|| decide(policy, &halts, black_box(&record), black_box(&question), now()));
}

/// The default policy, an ordinary customer.
#[divan::bench]
fn default_policy_20_contacts(bencher: Bencher<'_, '_>) {
    deciding(bencher, &default_policy(), 20);
}

/// Fifty rules, a short record and a long one.
#[divan::bench(args = [10, 100, 1_000])]
fn fifty_rules_by_contacts(bencher: Bencher<'_, '_>, contacts: usize) {
    deciding(bencher, &fifty_rules(), contacts);
}

/// A refusal with its search for the moment.
#[divan::bench]
fn default_policy_refusal(bencher: Bencher<'_, '_>) {
    let policy = default_policy();
    let mut record = record(20);
    for hours in [100, 60, 30] {
        let mut contact = record.contacts()[0].clone();
        contact.id = format!("recent-{hours}").into();
        contact.at = Moment::from_millis(now().millis() - hours * HOUR_MS);
        contact.reserved_at = contact.at;
        record.reserve(contact);
    }
    let (question, halts) = (question(&policy), Halts::default());
    bencher.bench(|| decide(&policy, &halts, black_box(&record), black_box(&question), now()));
}

#[divan::bench]
fn read_a_question(bencher: Bencher<'_, '_>) {
    let reader = QuestionReader::new(default_policy());
    let body = asked().to_string();
    bencher.bench(|| {
        let value: Value = serde_json::from_str(black_box(&body)).unwrap_or_default();
        reader.read(&value, now(), || "".into()).is_ok()
    });
}

#[divan::bench]
fn write_an_answer(bencher: Bencher<'_, '_>) {
    let policy = default_policy();
    let decision = decide(&policy, &Halts::default(), &record(20), &question(&policy), now());
    let answer = decision.unwrap_or_else(|misuses| panic!("{misuses:?}")).answer;
    bencher.bench(|| serde_json::to_vec(&AnswerBody { at: None, answer: black_box(&answer) }));
}

#[divan::bench(args = [10, 20, 1_000])]
fn decode_a_record(bencher: Bencher<'_, '_>, contacts: usize) {
    let bytes = record_format::encode(&record(contacts));
    bencher.bench(|| record_format::decode(black_box(&bytes)));
}

#[divan::bench(args = [10, 20, 1_000])]
fn encode_a_record(bencher: Bencher<'_, '_>, contacts: usize) {
    let record = record(contacts);
    bencher.bench(|| record_format::encode(black_box(&record)));
}
