//! The audit log tells who changed what, and shows it when anybody has been at its lines.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::decision_log::counted;
use crate::harness::{Caller, Launch, PROGRAM, Process, event};

const SECRET: &str = "an-audit-secret-that-is-long-enough";
const PAGE_SECRET: &str = "a-secret-of-the-wishes-page-of-32-characters";
const CUSTOMER: &str = "zaphod-4242";

fn settings(log: &Path) -> [(&str, &str); 2] {
    [("AUDIT__DIRECTORY", log.to_str().expect("a path")), ("AUDIT__SECRETS", SECRET)]
}

fn start(settings: &[(&str, &str)]) -> Process {
    Process::start_with(settings, &["--ledger", "memory:"])
}

fn files(log: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(log).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths
}

fn text(log: &Path) -> String {
    files(log).iter().map(|file| std::fs::read_to_string(file).expect("text")).collect()
}

fn told(log: &Path) -> Vec<Value> {
    text(log).lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
}

fn whats(log: &Path) -> Vec<String> {
    told(log).iter().map(|line| line["what"].as_str().expect("a word").to_owned()).collect()
}

/// What `audit verify` says, and its exit status.
fn verify(log: &Path, secret: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    command.args(["audit", "verify"]).arg(log).args(more);
    if !secret.is_empty() {
        command.env("CONTACT_GOVERNOR__AUDIT__SECRETS", secret);
    }
    let output = command.output().expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

fn send(caller: &Caller, method: &str, path: &str, body: &Value) -> u16 {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    caller.send(method, path, body.as_bytes()).status
}

fn halt(caller: &Caller, on: bool) -> u16 {
    send(caller, if on { "PUT" } else { "DELETE" }, "/v1/campaigns/autumn/halt", &Value::Null)
}

fn suppress(caller: &Caller, on: bool) -> u16 {
    let path = format!("/v1/customers/{CUSTOMER}/suppressions/sms");
    send(caller, if on { "PUT" } else { "DELETE" }, &path, &Value::Null)
}

/// A log of nine lines, of a process that is over.
fn nine_lines(log: &Path) {
    let mut process = start(&settings(log));
    for _ in 0..4 {
        assert_eq!((halt(&process.caller, true), halt(&process.caller, false)), (204, 204));
    }
    process.terminate();
    assert_eq!(told(log).len(), 9);
}

#[test]
fn every_change_is_told_of_and_no_customer_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let page = ("WISHES_PAGE__SECRET", PAGE_SECRET);
    let with_page = [settings(&log).to_vec(), vec![page]].concat();
    let mut process = start(&with_page);
    let caller = &process.caller;
    assert_eq!((halt(caller, true), halt(caller, false)), (204, 204));
    assert_eq!((suppress(caller, true), suppress(caller, false)), (204, 204));
    let wishes = json!({"channels": ["mail"], "by": "Ford Prefect"});
    assert_eq!(send(caller, "PUT", &format!("/v1/customers/{CUSTOMER}/wishes"), &wishes), 204);
    let events = json!([
        event("1", "customer.unsubscribed", CUSTOMER, &json!({"purposes": "all"})),
        event("2", "customer.complained", CUSTOMER, &json!({})),
        event("3", "customer.resubscribed", CUSTOMER, &json!({"channel": "email"})),
    ]);
    assert_eq!(caller.tell(&events).status, 202);
    let link = Command::new(PROGRAM)
        .args(["key", "wishes-link", "--customer", CUSTOMER, "--base", "https://x"])
        .env("CONTACT_GOVERNOR__WISHES_PAGE__SECRET", PAGE_SECRET)
        .output()
        .expect("the program runs");
    let link = String::from_utf8(link.stdout).expect("text");
    let path = link.trim().strip_prefix("https://x").expect("the base").to_owned();
    assert!(caller.send("POST", &path, b"do=stop").status < 400);
    assert_eq!(caller.send("DELETE", &format!("/v1/customers/{CUSTOMER}"), b"").status, 200);
    // What is not done for other reasons is not told of.
    assert_eq!(caller.put(&format!("/v1/customers/{CUSTOMER}/wishes"), &json!({"channels": 1})).status, 400);
    assert!(counted(caller, "contact_governor_audit_lines_total") >= 10);
    let (status, said) = process.terminate();
    assert_eq!(status, Some(0), "{said}");

    let lines = told(&log);
    let expected = [
        ("policy.in_force", "operator"),
        ("halt.set", "local"),
        ("halt.lifted", "local"),
        ("suppression.set", "local"),
        ("suppression.lifted", "local"),
        ("wishes.set", "local"),
        ("suppression.set", "local"),
        ("suppression.lifted", "local"),
        ("suppression.set", "customer"),
        ("customer.erased", "local"),
    ];
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line["what"].as_str().expect("a word"), line["who"].as_str().expect("somebody")))
        .collect();
    assert_eq!(seen, expected);
    assert_eq!(lines[0]["version"], "default");
    assert_eq!((&lines[3]["channel"], &lines[6]["purposes"]), (&json!("sms"), &json!(["all"])));
    let customers: Vec<_> = lines.iter().filter_map(|line| line["customer"].as_str()).collect();
    assert!(customers.len() == 7 && customers.iter().all(|one| *one == customers[0]), "{customers:?}");
    for hidden in [CUSTOMER, "Ford"] {
        assert!(!text(&log).contains(hidden), "{hidden}");
    }

    let (status, said) = verify(&log, SECRET, &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("10 lines, from ") && said.contains("The chain is whole"), "{said}");
    assert!(said.contains("Every line is sealed"), "{said}");
}

