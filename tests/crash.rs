//! A process that dies at any instant has lost nothing that it answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harness::{Caller, Launch, Process, question, with};

/// How often the process is killed, and what it is asked before each time.
const KILLS: usize = 12;
const ANSWERS_BEFORE_A_KILL: u64 = 150;

/// What an answered allow said.
struct Answered {
    customer: String,
    contact_id: String,
    send_at: String,
}

/// Asks until the process dies under it, and notes every allow.
fn ask_until_it_dies(
    caller: &Caller,
    asker: usize,
    round: usize,
    answered: &Mutex<Vec<Answered>>,
    count: &AtomicU64,
) {
    for number in 0.. {
        let customer = format!("c-{asker}-{}", number % 40);
        let contact_id = format!("m-{round}-{asker}-{number}");
        let asked = with(question(&customer, "email"), &json!({"contact_id": contact_id}));
        let Ok(response) = caller.try_send("POST", "/v1/preflight", asked.to_string().as_bytes()) else {
            return;
        };
        count.fetch_add(1, Ordering::SeqCst);
        if response.verdict() == "allow" {
            let send_at = response.body["send_at"].as_str().expect("a moment").to_owned();
            answered.lock().expect("the list").push(Answered { customer, contact_id, send_at });
        }
    }
}

#[test]
fn killed_at_any_instant_it_keeps_every_answered_allow() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let policy = folder.path().join("policy.toml");
    let cap = "time_zone = \"UTC\"\n[[caps]]\nid = \"many\"\nlimit = 1000\nwindow = \"rolling 7d\"\n";
    std::fs::write(&policy, cap).expect("a policy");
    let start = || Process::start(&["--ledger", &ledger, "--policy", policy.to_str().expect("a path")]);

    let answered = Arc::new(Mutex::new(Vec::new()));
    for round in 0..KILLS {
        let mut process = start();
        let count = Arc::new(AtomicU64::new(0));
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let (caller, answered, count) =
                    (process.caller.clone(), Arc::clone(&answered), Arc::clone(&count));
                std::thread::spawn(move || ask_until_it_dies(&caller, asker, round, &answered, &count))
            })
            .collect();
        // Killed in the middle of answering, at another place each round.
        let enough = ANSWERS_BEFORE_A_KILL + round as u64 * 7;
        while count.load(Ordering::SeqCst) < enough {
            std::thread::yield_now();
        }
        process.kill();
        for asker in askers {
            asker.join().expect("an asker");
        }
    }

    let process = start();
    let answered = answered.lock().expect("the list");
    assert!(answered.len() as u64 >= KILLS as u64 * ANSWERS_BEFORE_A_KILL, "{} allows", answered.len());
    for Answered { customer, contact_id, send_at } in answered.iter() {
        let again =
            process.caller.ask(&with(question(customer, "email"), &json!({"contact_id": contact_id})));
        assert_eq!(again.verdict(), "allow", "{contact_id}");
        assert_eq!(again.body["send_at"], send_at.as_str(), "{contact_id} was lost, and judged afresh");
    }
    let kept = answered.iter().filter(|answered| answered.customer == "c-0-0").count() as u64;
    let used =
        process.caller.ask(&question("c-0-0", "email")).body["budgets"][0]["used"].as_u64().expect("a count");
    // What was decided and not yet answered when the process died may have been kept as well.
    assert!((kept + 1..=kept + 1 + KILLS as u64 * 4).contains(&used), "{used} used, {kept} answered");
}

#[test]
fn asked_to_stop_it_finishes_and_keeps_what_it_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let asked = with(question("c-1", "email"), &json!({"contact_id": "m-1"}));
    let mut process = Process::start(&["--ledger", &ledger]);
    let first = process.caller.ask(&asked);
    let (status, log) = process.terminate();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");

    let process = Process::start(&["--ledger", &ledger]);
    assert_eq!(process.caller.ask(&asked).body["send_at"], first.body["send_at"]);
}

#[test]
fn a_second_process_on_one_directory_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let _first = Process::start(&["--ledger", &ledger]);
    let said = Process::launch(&Launch { arguments: &["--ledger", &ledger], ..Launch::default() })
        .err()
        .expect("it does not start");
    assert!(said.contains("another process already uses the ledger"), "{said}");
}

/// The most tries at something that takes the process about a second.
const MOST_TRIES: usize = 200_000;

#[test]
fn on_a_full_disk_each_purpose_is_answered_as_its_policy_says_until_there_is_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    // The signal that goes with a file that may not grow is ignored, so that writing fails instead, as
    // it does on a full disk.
    let deaf = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let process =
        Process::launch(&Launch { wrapper: &deaf, arguments: &["--ledger", &ledger], ..Launch::default() })
            .unwrap_or_else(|log| panic!("it did not start: {log}"));
    let before = with(question("c-1", "email"), &json!({"contact_id": "m-1"}));
    let kept = process.caller.ask(&before);
    assert_eq!(kept.verdict(), "allow");

    process.limit_files_to("1");
    let marketing = process.caller.ask(&question("c-2", "email"));
    assert_eq!((marketing.verdict(), &marketing.body["degraded"]), ("defer", &json!(true)));
    assert_eq!(marketing.body["reasons"][0]["rule"], "blind");
    let receipt = process.caller.ask(&with(question("c-2", "email"), &json!({"purpose": "transactional"})));
    assert_eq!((receipt.verdict(), &receipt.body["degraded"]), ("allow", &json!(true)));
    let put = process.caller.put("/v1/customers/c-2/facts", &json!({"purchases": 1}));
    assert_eq!((put.status, put.content_type.as_str()), (503, "application/problem+json"));
    assert_eq!(process.caller.get("/readyz").status, 503);
    assert_eq!(process.caller.get("/livez").status, 200);

    process.limit_files_to("unlimited");
    let ready = (0..MOST_TRIES).any(|_| process.caller.get("/readyz").status == 200);
    assert!(ready, "it never came back");
    let again = process.caller.ask(&before);
    assert_eq!(again.body["send_at"], kept.body["send_at"], "what was answered before is still there");
    let afresh = process.caller.ask(&question("c-2", "email"));
    assert_eq!((afresh.verdict(), &afresh.body["degraded"]), ("allow", &json!(false)));
}
