//! A running instance takes the policy that its file says, or says why not and goes on as before.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::raw::{connect, post};
use crate::harness::{Launch, PROGRAM, Process, is_soon, question};

fn policy(version: &str, limit: u32) -> String {
    format!(
        "version = \"{version}\"\ntime_zone = \"UTC\"\n\n[[caps]]\nid = \"few\"\nlimit = {limit}\nwindow = \"rolling 7d\"\n"
    )
}

/// What no limit can be, and no window.
const TYPOS: &str = "time_zone = \"UTC\"\n\n[[caps]]\nid = \"few\"\nlimit = -3\nwindow = \"rolling 7x\"\n";

/// An instance, and its two policy files.
struct Instance {
    process: Process,
    folder: TempDir,
}

impl Instance {
    /// With so long between two looks at the files.
    fn start(look_every: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), look_every, settings)
    }

    fn start_in(folder: TempDir, look_every: &str, settings: &[(&str, &str)]) -> Self {
        let file = folder.path().join("policy.toml").display().to_string();
        std::fs::write(&file, policy("one", 3)).expect("a file");
        let own = [("POLICY__FILE", &*file), ("POLICY__LOOK_EVERY", look_every)];
        // A file that may not grow is one that cannot be written, not the end of the program.
        let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
        let settings = [&own[..], settings].concat();
        let launch = Launch { wrapper: &wrapper, settings: &settings, arguments: &["--ledger", "memory:"] };
        Self { process: Process::launch(&launch).expect("it starts"), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As a careful editor writes: the old file, or the new one.
    fn write(&self, name: &str, text: &str) {
        let new = self.path("new");
        std::fs::write(&new, text).expect("a file");
        std::fs::rename(new, self.path(name)).expect("in its place");
    }

    fn hang_up(&self) {
        let pid = self.process.pid().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill").success());
    }

    fn version(&self) -> Value {
        self.process.caller.get("/v1/policy").body["version"].clone()
    }

    fn refused(&self) -> Value {
        self.process.caller.get("/readyz").body["policy"]["refused"].clone()
    }

    fn metric(&self, line: &str) -> bool {
        let metrics = self.process.caller.get("/metrics").body;
        metrics.as_str().expect("text").lines().any(|said| said == format!("contact_governor_{line}"))
    }
}

#[test]
fn what_the_file_says_comes_into_force_by_itself() {
    let instance = Instance::start("20ms", &[]);
    let first = instance.process.caller.ask(&question("c-1", "email"));
    assert_eq!(first.body["policy"]["version"], "one");
    instance.write("policy.toml", &policy("two", 1));
    assert!(is_soon(|| instance.version() == "two"));
    let second = instance.process.caller.ask(&question("c-1", "email"));
    assert_eq!((second.verdict(), &second.body["policy"]["version"]), ("defer", &json!("two")));
    assert_ne!(first.body["policy"]["hash"], second.body["policy"]["hash"]);
    let hash = second.body["policy"]["hash"].as_str().expect("a hash");
    assert!(instance.metric(&format!("policy_info{{hash=\"{hash}\",slot=\"in_force\",version=\"two\"}} 1")));
    assert!(instance.metric("policy_reloads_total{outcome=\"swapped\"} 1"));
    assert!(instance.metric("policy_last_reload_successful 1"));
}

#[test]
fn on_sighup_it_looks_at_once_and_a_typo_changes_nothing() {
    let mut instance = Instance::start("1h", &[]);
    instance.write("policy.toml", TYPOS);
    instance.hang_up();
    assert!(is_soon(|| instance.metric("policy_reloads_total{outcome=\"refused\"} 1")));
    assert_eq!(instance.version(), "one");
    assert!(instance.metric("policy_last_reload_successful 0"));
    let refused = instance.refused();
    let refused = refused.as_str().expect("why");
    assert!(refused.contains(":5:9: ") && refused.contains(":6:10: "), "{refused}");
    assert_eq!(instance.process.caller.ask(&question("c-1", "email")).verdict(), "allow");

    instance.write("policy.toml", &policy("two", 1));
    instance.hang_up();
    assert!(is_soon(|| instance.version() == "two"));
    assert_eq!(instance.refused(), Value::Null);
    assert!(instance.metric("policy_last_reload_successful 1"));
    instance.hang_up();
    assert!(is_soon(|| instance.metric("policy_reloads_total{outcome=\"unchanged\"} 1")));
    std::fs::remove_file(instance.path("policy.toml")).expect("a file");
    instance.hang_up();
    assert!(is_soon(|| instance.metric("policy_reloads_total{outcome=\"refused\"} 2")));
    assert_eq!(instance.version(), "two");
    let (_, log) = instance.process.terminate();
    let mistakes: Vec<&str> =
        log.lines().filter(|line| line.contains("the policy file has a mistake")).collect();
    assert_eq!(mistakes.len(), 2, "every mistake has its line: {log}");
    assert!(mistakes[0].contains("policy.toml:5:9") && mistakes[0].contains("out of range"), "{mistakes:?}");
    assert!(mistakes[1].contains("policy.toml:6:10") && mistakes[1].contains("rolling 7x"), "{mistakes:?}");
}

#[test]
fn a_draft_is_tried_when_it_appears_and_its_typos_keep_nothing_from_changing() {
    let folder = tempfile::tempdir().expect("a folder");
    let next = folder.path().join("next.toml").display().to_string();
    let instance = Instance::start_in(folder, "20ms", &[("SHADOW__POLICY", &next)]);
    assert_eq!(instance.version(), "one", "it starts without its draft");
    assert!(!instance.metric("policy_last_reload_successful 1"));
    instance.write("next.toml", &policy("next", 1));
    assert!(is_soon(|| instance.process.caller.get("/v1/policy").body["shadow"]["version"] == "next"));
    assert!(instance.metric("policy_last_reload_successful 1"));
    instance.write("next.toml", TYPOS);
    assert!(is_soon(|| instance.refused().is_string()));
    instance.write("policy.toml", &policy("two", 2));
    assert!(is_soon(|| instance.version() == "two"));
    assert!(instance.refused().is_string(), "the draft is still wrong");
    assert_eq!(instance.process.caller.get("/v1/policy/shadow").body["in_shadow"]["version"], "next");
}

#[test]
fn a_new_policy_is_in_the_audit_log_before_it_is_in_force_and_without_a_line_it_is_not() {
    let audit = tempfile::tempdir().expect("a folder");
    let directory = audit.path().display().to_string();
    let secret = ("AUDIT__SECRETS", "a-secret-of-more-than-thirty-two-characters");
    let mut instance = Instance::start("1h", &[("AUDIT__DIRECTORY", &directory), secret]);
    instance.write("policy.toml", &policy("two", 1));
    instance.hang_up();
    assert!(is_soon(|| instance.version() == "two"));
    instance.process.limit_files_to("1");
    instance.write("policy.toml", &policy("three", 1));
    instance.hang_up();
    assert!(is_soon(|| instance.refused().is_string()));
    assert_eq!(instance.version(), "two");
    instance.process.limit_files_to("unlimited");
    instance.hang_up();
    assert!(is_soon(|| instance.version() == "three"));
    instance.process.terminate();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(audit.path()).expect("a folder").flatten().map(|file| file.path()).collect();
    files.sort();
    let log: String = files.iter().map(|file| std::fs::read_to_string(file).expect("text")).collect();
    let versions: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|line| line["what"] == "policy.in_force")
        .map(|line| line["version"].clone())
        .collect();
    assert_eq!(versions, [json!("one"), json!("two"), json!("three")]);
}

