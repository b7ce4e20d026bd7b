//! The decision log is what `simulate` reads: the same verdicts come of it, nobody's words or ids are in it, and
//! whatever happens to the process or the disk, asks go on and lines are whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use contact_governor::decision_log::DecisionLog;
use contact_governor::gate::{Gate, Terms};
use contact_governor::ledger::memory::MemoryLedger;
use contact_governor::policy::compile::compile;
use contact_governor::settings::{DecisionLogSettings, LogTo, LoggedIds};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command_line::{lines, run};
use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Launch, Process, at, event, question, time_until, with};

pub const WRITTEN: &str = "contact_governor_decision_log_lines_total";
pub const DROPPED: &str = "contact_governor_decision_log_dropped_total";
const SECRET: &str = "a-secret-that-is-long-enough-for-anybody";
const TEXT: &str = "We are so sorry about the squirrel";

fn to_folder(folder: &Path) -> String {
    format!("file:{}", folder.display())
}

/// Every file's contents, oldest first.
fn files(folder: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect()
}

fn logged(folder: &Path) -> Vec<Value> {
    files(folder).concat().lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
}

/// Without a policy's hours, so that it matters to no test when it runs.
fn policy(folder: &Path) -> String {
    let file = folder.join("policy.toml");
    let text = "time_zone = \"UTC\"\n\
                [[caps]]\nid = \"two-a-week\"\nlimit = 2\nwindow = \"rolling 7d\"\n\
                [[holds]]\nid = \"heard-first\"\nafter = \"conversation.opened\"\n\
                until = \"conversation.answered\"\npurposes = [\"marketing\"]\nfor = \"30d\"\n\
                [[requirements]]\nid = \"sorry-in-person\"\nclaims = [\"apology\"]\n\
                requires = \"delivery == 'human'\"\nverdict = \"handoff\"\n\
                [[requirements]]\nid = \"buyers-only\"\ncategories = [\"loyalty\"]\n\
                requires = \"facts.purchases >= 3\"\nverdict = \"deny\"\n\
                [[follow_ups]]\nkind = \"handoff\"\nafter = \"handoff\"\nwithin = \"4h\"\n";
    std::fs::write(&file, text).expect("written");
    file.to_str().expect("a path").to_owned()
}

fn start(settings: &[(&str, &str)], policy: &str) -> Process {
    Process::start_with(settings, &["--ledger", "memory:", "--policy", policy])
}

/// Something of everything; the answers to what was asked.
fn a_day(caller: &Caller) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut ask = |members: &Value| {
        let answer = caller.ask(&with(question("anna-secret", "email"), members));
        assert_eq!(answer.status, 200, "{answer:?}");
        answers.push(answer.body);
    };
    let told = |kind: &str, data: &Value| {
        let told = with(event(kind, kind, "anna-secret", data), &json!({"extension": "anna-secret again"}));
        assert_eq!(caller.tell(&told).status, 202);
    };
    let put = |path: &str, body: &Value| {
        let path = format!("/v1/customers/anna-secret/{path}");
        assert_eq!(caller.put(&path, body).status, 204, "{path}");
    };
    let first = json!({"contact_id": "mail-secret-1", "content": {"subject": "Hello", "body": "Your parcel is on its way."}});
    ask(&first);
    ask(&first);
    ask(&json!({"content": {"subject": "", "body": TEXT, "addressee": "Anna Secret"}}));
    ask(&json!({"category": "loyalty"}));
    put("facts", &json!({"purchases": 4}));
    ask(&json!({"category": "loyalty"}));
    ask(&json!({}));
    told("contact.cancelled", &json!({"contact_id": "mail-secret-1"}));
    told("conversation.opened", &json!({"channel": "email"}));
    ask(&json!({"campaign": "autumn"}));
    told("conversation.answered", &json!({}));
    assert_eq!(caller.put("/v1/campaigns/autumn/halt", &json!({})).status, 204);
    ask(&json!({"campaign": "autumn"}));
    assert_eq!(caller.send("DELETE", "/v1/campaigns/autumn/halt", b"").status, 204);
    ask(&json!({"campaign": "autumn"}));
    put("suppressions/sms", &json!({"reason": "said anna-secret", "by": "anna-secret"}));
    ask(&json!({"channel": "sms"}));
    put("wishes", &json!({"channels": ["mail"], "pause_until": "2100-01-01T00:00:00Z", "by": "anna-secret"}));
    ask(&json!({"purpose": "relationship"}));
    answers
}

