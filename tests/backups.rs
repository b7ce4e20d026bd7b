//! What docs/operating.md says of backups: what was copied that way, and put back, is all there.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Process, event, is_soon, question, with};

/// A life with something of everything that a record can hold, of somebody who stays and of somebody who was erased.
fn live(caller: &Caller) {
    let reserved = with(question("ada", "email"), &json!({"contact_id": "m-1"}));
    assert_eq!(caller.ask(&reserved).verdict(), "allow");
    assert_eq!(caller.put("/v1/customers/ada/wishes", &json!({"channels": ["email"]})).status, 204);
    assert_eq!(caller.put("/v1/customers/ada/facts", &json!({"purchases": 3})).status, 204);
    assert_eq!(caller.put("/v1/customers/ada/suppressions/sms", &json!(true)).status, 204);
    let complained = event("e-1", "customer.complained", "ada", &json!({"channel": "email"}));
    assert_eq!(caller.tell(&complained).status, 202);
    let consented =
        event("e-2", "consent.granted", "ada", &json!({"channel": "voice", "evidence": "form 7"}));
    assert_eq!(caller.tell(&consented).status, 202);
    assert_eq!(caller.put("/v1/campaigns/autumn/halt", &json!(null)).status, 204);
    assert_eq!(caller.ask(&question("ada", "email")).verdict(), "defer");

    assert_eq!(caller.put("/v1/customers/erased/suppressions/all", &json!(true)).status, 204);
    assert_eq!(caller.send("DELETE", "/v1/customers/erased", b"").status, 200);
    // Refusals are noted after the answer.
    assert!(is_soon(|| caller.get("/v1/customers/ada/export").body["refusals"][0]["verdict"] == "defer"));
}

/// Everything that is known, but for when it was asked for.
fn known(caller: &Caller) -> Value {
    let mut export = caller.get("/v1/customers/ada/export").body;
    export.as_object_mut().expect("an export").remove("exported_at");
    // Told in its own time to whoever listens.
    export["events"].as_array_mut().expect("events").retain(|event| event["type"] != "governor.announced");
    let halted = with(question("somebody", "email"), &json!({"campaign": "autumn"}));
    let because = |question: &Value| {
        let answer = caller.ask(question).body;
        assert_eq!(answer["degraded"], json!(false), "{answer}");
        json!([answer["verdict"], answer["reasons"][0]["rule"]])
    };
    json!({
        "ada": export,
        "budgets": caller.get("/v1/customers/ada").body["budgets"],
        "follow_ups": caller.get("/v1/follow-ups").body,
        "halted": because(&halted),
        // Found only by whoever has the key of the names under which the erased are kept.
        "erased": because(&question("erased", "email")),
    })
}

/// Asks for new contacts, and notes which were allowed, until it is told to stop.
struct Load {
    allowed: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    asker: Option<JoinHandle<()>>,
}

fn of(number: usize) -> Value {
    let id = format!("m-{number}");
    with(question(&format!("c-{number}"), "email"), &json!({"contact_id": id}))
}

impl Load {
    /// Begins, and returns once some were allowed.
    fn begin(caller: &Caller) -> Self {
        let (allowed, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let asker = std::thread::spawn({
            let (caller, allowed, is_over) = (caller.clone(), Arc::clone(&allowed), Arc::clone(&is_over));
            move || {
                for number in 0.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let answer = caller.ask(&of(number)).body;
                    assert_eq!(answer["verdict"], "allow", "{answer}");
                    allowed.lock().expect("the list").push(answer["send_at"].to_string());
                }
            }
        });
        let load = Self { allowed, is_over, asker: Some(asker) };
        assert!(is_soon(|| load.answered().len() > 50));
        load
    }

    /// When each contact that was answered so far is to be made.
    fn answered(&self) -> Vec<String> {
        self.allowed.lock().expect("the list").clone()
    }