#[test]
fn asked_to_stop_it_says_so_goes_on_for_a_while_and_finishes_what_it_has_begun() {
    let mut instance = Instance::start("1h", &[("HTTP__DRAIN_DELAY", "1h")]);
    let address = instance.process.caller.address();
    assert_eq!(instance.process.caller.get("/readyz").status, 200);
    let pid = instance.process.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    assert!(is_soon(|| instance.process.caller.get("/readyz").status == 503));
    let draining = instance.process.caller.get("/readyz?exclude=ledger");
    assert_eq!(draining.body["type"], "urn:contact-governor:problem:draining");
    let mut late = connect(address);
    let answer = late.send(post("/v1/preflight", &question("c-1", "email").to_string())).answer();
    assert_eq!(answer.status, 200, "who comes late is answered all the same");
    assert!(late.is_closed(), "and told to go elsewhere next time");
    // Asked again it does not wait any longer.
    let (code, log) = instance.process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("asked to stop") && log.contains("stopped"), "{log}");
}

#[test]
fn policies_are_compared_in_sentences_on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file
    };
    let (old, new) = (file("old.toml", &policy("one", 3)), file("new.toml", &policy("two", 1)));
    let diff = |old: &PathBuf, new: &PathBuf| {
        let output =
            Command::new(PROGRAM).args(["policy", "diff"]).args([old, new]).output().expect("it runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let sentences =
        "`version` is `\"two\"` instead of `\"one\"`.\nRule `few`: `limit` is `1` instead of `3`.\n";
    assert_eq!(diff(&old, &new), (Some(0), sentences.to_owned()));
    assert_eq!(diff(&old, &old), (Some(0), "Nothing is judged otherwise.\n".to_owned()));
    assert_eq!(diff(&old, &file("typos.toml", TYPOS)), (Some(1), String::new()));
}