fn verdicts(answers: &[Value]) -> Vec<(String, Value)> {
    let rules = |answer: &Value| {
        let reasons = answer["reasons"].as_array().expect("reasons");
        reasons.iter().map(|reason| reason["rule"].clone()).collect()
    };
    answers
        .iter()
        .map(|answer| (answer["verdict"].as_str().unwrap_or("-").to_owned(), rules(answer)))
        .collect()
}

#[test]
fn what_was_answered_is_answered_again_and_texts_are_not_there() {
    log_and_replay("clear");
}

#[test]
fn with_digests_no_id_is_there_either() {
    log_and_replay("digest");
}

fn log_and_replay(ids: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let settings = [("DECISION_LOG__TO", &*to), ("DECISION_LOG__IDS", ids), ("DECISION_LOG__SECRET", SECRET)];
    let mut process = start(&settings, &policy);
    let answers = a_day(&process.caller);
    let (status, said) = process.terminate();
    assert_eq!(status, Some(0), "{said}");
    let given: Vec<_> = verdicts(&answers).into_iter().map(|(verdict, _)| verdict).collect();
    let expected =
        ["allow", "allow", "handoff", "deny", "allow", "defer", "defer", "deny", "allow", "deny", "deny"];
    assert_eq!(given, expected);

    let text = files(&log).concat();
    for hidden in [TEXT, "squirrel", "parcel", "Hello"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert!(text.contains("apology") && !text.contains("again"), "{text}");
    for id in ["anna-secret", "Anna Secret", "mail-secret-1"] {
        assert_eq!(text.contains(id), ids == "clear", "{id} in {text}");
    }
    let replayed = run(&["simulate", "--policy", &policy, "--answered"], &text);
    let replayed = lines(&replayed);
    assert!(replayed.iter().all(|line| line["problem"].is_null()), "{replayed:?}");
    let again: Vec<Value> = replayed.into_iter().filter(|line| line["verdict"].is_string()).collect();
    assert_eq!(verdicts(&again), verdicts(&answers));
    assert!(again.iter().all(|line| line["answered"]["differs"] == false), "{again:?}");
    let customers: Vec<_> =
        logged(&log).iter().filter_map(|line| line["ask"]["customer"].as_str().map(str::to_owned)).collect();
    assert!(customers.iter().all(|customer| *customer == customers[0]), "one digest: {customers:?}");
}

#[test]
fn a_follow_up_that_is_done_is_a_reply() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let mut process = start(&[("DECISION_LOG__TO", &to), ("DECISION_LOG__IDS", "clear")], &policy);
    let handed =
        process.caller.ask(&with(question("c", "email"), &json!({"content": {"claims": ["apology"]}})));
    let follow_up = handed.body["follow_up"]["id"].as_str().expect("a follow-up").to_owned();
    let done = process.caller.send(
        "POST",
        &format!("/v1/follow-ups/{follow_up}/done"),
        json!({"what": "called", "by": "eve"}).to_string().as_bytes(),
    );
    assert_eq!(done.status, 204, "{done:?}");
    process.terminate();
    let lines = logged(&log);
    assert_eq!(
        (&lines[1]["tell"]["type"], &lines[1]["tell"]["subject"]),
        (&json!("human.replied"), &json!("c"))
    );
    assert!(lines[0]["answered"]["policy"]["hash"].is_string(), "{}", lines[0]);
}

#[test]
fn files_rotate_and_the_oldest_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let settings = [
        ("DECISION_LOG__TO", &*to),
        ("DECISION_LOG__IDS", "clear"),
        ("DECISION_LOG__MAX_FILE_BYTES", "2000"),
        ("DECISION_LOG__MAX_FILES", "3"),
    ];
    let mut process = start(&settings, &policy);
    for number in 0..60 {
        process.caller.ask(&question(&format!("c-{number}"), "email"));
    }
    process.terminate();
    let files = files(&log);
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| file.len() <= 2_000 && file.ends_with('\n')), "{files:?}");
    let last = logged(&log).pop().expect("a line");
    assert_eq!(last["ask"]["customer"], "c-59");
}

#[test]
fn killed_under_load_it_leaves_whole_lines_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let settings = [("DECISION_LOG__TO", &*to), ("DECISION_LOG__IDS", "clear")];
    let mut process = start(&settings, &policy);
    let askers: Vec<_> = (0..3)
        .map(|asker| {
            let caller = process.caller.clone();
            std::thread::spawn(move || {
                let ask = |number: u32| {
                    let asked = question(&format!("c-{asker}-{number}"), "email").to_string();
                    caller.try_send("POST", "/v1/preflight", asked.as_bytes()).is_ok()
                };
                (0..u32::MAX).take_while(|number| ask(*number)).count()
            })
        })
        .collect();
    time_until(|| files(&log).concat().lines().count() > 2);
    process.kill();
    let answered: usize = askers.into_iter().map(|asker| asker.join().expect("an asker")).sum();
    // As if the last line had been cut by the power that went.
    let torn = std::fs::read_dir(&log)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .expect("a file");
    let bytes = std::fs::read(&torn).expect("bytes");
    std::fs::write(&torn, &bytes[..bytes.len() - 5]).expect("cut");
    let mut process = start(&settings, &policy);
    process.caller.ask(&question("after", "email"));
    let (_, said) = process.terminate();
    let lines = logged(&log);
    assert!(lines.len() > 1 && lines.len() <= answered + 4, "{} of {answered}: {said}", lines.len());
    assert_eq!(lines.last().expect("a line")["ask"]["customer"], "after");
}