    fn end(mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.asker.take().map(JoinHandle::join).expect("an asker").expect("every answer");
    }
}

/// Every contact is still the one that was answered, and not judged anew.
fn has_all(caller: &Caller, answered: &[String]) {
    for (number, send_at) in answered.iter().enumerate() {
        let again = caller.ask(&of(number)).body;
        assert_eq!(again["send_at"].to_string(), *send_at, "contact {number} of {}", answered.len());
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(status.success(), "{} was not copied", from.display());
}

fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill");
    assert!(status.success(), "{signal}");
}

fn embedded(directory: &Path) -> Process {
    Process::start(&["--ledger", &format!("embedded:{}", directory.display())])
}

#[test]
fn the_copy_of_a_stopped_ledgers_directory_is_all_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let mut process = embedded(&data);
    live(&process.caller);
    let before = known(&process.caller);
    assert_eq!(before["halted"], json!(["deny", "halt"]));
    assert_eq!(before["erased"], json!(["deny", "suppression"]));
    assert_eq!(before["follow_ups"]["follow_ups"].as_array().map(Vec::len), Some(1));
    process.terminate();
    copy(&data, &backup);
    assert_eq!(known(&embedded(&backup).caller), before);
}

#[test]
fn the_copy_of_a_frozen_ledgers_directory_has_everything_that_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let process = embedded(&data);
    live(&process.caller);
    let before = known(&process.caller);
    let load = Load::begin(&process.caller);
    signal(process.pid(), "-STOP");
    let stat = format!("/proc/{}/stat", process.pid());
    assert!(is_soon(|| std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T "))));
    let answered = load.answered();
    copy(&data, &backup);
    signal(process.pid(), "-CONT");
    load.end();

    let restored = embedded(&backup);
    assert_eq!(known(&restored.caller), before);
    has_all(&restored.caller, &answered);
}

fn on(redis: &RedisServer) -> Process {
    Process::start(&["--ledger", &redis.url()])
}

#[test]
fn redis_comes_back_from_a_snapshot_with_everything_that_was_answered_before_it() {
    let redis = RedisServer::start(&[]);
    let process = on(&redis);
    live(&process.caller);
    let before = known(&process.caller);
    let load = Load::begin(&process.caller);
    let answered = load.answered();
    redis.command::<String>(&["BGSAVE"]);
    assert!(is_soon(|| {
        let info: String = redis.command(&["INFO", "persistence"]);
        info.contains("rdb_bgsave_in_progress:0") && info.contains("rdb_last_bgsave_status:ok")
    }));
    let backup = tempfile::tempdir().expect("a folder");
    copy(&redis.folder().join("dump.rdb"), backup.path());
    load.end();

    // Without a log first: a server that is to keep one looks for one, and never into the snapshot.
    let restored = RedisServer::start(&["--dir", backup.path().to_str().expect("a path")]);
    restored.command::<String>(&["CONFIG", "SET", "appendonly", "yes"]);
    let process = on(&restored);
    assert_eq!(known(&process.caller), before);
    has_all(&process.caller, &answered);
}

#[test]
fn redis_comes_back_from_its_log_copied_while_it_is_written() {
    let keeping = ["--appendonly", "yes"];
    let redis = RedisServer::start(&keeping);
    let process = on(&redis);
    live(&process.caller);
    let before = known(&process.caller);
    let load = Load::begin(&process.caller);
    // A log that is rewritten meanwhile would be copied in parts of two.
    redis.command::<String>(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"]);
    let answered = load.answered();
    let backup = tempfile::tempdir().expect("a folder");
    copy(&redis.folder().join("appendonlydir"), backup.path());
    load.end();

    let restored =
        RedisServer::start(&[&keeping[..], &["--dir", backup.path().to_str().expect("a path")]].concat());
    let process = on(&restored);
    assert_eq!(known(&process.caller), before);
    has_all(&process.caller, &answered);
}
