//! What `simulate` sums up: for people, under two policies, and against what was really answered.

use serde_json::{Value, json};

use crate::command_line::{lines, run};
use crate::harness::{question, with};

fn capped(limit: u32) -> String {
    format!("time_zone = \"UTC\"\n[[caps]]\nid = \"few\"\nlimit = {limit}\nwindow = \"rolling 7d\"\n")
}

/// Ten asks for ada, three for bob, each allowed twice in real life; the last of ada's is asked twice.
fn history() -> String {
    let mut steps = Vec::new();
    for (customer, asks) in [("ada", 10), ("bob", 3)] {
        for number in 0..asks {
            let asked = with(question(customer, "email"), &json!({"contact_id": format!("m-{number}")}));
            let verdict = if number < 2 { "allow" } else { "defer" };
            let answered = json!({"verdict": verdict, "rules": [], "degraded": false,
                "policy": {"version": "1", "hash": "x"}});
            steps.push(json!({"at": "2026-11-16T12:00:00Z", "ask": asked, "answered": answered}));
        }
    }
    steps.push(steps[0].clone());
    steps.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for limit in [1, 3] {
            std::fs::write(folder.path(&format!("{limit}.toml")), capped(limit)).expect("written");
        }
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path").to_owned()
    }

    fn report(&self, arguments: &[&str]) -> (Value, String) {
        let (json, markdown) = (self.path("report.json"), self.path("report.md"));
        for file in [&json, &markdown] {
            let arguments = [&["simulate", "--report", file], arguments].concat();
            assert_eq!(run(&arguments, &history()).status.code(), Some(0));
        }
        let read = |file: &str| std::fs::read_to_string(file).expect("a report");
        (serde_json::from_str(&read(&json)).expect("JSON"), read(&markdown))
    }
}

#[test]
fn the_report_shows_people_under_two_policies() {
    let folder = Folder::new();
    let (report, markdown) =
        folder.report(&["--policy", &folder.path("1.toml"), "--against", &folder.path("3.toml")]);
    let customers = &report["customers"];
    assert_eq!(customers["seen"], 2);
    assert_eq!(customers["contacts"][1], json!({"contacts": "1", "asked": 0, "allowed": 2, "otherwise": 0}));
    assert_eq!(customers["contacts"][3], json!({"contacts": "3", "asked": 1, "allowed": 0, "otherwise": 2}));
    // The repetition of a contact that was allowed is no other contact.
    let ada = json!({"customer": "ada", "asked": 10, "allowed": 1, "refused": 9});
    assert_eq!(customers["most_spared"][0], ada);
    let more = json!({"customers": 2, "contacts": 4, "most": [
        {"customer": "ada", "before": 1, "after": 3}, {"customer": "bob", "before": 1, "after": 3}]});
    assert_eq!(customers["would_get_more"], more);
    for expected in [
        "## 2 customers by their contacts",
        "| 3 | 1 | 0 | 2 |",
        "| `ada` | 10 | 1 | 9 |",
        "2 customers, 4 contacts more.",
        "| `bob` | 1 | 3 |",
    ] {
        assert!(markdown.contains(expected), "{expected} in {markdown}");
    }
}

#[test]
fn the_report_compares_with_what_was_really_answered() {
    let folder = Folder::new();
    let policy = folder.path("3.toml");
    let (report, markdown) = folder.report(&["--policy", &policy, "--answered"]);
    assert_eq!(report["answered"]["differing"], 2);
    assert_eq!(report["answered"]["verdicts"]["allow"], 5);
    assert_eq!(report["customers"]["would_get_more"]["contacts"], 2);
    assert_eq!(
        report["customers"]["would_get_more"]["most"][0],
        json!({"customer": "ada", "before": 2, "after": 3})
    );
    assert!(markdown.contains("## Against what was really answered"), "{markdown}");
    let answers = lines(&run(&["simulate", "--policy", &policy, "--answered"], &history()));
    assert_eq!(answers[2]["answered"], json!({"verdict": "defer", "rules": [], "differs": true}));
}

