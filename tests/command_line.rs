//! The program as somebody at a terminal meets it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Governor, PROGRAM, question};

pub fn run(arguments: &[&str], input: &(impl AsRef<[u8]> + ?Sized)) -> Output {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.as_ref().to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its end");
    // A program that ends early need not read everything.
    let _ = writer.join().expect("the writer");
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

pub fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn at_root(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_str().expect("a path").to_owned()
}

fn week() -> String {
    let steps = [
        json!({"at": "2026-11-16T12:00:00+01:00", "ask": question("c", "email")}),
        json!({"at": "2026-11-16T12:00:00Z", "tell": {"type": "conversation.opened", "subject": "c"}}),
        json!({"at": "2026-11-17T12:00:00Z", "put": {"customer": "d", "wishes": {"channels": ["mail"]},
            "facts": {"purchases": 3}, "suppressions": {"sms": true}}}),
        json!({"at": "2026-11-17T12:00:00Z", "halt": {"campaign": "autumn", "on": true}}),
        json!({"at": "2026-11-16T12:00:00Z", "ask": question("c", "email")}),
        json!({"at": "2026-11-18T12:00:00Z", "ask": question("c", "email")}),
        json!({"at": "2026-11-18T12:00:00Z", "ask": question("d", "sms")}),
        json!({"at": "noon", "ask": question("d", "sms")}),
        json!({"at": "2026-11-18T12:00:00Z", "ask": {"customer": "c"}, "tell": {}}),
        json!({"at": "2026-11-18T12:00:00Z", "aks": {}}),
    ];
    let steps: Vec<String> = steps.iter().map(Value::to_string).collect();
    format!("{}\nnot JSON\n\n", steps.join("\n"))
}

#[test]
fn simulate_answers_each_line_and_twice_the_same() {
    let first = run(&["simulate"], &week());
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(run(&["simulate"], &week()).stdout, first.stdout, "the same bytes");
    let answers = lines(&first);
    let said: Vec<String> = answers
        .iter()
        .map(|answer| {
            let at = answer["at"].as_str().unwrap_or("-");
            let what = answer["verdict"].as_str().or(answer["problem"]["type"].as_str()).unwrap_or("stored");
            format!("{at} {}", what.rsplit(':').next().expect("a name"))
        })
        .collect();
    assert_eq!(
        said,
        [
            "2026-11-16T11:00:00Z allow",
            "2026-11-16T12:00:00Z stored",
            "2026-11-17T12:00:00Z stored",
            "2026-11-17T12:00:00Z stored",
            "2026-11-16T12:00:00Z out-of-order",
            "2026-11-18T12:00:00Z defer",
            "2026-11-18T12:00:00Z deny",
            "noon invalid-fields",
            "2026-11-18T12:00:00Z invalid-fields",
            "2026-11-18T12:00:00Z invalid-fields",
            "- malformed",
        ]
    );
    let at_first = text(&first.stdout).lines().all(|line| line.starts_with("{\"at\":"));
    assert!(at_first, "`at` comes first");
}

#[test]
fn simulate_refuses_a_bad_policy_and_says_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.toml");
    std::fs::write(&file, "time_zone = \"UTC\"\n[[caps]]\nid = 3\n").expect("written");
    let refused = run(&["simulate", "--policy", file.to_str().expect("a path")], &week());
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(text(&refused.stdout), "");
    assert!(text(&refused.stderr).contains("bad.toml:3:6: expected a string"), "{}", text(&refused.stderr));
}

#[test]
fn simulate_reports_and_compares() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    std::fs::write(path("lax.toml"), "time_zone = \"UTC\"\n").expect("written");
    let arguments = ["simulate", "--against", &path("lax.toml"), "--report", &path("report.json")];
    let compared = lines(&run(&arguments, &week()));
    assert_eq!(compared[5]["against"], json!({"verdict": "allow", "rules": [], "differs": true}));
    let report = std::fs::read_to_string(path("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["asks"], 3);
    assert_eq!(report["verdicts"], json!({"allow": 1, "defer": 1, "handoff": 0, "deny": 1}));
    assert_eq!(report["by_rule"]["heard-first"]["defer"], 1);
    assert_eq!(report["by_channel"]["sms"]["deny"], 1);
    // The lax policy differs once: it knows no hold, but the customer's own wish binds under any.
    assert_eq!(report["against"]["differing"], 1);
    run(&["simulate", "--report", &path("report.md")], &week());
    let markdown = std::fs::read_to_string(path("report.md")).expect("a report");
    assert!(markdown.contains("| heard-first | 0 | 1 | 0 | 0 |"), "{markdown}");
}

#[test]
fn policy_test_passes_the_projects_own_scenarios_and_fails_on_others() {
    let passed = run(
        &["policy", "test", &at_root("tests/cases/s08-marketing-waits-until-the-customer-was-heard.toml")],
        "",
    );
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed.stdout));
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, steps: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("policy.time_zone = \"UTC\"\n{steps}")).expect("written");
        file.to_str().expect("a path").to_owned()
    };
    let ask =
        "ask = { customer = \"c\", channel = \"email\", purpose = \"marketing\", delivery = \"template\" }";
    let cases = [
        (write("nothing.toml", ""), "it has no steps"),
        (
            write(
                "wrong.toml",
                &format!(
                    "[[steps]]\nat = \"2026-11-16T12:00:00Z\"\n{ask}\nexpect = {{ verdict = \"deny\" }}"
                ),
            ),
            "expected \"deny\", answered allow",
        ),
        (
            write(
                "mistyped.toml",
                &format!("[[steps]]\nat = \"2026-11-16T12:00:00Z\"\n{ask}\nexpect = {{ verdit = \"deny\" }}"),
            ),
            "did you mean `verdict`",
        ),
        (
            write(
                "verdict.toml",
                &format!(
                    "[[steps]]\nat = \"2026-11-16T12:00:00Z\"\n{ask}\nexpect = {{ verdict = \"alow\" }}"
                ),
            ),
            "`verdict` cannot be",
        ),
        (folder.path().join("absent.toml").to_str().expect("a path").to_owned(), "No such file"),
    ];
    for (file, expected) in cases {
        let failed = run(&["policy", "test", &file], "");
        assert_eq!(failed.status.code(), Some(1), "{file}");
        assert!(text(&failed.stdout).contains(expected), "{file}: {}", text(&failed.stdout));
    }
}