#[test]
fn damage_is_found_and_named() {
    type Damage = fn(&mut Vec<String>);
    let cases: [(&str, Damage, &str, &str); 10] = [
        ("changed", |lines| lines[3] = lines[3].replace("autumn", "spring"), SECRET, "line 4 (audit-"),
        (
            "changed, without the secret",
            |lines| lines[3] = lines[3].replace("autumn", "spring"),
            "",
            "line 5 carries another hash than that of line 4",
        ),
        (
            "the last one changed",
            |lines| lines[8] = lines[8].replace("local", "loyal"),
            SECRET,
            "line 9 (audit-",
        ),
        ("taken out", |lines| drop(lines.remove(4)), SECRET, "line 5 is missing"),
        ("several taken out", |lines| drop(lines.drain(2..5)), SECRET, "lines 3 to 5 are missing"),
        ("swapped", |lines| lines.swap(3, 4), SECRET, "line 4 stands after line 5: lines were reordered"),
        ("doubled", |lines| lines.insert(4, lines[2].clone()), SECRET, "line 3 stands there twice"),
        ("no JSON", |lines| lines[5] = "{\"line\":6}".to_owned(), SECRET, ":6 is no line of an audit log"),
        (
            "cut into",
            |lines| lines.push("{\"line\":10".to_owned()),
            SECRET,
            "ends in half a line of 10 bytes",
        ),
        ("empty", Vec::clear, SECRET, "There is no line."),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    nine_lines(&log);
    let file = &files(&log)[0];
    let sound = std::fs::read_to_string(file).expect("text");
    for (what, damage, secret, expected) in cases {
        let mut lines: Vec<String> = sound.lines().map(str::to_owned).collect();
        damage(&mut lines);
        let ending = if what == "cut into" || lines.is_empty() { "" } else { "\n" };
        std::fs::write(file, lines.join("\n") + ending).expect("written");
        let (status, said) = verify(&log, secret, &[]);
        assert!(said.contains(expected), "{what}: {said}");
        assert_eq!(status, Some(i32::from(what != "empty")), "{what}: {said}");
        assert!(what == "empty" || said.contains("in one place"), "{what}: {said}");
    }
}

#[test]
fn a_chain_made_anew_and_a_tail_cut_off_are_seen_by_the_secret_or_a_head() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    nine_lines(&log);
    let (_, said) = verify(&log, SECRET, &[]);
    let head = said.trim().rsplit_once(", ").expect("a head").1.trim_end_matches('.').to_owned();
    let (status, said) = verify(&log, SECRET, &["--head", &head]);
    assert!(status == Some(0) && said.contains("is the one that --head names"), "{said}");

    let mut process = start(&settings(&log));
    halt(&process.caller, true);
    process.terminate();
    let (status, said) = verify(&log, SECRET, &["--head", &head]);
    assert!(status == Some(0) && said.contains("--head names line 9; 2 lines were written since"), "{said}");

    let file = &files(&log)[0];
    let sound = std::fs::read_to_string(file).expect("text");
    let short: String = sound.lines().take(8).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(file, short).expect("written");
    // The chain alone cannot know.
    assert_eq!(verify(&log, SECRET, &[]).0, Some(0));
    let (status, said) = verify(&log, SECRET, &["--head", &head]);
    assert!(status == Some(1) && said.contains("the end of the log was cut off"), "{said}");

    let (status, said) = verify(&log, "another-secret-that-is-long-enough-too", &[]);
    assert!(status == Some(1) && said.contains("probably it is another log's secret"), "{said}");
    let (status, said) = verify(&log, "", &[]);
    assert!(status == Some(0) && said.contains("The seals were not looked at"), "{said}");
    assert_eq!(verify(&log, SECRET, &["--head", "12"]).0, Some(2));
    assert_eq!(verify(&folder.path().join("nowhere"), SECRET, &[]).0, Some(2));
}

#[test]
fn a_torn_line_is_cut_off_at_the_next_start_which_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let mut process = start(&settings(&log));
    halt(&process.caller, true);
    process.kill();
    let file = &files(&log)[0];
    let torn = std::fs::read_to_string(file).expect("text") + "{\"line\":3,\"at\":\"2026";
    std::fs::write(file, torn).expect("written");
    assert_eq!(verify(&log, SECRET, &[]).0, Some(1));
    let mut process = start(&settings(&log));
    halt(&process.caller, false);
    process.terminate();
    assert_eq!(whats(&log), ["policy.in_force", "halt.set", "audit.torn", "policy.in_force", "halt.lifted"]);
    let (status, said) = verify(&log, SECRET, &[]);
    assert!(status == Some(0) && said.contains("Half a line was cut off before line 3"), "{said}");
}