/// Of a counter in `/metrics`.
pub fn counted(caller: &Caller, name: &str) -> u64 {
    let metrics = caller.get("/metrics").body;
    let line =
        metrics.as_str().expect("text").lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.expect("a counter").parse().expect("a number")
}

#[test]
fn on_a_full_disk_asks_go_on_and_lines_are_counted_until_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let launch = Launch {
        wrapper: &["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"],
        settings: &[("DECISION_LOG__TO", &to), ("DECISION_LOG__IDS", "clear")],
        arguments: &["--ledger", "memory:", "--policy", &policy],
    };
    let mut process = Process::launch(&launch).unwrap_or_else(|log| panic!("it did not start: {log}"));
    let ask =
        |customer: &str| assert_eq!(process.caller.ask(&question(customer, "email")).verdict(), "allow");
    ask("before");
    time_until(|| counted(&process.caller, WRITTEN) == 1);
    process.limit_files_to("1");
    ask("lost-1");
    time_until(|| counted(&process.caller, DROPPED) == 1);
    // Room for half a line: it is cut off again at once.
    let whole = files(&log).concat();
    process.limit_files_to(&(whole.len() + 30).to_string());
    ask("lost-2");
    time_until(|| counted(&process.caller, DROPPED) == 2);
    assert_eq!(files(&log).concat(), whole);
    process.limit_files_to("unlimited");
    ask("after");
    time_until(|| counted(&process.caller, WRITTEN) == 2);
    let (_, said) = process.terminate();
    assert_eq!(said.matches("the decision log cannot be written").count(), 1, "{said}");
    assert!(said.contains("written again") && said.contains("lost=2"), "{said}");
    let customers: Vec<_> = logged(&log).iter().map(|line| line["ask"]["customer"].clone()).collect();
    assert_eq!(customers, ["before", "after"]);
}

#[test]
fn a_stream_in_redis_holds_the_same_lines() {
    let server = RedisServer::shared();
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let policy = policy(folder.path());
    let settings = [
        ("DECISION_LOG__TO", "redis-stream"),
        ("DECISION_LOG__SECRET", SECRET),
        ("REDIS__KEY_PREFIX", "decisions-test:"),
    ];
    let mut process = Process::start_with(&settings, &["--ledger", &server.url(), "--policy", &policy]);
    let answers = a_day(&process.caller);
    process.terminate();
    let entries: Vec<(String, Vec<String>)> =
        server.command(&["XRANGE", "decisions-test:decisions", "-", "+"]);
    let text = entries.into_iter().map(|(_, mut fields)| fields.remove(1)).collect::<Vec<_>>().join("\n");
    let replayed = lines(&run(&["simulate", "--policy", &policy], &text));
    let again: Vec<Value> = replayed.into_iter().filter(|line| line["verdict"].is_string()).collect();
    assert_eq!(verdicts(&again), verdicts(&answers));
}

#[test]
fn what_cannot_be_logged_as_it_is_set_is_refused_at_start() {
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("DECISION_LOG__TO", "file:/tmp/x")], "decision_log.secret"),
        (&[("DECISION_LOG__TO", "redis-stream"), ("DECISION_LOG__IDS", "clear")], "needs a ledger in Redis"),
        (&[("DECISION_LOG__TO", "/tmp/x"), ("DECISION_LOG__IDS", "clear")], "neither `file:DIR` nor"),
        (&[("DECISION_LOG__IDS", "hidden")], "neither `digest` nor `clear`"),
    ];
    for (settings, expected) in cases {
        let launch = Launch { settings, arguments: &["--ledger", "memory:"], ..Launch::default() };
        let said = Process::launch(&launch).err().expect("it does not start");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_batch_is_logged_line_by_line_and_a_dry_run_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let mut process = start(&[("DECISION_LOG__TO", &to), ("DECISION_LOG__IDS", "clear")], &policy);
    let lines = format!("{}\n", question("c", "email")).repeat(3);
    for query in ["?dry_run=true", ""] {
        let url = format!("http://{}/v1/preflight/batch{query}", process.caller.address());
        let sent = ureq::post(&url).header("content-type", "application/x-ndjson").send(&lines);
        assert_eq!(sent.expect("answers").body_mut().read_to_string().expect("text").lines().count(), 3);
    }
    process.terminate();
    let verdicts: Vec<Value> = logged(&log).iter().map(|line| line["answered"]["verdict"].clone()).collect();
    assert_eq!(verdicts, ["allow", "allow", "defer"]);
}