#[test]
fn policy_check_warns_where_people_are_treated_by_their_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vip.toml");
    let policy = "time_zone = \"UTC\"\n[[caps]]\nid = \"fewer-for-the-poor\"\nlimit = 1\nwindow = \"rolling 7d\"\n\
                  when = \"facts.lifetime_spend < 100\"\n";
    std::fs::write(&file, policy).expect("written");
    let checked = run(&["policy", "check", file.to_str().expect("a path")], "");
    assert_eq!(checked.status.code(), Some(0));
    assert!(text(&checked.stdout).contains("treats people by their value (`facts.lifetime_spend`)"));
    let shipped = run(&["policy", "check", &at_root("config/policy.toml")], "");
    assert!(!text(&shipped.stdout).contains("warning"), "{}", text(&shipped.stdout));
}

#[test]
fn policy_schema_is_a_json_schema_that_knows_every_rule() {
    let schema = run(&["policy", "schema"], "");
    let schema: Value = serde_json::from_slice(&schema.stdout).expect("JSON");
    for kind in ["caps", "holds", "contact_hours", "requirements"] {
        assert!(schema["properties"][kind].is_object(), "{kind}");
    }
    assert!(schema["$schema"].as_str().expect("a dialect").contains("2020-12"));
}

#[test]
fn preflight_asks_a_running_governor() {
    let governor = Governor::start();
    let url = format!("http://{}", governor.caller.address());
    let asked = question("c", "sms").to_string();
    let allowed = run(&["preflight", "--url", &url], &asked);
    assert_eq!(allowed.status.code(), Some(0), "{}", text(&allowed.stderr));
    let refused = run(&["preflight", "--url", &url], &asked);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stdout).contains("\"not_before\": \"2026-11-23T12:00:00Z\""),
        "{}",
        text(&refused.stdout)
    );
    let explained = run(&["preflight", "--explain", "--url", &url], &asked);
    assert!(text(&explained.stdout).contains("\"smallest_change\""));
}

#[test]
fn used_wrongly_it_says_so_with_status_2() {
    for arguments in [
        &["simulte"][..],
        &["policy", "check"],
        &["simulate", "--polcy", "x"],
        &["serve", "--listen", "everywhere"],
    ] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn claims_reads_a_message_a_line_and_puts_a_problem_in_the_place_of_a_bad_one() {
    let input = concat!(
        "{\"id\": \"a\", \"text\": \"We are sorry for the delay.\", \"language\": \"en\"}\n",
        "\n",
        "not JSON\n",
        "{\"id\": \"b\"}\n",
        "{\"id\": \"c\", \"text\": \"Your parcel arrives on Tuesday.\"}\n",
    );
    let output = run(&["claims"], input);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let read = lines(&output);
    assert_eq!(read.len(), 4);
    assert_eq!((&read[0]["id"], &read[0]["labels"]), (&json!("a"), &json!(["apology"])));
    assert!(read[0]["spans"][0]["text"].as_str().is_some_and(|text| text.contains("sorry")), "{}", read[0]);
    assert_eq!(read[1]["problem"]["status"], 400);
    assert_eq!((&read[2]["id"], &read[2]["problem"]["errors"][0]["pointer"]), (&json!("b"), &json!("/text")));
    assert_eq!(read[3], json!({"id": "c", "labels": [], "spans": []}));
}

#[test]
fn a_policy_that_is_refused_starts_no_server_and_makes_no_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let bad = "time_zone = \"UTC\"\n[[caps]]\nid = \"a\"\nlimit = -1\nwindow = \"rolling 7d\"\n[[cap]]\n";
    std::fs::write(path("bad.toml"), bad).expect("written");
    let ledger = format!("embedded:{}", path("data"));
    for (policy, expected) in [
        ("bad.toml", &["bad.toml:4:9: ", "bad.toml:6:3: unknown key `cap`; did you mean `caps`?"][..]),
        ("absent.toml", &["absent.toml", "No such file"]),
    ] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--ledger", &ledger, "--policy", &path(policy)];
        let refused = run(&arguments, "");
        assert_eq!(refused.status.code(), Some(2));
        let said = text(&refused.stderr);
        assert!(expected.iter().all(|part| said.contains(part)) && !said.contains("listening"), "{said}");
        assert!(!folder.path().join("data").exists());
    }
}