#[test]
fn on_a_full_disk_what_protects_customers_is_done_and_counted_and_all_else_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let launch = Launch {
        wrapper: &["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"],
        settings: &settings(&log),
        arguments: &["--ledger", "memory:"],
    };
    let mut process = Process::launch(&launch).unwrap_or_else(|log| panic!("it did not start: {log}"));
    let caller = &process.caller;
    process.limit_files_to("1");
    assert_eq!((halt(caller, true), suppress(caller, true)), (204, 204));
    let refused = caller.send("DELETE", "/v1/campaigns/autumn/halt", b"");
    assert_eq!(
        (refused.status, &refused.body["type"]),
        (503, &json!("urn:contact-governor:problem:audit-unavailable"))
    );
    let path = format!("/v1/customers/{CUSTOMER}");
    assert_eq!(caller.send("DELETE", &path, b"").status, 503);
    let back = event("1", "customer.resubscribed", CUSTOMER, &json!({}));
    assert_eq!(caller.tell(&back).status, 503);
    let known = caller.get(&path).body;
    assert!(known["suppressions"]["channels"]["sms"].is_object(), "{known}");
    assert_eq!(counted(caller, "contact_governor_audit_unwritten_total"), 2);

    process.limit_files_to("unlimited");
    assert_eq!(halt(caller, false), 204);
    let (_, said) = process.terminate();
    assert_eq!(said.matches("the audit log cannot be written").count(), 1, "{said}");
    assert_eq!(whats(&log), ["policy.in_force", "audit.gap", "halt.lifted"]);
    let (status, said) = verify(&log, SECRET, &[]);
    assert!(status == Some(0) && said.contains("Of 2 acts that protected customers"), "{said}");
}

#[test]
fn what_the_ledger_then_refuses_is_told_as_not_done() {
    use crate::harness::redis::RedisServer;

    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let mut redis = RedisServer::start(&[]);
    let mut process = Process::start_with(&settings(&log), &["--ledger", &redis.url()]);
    assert_eq!(halt(&process.caller, true), 204);
    redis.kill();
    assert_eq!(halt(&process.caller, false), 503);
    process.terminate();
    assert_eq!(whats(&log), ["policy.in_force", "halt.set", "halt.lifted", "not_done"]);
    assert_eq!(told(&log)[3]["lines"], json!([3]));
}

#[test]
fn files_rotate_chain_on_and_are_all_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let small = [settings(&log).to_vec(), vec![("AUDIT__MAX_FILE_BYTES", "1024")]].concat();
    let mut process = start(&small);
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let caller = process.caller.clone();
            std::thread::spawn(move || (0..5).for_each(|_| assert_eq!(halt(&caller, true), 204)))
        })
        .collect();
    for asker in askers {
        asker.join().expect("an asker");
    }
    process.terminate();
    let files = files(&log);
    assert!(files.len() > 5, "{files:?}");
    let (status, said) = verify(&log, SECRET, &[]);
    assert!(status == Some(0) && said.contains(&format!("21 lines in {} files", files.len())), "{said}");
    // One file alone, and the folder without one.
    let (status, said) = verify(&files[2], SECRET, &[]);
    assert!(status == Some(0) && said.contains("It begins with line"), "{said}");
    std::fs::remove_file(&files[3]).expect("removed");
    let (status, said) = verify(&log, SECRET, &[]);
    assert!(status == Some(1) && said.contains("missing"), "{said}");
}

#[test]
fn what_cannot_be_audited_as_it_is_set_is_refused_at_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let refused = |settings: &[(&str, &str)], expected: &str| {
        let launch = Launch { settings, arguments: &["--ledger", "memory:"], ..Launch::default() };
        let said = Process::launch(&launch).err().unwrap_or_else(|| panic!("{expected}: it started"));
        assert!(said.contains(expected), "{said}");
    };
    refused(&settings(&log)[..1], "audit.secrets: the audit log needs a secret");
    let process = start(&settings(&log));
    refused(&settings(&log), "another process already writes in");
    drop(process);
    std::fs::write(&files(&log)[0], "something else\n").expect("written");
    refused(&settings(&log), "last line cannot be gone on from");
}

#[test]
fn an_import_into_the_ledger_itself_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("audit");
    let (data, list) = (folder.path().join("data"), folder.path().join("list.csv"));
    std::fs::write(&list, "customer\nc-1\n").expect("written");
    let import = Command::new(PROGRAM)
        .args(["import", "suppressions", list.to_str().expect("a path"), "--ledger"])
        .arg(format!("embedded:{}", data.display()))
        .envs(settings(&log).iter().map(|(name, value)| (format!("CONTACT_GOVERNOR__{name}"), *value)))
        .output()
        .expect("the program runs");
    assert_eq!(import.status.code(), Some(0), "{}", String::from_utf8_lossy(&import.stderr));
    let lines = told(&log);
    assert_eq!((&lines[0]["what"], &lines[0]["kind"]), (&json!("import.begun"), &json!("suppressions")));
}