#[test]
fn lines_stay_in_order_when_the_clock_is_set_back_between_two_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = LogTo::Files { directory: folder.path().to_owned(), max_file_bytes: 100, max_files: 9 };
    let settings = DecisionLogSettings { to, ids: LoggedIds::Clear };
    let policy = Arc::new(compile("policy.toml", "time_zone = \"UTC\"").expect("a policy"));
    let gate = Arc::new(Gate::new(policy, Arc::new(MemoryLedger::default()), Terms::default()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for moment in [
        "2026-11-16T13:00:00Z",
        "2026-11-16T12:20:00Z",
        "2026-11-16T13:00:00.500Z",
        // A clock that was wrong by far is not followed; those lines can be sorted.
        "2026-11-16T08:00:00Z",
        "2026-11-16T07:30:00Z",
    ] {
        let log = DecisionLog::open(&settings, &gate).expect("a log");
        log.halted("autumn", true, at(moment));
        runtime.block_on(log.write_waiting());
    }
    let moments: Vec<Value> = logged(folder.path()).iter().map(|line| line["at"].clone()).collect();
    let expected = ["13:00:00.000", "13:00:00.000", "13:00:00.500", "08:00:00.000", "08:00:00.000"];
    assert_eq!(moments, expected.map(|time| format!("2026-11-16T{time}Z")));
    let replayed = lines(&run(&["simulate"], &files(folder.path()).concat()));
    let problems: Vec<u64> = replayed.iter().filter_map(|line| line["problem"]["line"].as_u64()).collect();
    assert_eq!(problems, [4, 5]);
}

/// Two mails are allowed, a third is not; then somebody is erased who wants no text messages, and mailed anew.
fn erased_in_between(ids: &str) -> (String, Vec<Value>, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, policy) = (folder.path().join("log"), policy(folder.path()));
    let to = to_folder(&log);
    let settings = [("DECISION_LOG__TO", &*to), ("DECISION_LOG__IDS", ids), ("DECISION_LOG__SECRET", SECRET)];
    let mut process = start(&settings, &policy);
    let caller = &process.caller;
    let ask = |channel: &str| caller.ask(&question("anna-secret", channel)).body;
    let mut answers = vec![ask("email"), ask("email"), ask("email")];
    let told = event("e-1", "customer.unsubscribed", "anna-secret", &json!({"channel": "sms"}));
    assert_eq!(caller.tell(&told).status, 202);
    assert_eq!(caller.send("DELETE", "/v1/customers/anna-secret", b"").status, 200);
    answers.extend([ask("sms"), ask("email")]);
    process.terminate();
    let text = files(&log).concat();
    let replayed = lines(&run(&["simulate", "--policy", &policy, "--answered"], &text));
    assert!(replayed.iter().all(|line| line["problem"].is_null()), "{replayed:?}");
    (text, answers, replayed.into_iter().filter(|line| line["verdict"].is_string()).collect())
}

#[test]
fn who_was_erased_does_not_come_back_in_a_replay_and_is_still_left_alone() {
    let (text, answers, again) = erased_in_between("digest");
    let given: Vec<_> = verdicts(&answers).into_iter().map(|(verdict, _)| verdict).collect();
    assert_eq!(given, ["allow", "allow", "defer", "deny", "allow"]);
    assert_eq!(verdicts(&again), verdicts(&answers));
    assert!(!text.contains("anna-secret"), "{text}");
    let erased = text.lines().find(|line| line.contains("\"erase\"")).expect("a line");
    let erased: Value = serde_json::from_str(erased).expect("JSON");
    assert_eq!(erased["erase"].as_object().expect("members").len(), 1, "{erased}");
    assert_eq!(erased["erase"]["customer"].as_str().map(str::len), Some(22), "{erased}");
}

#[test]
fn in_clear_an_erasure_is_no_line_that_names_them_once_more() {
    let (text, answers, again) = erased_in_between("clear");
    assert!(!text.contains("\"erase\""), "{text}");
    let of = |answers: &[Value]| answers[4]["verdict"].clone();
    assert_eq!((of(&answers), of(&again)), (json!("allow"), json!("defer")), "a replay goes on counting");
}
