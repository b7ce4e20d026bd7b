//! Bytes that an older version wrote are kept here, and must be readable for ever.

use std::path::Path;
use std::sync::Arc;

use contact_governor::domain::account::Provenance;
use contact_governor::domain::event::Event;
use contact_governor::domain::record::{Entry, Record};
use contact_governor::gate::ask::Wanted;
use contact_governor::gate::put::Put;
use contact_governor::gate::{Gate, Terms};
use contact_governor::ledger::memory::MemoryLedger;
use contact_governor::ledger::record_format::{decode, encode};
use contact_governor::policy::compile::compile;
use contact_governor::wire::event;
use contact_governor::wire::put::read_put;
use contact_governor::wire::question::QuestionReader;
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{at, event, question, with};

/// The same without what the first version did not know: the governor's own notes, who set the wishes.
fn record_of_version_1() -> Record {
    let mut record = record_with_what_there_always_was();
    let told = |event: &&Event| !event.kind.name().starts_with("governor.");
    let (contacts, events) =
        (record.contacts().to_vec(), record.events().iter().filter(told).cloned().collect());
    record.wishes_set = None;
    record.with_history(contacts, events)
}

/// A record with something of everything in it, the same each time.
fn record_with_everything() -> Record {
    let mut record = record_with_what_there_always_was();
    let text = "time_zone = \"UTC\"\n[purposes]\nmarketing = { when_blind = \"defer\" }\n";
    let policy = compile("p.toml", text).expect("a policy");
    let now = at("2026-11-16T13:00:00Z");
    let accounts =
        json!({"channel": "email", "purpose": "marketing", "evidence": "form-7", "source": "shop"});
    let events = [
        event("6", "consent.granted", "c", &with(accounts.clone(), &json!({"pending": true}))),
        event("7", "consent.withdrawn", "c", &accounts),
        event(
            "8",
            "customer.unsubscribed",
            "c",
            &json!({"purposes": ["marketing", "service"], "reason": "enough", "source": "desk", "by": "ravi",
                "through": "voice", "expires_at": "2027-02-01T00:00:00Z"}),
        ),
        event("9", "customer.resubscribed", "c", &json!({"channel": "sms", "purposes": ["service"]})),
    ];
    for told in &events {
        let told = event::read(told, "", &policy, now, None, &mut Vec::new()).expect("an event");
        assert!(record.tell(told.event));
    }
    record.wishes_set =
        Some(Provenance { at: now, by: Some("customer".into()), through: Some("wishes page".into()) });
    record
}

fn record_with_what_there_always_was() -> Record {
    let text = "time_zone = \"UTC\"\n[purposes]\nmarketing = { when_blind = \"defer\" }\n";
    let policy = Arc::new(compile("p.toml", text).expect("a policy"));
    let gate = Gate::new(Arc::clone(&policy), Arc::new(MemoryLedger::default()), Terms::default());
    let reader = QuestionReader::new(Arc::clone(&policy));
    let now = at("2026-11-16T12:00:00.123Z");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let tags = json!({"campaign": "autumn", "category": "wellness", "brand": "north", "subject": "s",
        "sender": "dialler-2", "content": {"claims": ["care", "generic_addressee"]}});
    for (index, id) in ["m-1", "0193a5f0-7e0c-7cc2-98c6-3c8f1f6a5a11", "0193A5F0-7E0C-7CC2-98C6-3C8F1F6A5A11"]
        .into_iter()
        .enumerate()
    {
        let asked = with(
            with(question("c", "email"), &tags),
            &json!({"contact_id": id, "send_at": format!("2026-11-{}T08:00:00Z", 20 + index)}),
        );
        let asked = reader.read(&asked, now, || "".into()).expect("a question");
        runtime.block_on(gate.ask(&asked, Wanted::default(), now)).expect("an answer");
    }
    let put = json!({"customer": "c", "suppressions": {"sms": true, "all": true, "mail": false},
        "facts": {"n": -3, "x": 1.5, "t": "Ä", "b": true, "l": [1, "two"], "o": {"k": {"value": 1}}},
        "wishes": {"at_most": [{"limit": 2, "window": "local 30 days", "channels": ["email"]}], "channels": ["email", "mail"],
            "hours": {"mon-fri": ["09:00-12:00", "14:00-24:00"]}, "pause_until": "2026-11-17T00:00:00Z"}});
    let (_, put): (_, Put) = read_put(&put, "", &policy).expect("a put");
    runtime.block_on(gate.put("c", &put, now)).expect("stored");
    let events = [
        event("1", "contact.sent", "c", &json!({"contact_id": "m-1", "channel": "sms"})),
        event("3", "x.visited", "c", &json!({"brand": "south"})),
        event("4", "customer.unsubscribed", "c", &json!({"channel": "voice", "purposes": "all"})),
        event("5", "consent.granted", "c", &json!({"channel": "sms", "expires_at": "2027-01-01T00:00:00Z"})),
    ];
    for told in &events {
        let told = event::read(told, "", &policy, now, None, &mut Vec::new()).expect("an event");
        runtime.block_on(gate.tell(&[told], now)).expect("told");
    }
    let mut record = Arc::unwrap_or_clone(runtime.block_on(gate.record("c")).expect("a record"));
    // What was sent before the horizon becomes a lifetime count; what is told of nobody known waits.
    record.compact(at("2026-11-20T00:00:00Z"), |_| true, |entry| matches!(entry, Entry::Event(_)));
    let unknown = event("2", "contact.failed", "c", &json!({"contact_id": "unknown"}));
    let unknown = event::read(&unknown, "", &policy, now, None, &mut Vec::new()).expect("an event");
    record.tell(unknown.event);
    assert!(!record.waiting.is_empty() && !record.tallies.is_empty());
    record
}

#[test]
fn what_version_1_wrote_is_still_read() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/v1-everything.bin");
    let bytes = std::fs::read(&file).expect("the stored bytes");
    assert_eq!(bytes[0], 1);
    assert_eq!(decode(&bytes).expect("a record"), record_of_version_1());
}

#[test]
fn what_version_2_wrote_is_still_read() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/v2-everything.bin");
    let bytes = std::fs::read(&file).expect("the stored bytes");
    assert_eq!(bytes[0], 2);
    assert_eq!(decode(&bytes).expect("a record"), record_with_everything());
}

#[test]
fn everything_in_a_record_survives_being_stored() {
    let record = record_with_everything();
    assert_eq!(decode(&encode(&record)).expect("a record"), record);
}

#[test]
fn ten_contacts_take_little_room() {
    let mut record = Record::default();
    let everything = record_with_everything();
    let contact = everything.contacts().iter().find(|contact| contact.id.len() == 36).expect("a contact");
    for number in 0..10 {
        let mut contact = contact.clone();
        contact.id = format!("0193a5f0-7e0c-7cc2-98c6-3c8f1f6a5a{number:02}").into();
        record.reserve(contact);
    }
    // The bar for a customer in Redis, key and all, is 600 bytes.
    assert!(encode(&record).len() < 500, "{} bytes", encode(&record).len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes that were damaged are an error or another record, never a panic or a hang.
    #[test]
    fn damaged_bytes_harm_nobody(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode(&record_with_everything());
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = decode(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = decode(&bytes);
    }
}