#[test]
fn answered_stands_beside_an_ask_only_and_must_be_an_answer() {
    let at = "2026-11-16T12:00:00Z";
    let asked = question("c", "email");
    let steps = [
        json!({"at": at, "ask": asked, "answered": {"verdict": "alow", "rules": [1], "why": ""}}),
        json!({"at": at, "halt": {"campaign": "x", "on": true}, "answered": {"verdict": "allow"}}),
        json!({"at": at, "ask": asked, "answered": {"verdict": "allow"}}),
    ];
    let input = steps.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let answers = lines(&run(&["simulate"], &input));
    let pointers = |line: &Value| -> Vec<String> {
        let errors = line["problem"]["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
    };
    assert_eq!(pointers(&answers[0]), ["/answered/verdict", "/answered/rules/0", "/answered/why"]);
    assert_eq!(pointers(&answers[1]), ["/answered"]);
    assert_eq!((&answers[2]["verdict"], &answers[2]["answered"]), (&json!("allow"), &Value::Null));
}

#[test]
fn what_a_replay_forgets_changes_no_answer() {
    // Nine thousand passers-by make it look who can be forgotten; those it may look back on are not.
    let policy = "time_zone = \"UTC\"\n[[caps]]\nid = \"few\"\nlimit = 1\nwindow = \"rolling 40d\"\n";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, policy).expect("written");
    let ask =
        |at: &str, customer: &str| format!("{}\n", json!({"at": at, "ask": question(customer, "email")}));
    let mut input = ask("2026-01-01T00:00:00Z", "old") + &ask("2026-02-01T00:00:00Z", "young");
    (0..9_000).for_each(|number| input += &ask("2026-03-01T00:00:00Z", &format!("p-{number}")));
    input += &(ask("2026-03-02T00:00:00Z", "old") + &ask("2026-03-02T00:00:00Z", "young"));
    let answers = run(&["simulate", "--policy", file.to_str().expect("a path")], &input);
    let last: Vec<Value> = lines(&answers).into_iter().rev().take(2).collect();
    assert_eq!((&last[0]["verdict"], &last[1]["verdict"]), (&json!("defer"), &json!("allow")));
}

#[test]
fn whatever_is_wrong_with_a_line_is_said_with_its_number_and_costs_that_line_only() {
    let asked = |at: &str| format!("{}\n", json!({"at": at, "ask": question("c", "email")})).into_bytes();
    let input = [
        asked("2026-11-16T12:00:00Z"),
        b"\n".to_vec(),
        [br#"{"at": ""#.to_vec(), vec![b'x'; 50 << 20], b"\"}\n".to_vec()].concat(),
        b"{\"at\": \"2026-11-16T12:00:00Z\", \"put\": {\"customer\": \"Ren\xe9e\", \"facts\": {}}}\n"
            .to_vec(),
        b"{\"at\": \"2026-11-16T12:00:00Z\", \"ask\": {\n".to_vec(),
        asked("2026-11-16T11:00:00Z"),
        b"{\"at\": \"2026-11-16T12:00:00Z\", \"erase\": {\"custmer\": \"c\"}}\n".to_vec(),
        asked("2026-11-16T12:00:00Z"),
    ]
    .concat();
    let output = run(&["simulate"], &input);
    assert_eq!(output.status.code(), Some(0));
    let said: Vec<String> = lines(&output)
        .iter()
        .map(|line| match line["verdict"].as_str() {
            Some(verdict) => verdict.to_owned(),
            None => format!("{} {}", line["problem"]["line"], line["problem"]["type"]),
        })
        .collect();
    let problem = |line: u64, name: &str| format!("{line} \"urn:contact-governor:problem:{name}\"");
    assert_eq!(
        said,
        [
            "allow".to_owned(),
            problem(3, "too-large"),
            problem(4, "malformed"),
            problem(5, "malformed"),
            problem(6, "out-of-order"),
            problem(7, "invalid-fields"),
            "defer".to_owned(),
        ]
    );
    let erase = &lines(&output)[5]["problem"]["errors"];
    assert_eq!(
        (&erase[0]["pointer"], &erase[1]["pointer"]),
        (&json!("/erase/customer"), &json!("/erase/custmer"))
    );
}

#[test]
fn a_policy_that_is_refused_stops_it_before_anything_is_written() {
    let folder = Folder::new();
    let bad = folder.path("bad.toml");
    std::fs::write(&bad, format!("{}\n[[caps]]\nid = 3\n", capped(1))).expect("written");
    let report = folder.path("report.json");
    for arguments in [
        ["--policy", &folder.path("1.toml"), "--against", &bad],
        ["--policy", &bad, "--against", &folder.path("1.toml")],
    ] {
        let refused = run(&[&["simulate", "--report", &report][..], &arguments].concat(), &history());
        assert_eq!(refused.status.code(), Some(2));
        assert_eq!(refused.stdout, b"");
        let said = String::from_utf8(refused.stderr).expect("text");
        assert!(said.contains("bad.toml:8:6: expected a string"), "{said}");
        assert!(!std::path::Path::new(&report).exists());
    }
}
