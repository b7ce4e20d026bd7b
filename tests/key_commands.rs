//! Keys on the command line: made there, let in by the settings, and shown by the commands that call a governor.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use contact_governor::api_key::ApiKey;
use serde_json::json;

use crate::command_line::run;
use crate::harness::keys::Keys;
use crate::harness::{PROGRAM, Process, question};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A key and its line in the settings, as the command prints them.
fn made(arguments: &[&str]) -> (ApiKey, String) {
    let output = run(&[&["key", "new"], arguments].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (key, line) = text(&output.stdout).trim_end().split_once('\n').expect("two lines");
    assert!(!text(&output.stderr).contains(key), "it is printed once");
    (ApiKey::parse(key).expect("a whole key"), line.to_owned())
}

/// Runs a command with a key in the environment, or none.
fn run_with(key: Option<&str>, folder: &Path, arguments: &[&str], input: &str) -> Output {
    let file = folder.join("input");
    std::fs::write(&file, input).expect("written");
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).env_remove("CONTACT_GOVERNOR_KEY");
    command.stdin(Stdio::from(std::fs::File::open(&file).expect("a file")));
    if let Some(key) = key {
        command.env("CONTACT_GOVERNOR_KEY", key);
    }
    command.output().expect("the program runs")
}

#[test]
fn a_new_key_and_its_line_open_a_governor() {
    let (key, line) = made(&["--name", "dialler", "--scopes", "ask,tell", "--channels", "voice"]);
    let (other, dated) =
        made(&["--name", "dialler-2", "--caller", "dialler", "--scopes", "ask", "--expires", "2100-01-01"]);
    assert_eq!(
        line,
        format!(
            "dialler = {{ scopes = [\"ask\", \"tell\"], channels = [\"voice\"], hash = \"{}\" }}",
            key.hash()
        )
    );
    let hash = other.hash();
    assert_eq!(
        dated,
        format!(
            "dialler-2 = {{ caller = \"dialler\", scopes = [\"ask\"], hash = \"{hash}\", expires = \"2100-01-01\" }}"
        )
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    let past = format!(
        "old = {{ scopes = [\"ask\"], channels = [\"voise\"], hash = \"{}\", expires = 2020-01-01 }}",
        "0".repeat(64)
    );
    std::fs::write(&file, format!("[keys]\n{line}\n{dated}\n{past}\n[ledger]\nurl = \"memory:\"\n"))
        .expect("written");
    let mut process = Process::start(&["--settings", file.to_str().expect("a path")]);
    let asked = question("c", "voice");
    assert_eq!(process.caller.ask(&asked).status, 401);
    assert_eq!(process.caller.with_key(&key).ask(&asked).status, 200);
    assert_eq!(process.caller.with_key(&key).ask(&question("c", "email")).status, 403);
    assert_eq!(process.caller.with_key(&other).ask(&question("c", "email")).status, 200);
    let (_, log) = process.terminate();
    // The lines before it listens were read while it started.
    assert!(!log.contains("need no keys"), "{log}");
}

#[test]
fn what_a_key_cannot_be_is_said_at_once() {
    for (arguments, expected) in [
        (&["--name", "Dialler", "--scopes", "ask"][..], "keys.Dialler: a name has 1 to 64"),
        (&["--name", "local", "--scopes", "ask"], "choose another name"),
        (&["--name", "a", "--scopes", "ask,write"], "`write` is none of `ask`, `tell`, `read`, `admin`"),
        (&["--name", "a", "--scopes", "ask", "--expires", "soon"], "`soon` is no moment"),
        (&["--name", "a", "--scopes", "ask", "--expires", "2020-01-01"], "past already"),
        (&["--name", "a"], "--scopes"),
    ] {
        let output = run(&[&["key", "new"], arguments].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[test]
fn commands_show_the_key_of_the_environment_or_of_a_file() {
    let mut keys = Keys::default();
    let key = keys.issue("desk", &[("scopes", "ask tell read")]);
    let governor = keys.governor();
    let url = format!("http://{}", governor.caller.address());
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("key", &format!("{}\n", key.expose()));
    write("cut", key.expose().get(..70).expect("its beginning"));
    write("list.csv", "customer\nc-1\nc-2\n");
    write("facts.csv", "customer,purchases\nc-1,12\n");
    let preflight = ["preflight", "--url", &url];
    let scrub = ["scrub", "--url", &url, "--set", "channel=email", "--set", "purpose=marketing", "--set"];
    let scrub = [&scrub[..], &["delivery=template", "list.csv"]].concat();
    let import = ["import", "facts", "facts.csv", "--restart", "--url", &url];
    let asked = question("c", "email").to_string();
    for command in [&preflight[..], &scrub, &import] {
        let name = command[0];
        let run = |key, more: &[&str]| run_with(key, folder.path(), &[command, more].concat(), &asked);
        let refused = run(None, &[]);
        assert_eq!(refused.status.code(), Some(1), "{name}: {refused:?}");
        let said = format!("{}{}", text(&refused.stdout), text(&refused.stderr));
        assert!(said.contains("this takes a key that is known here"), "{name}: {said}");
        let mistaken = run(Some("cg_no"), &[]);
        assert_eq!(mistaken.status.code(), Some(2), "{name}");
        assert!(text(&mistaken.stderr).contains("`CONTACT_GOVERNOR_KEY` is no whole key"), "{name}");
        let cut = run(None, &["--key-file", "cut"]);
        assert_eq!(cut.status.code(), Some(2), "{name}");
        assert!(!text(&cut.stderr).contains(key.expose().get(..70).expect("its beginning")), "{name}");
        assert_eq!(run(None, &["--key-file", "nowhere"]).status.code(), Some(2), "{name}");
        let named = run(Some(key.expose()), &[]);
        // The same question a second time, and the same rows: what is asked here changes nothing.
        assert_eq!(named.status.code(), Some(0), "{name}: {}", text(&named.stderr));
        let filed = run(Some("cg_no"), &["--key-file", "key"]);
        assert!(filed.status.code() != Some(2), "{name}: a file wins: {}", text(&filed.stderr));
    }
    let reader = governor.caller.with_key(&key);
    assert_eq!(reader.get("/v1/customers/c-1").body["facts"]["purchases"]["value"], json!(12));
}
