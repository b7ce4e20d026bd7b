//! The examples run on the samples that come with them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::batch::batch;
use crate::harness::{Governor, PROGRAM};

/// The lines that the example writes of its sample.
fn asks(options: &[&str]) -> Vec<Value> {
    // Built with the tests, beside the program.
    let example = Path::new(PROGRAM).with_file_name("examples").join("bank-campaign");
    let written = Command::new(example)
        .args(options)
        .arg(folder().join("sample.csv"))
        .output()
        .expect("the example runs");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    lines(&written.stdout)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bank-campaign")
}

fn lines(text: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text_of(lines: impl IntoIterator<Item = Value>) -> String {
    lines.into_iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
}

/// What `simulate` answers.
fn simulated(asks: &[Value]) -> Vec<Value> {
    let mut program = Command::new(PROGRAM)
        .args(["simulate", "--policy"])
        .arg(folder().join("policy.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = program.stdin.take().expect("a pipe");
    let sent = text_of(asks.iter().cloned());
    let sender = std::thread::spawn(move || input.write_all(sent.as_bytes()));
    let answered = program.wait_with_output().expect("answers");
    sender.join().expect("a sender").expect("sent");
    lines(&answered.stdout)
}

#[test]
fn the_bank_campaign_runs_on_its_sample() {
    let answers = simulated(&asks(&[]));
    assert!(answers.len() > 20, "{} answers", answers.len());
    assert!(answers.iter().all(|answer| answer["verdict"].is_string()), "no line is a problem");
    assert!(answers.iter().any(|answer| answer["verdict"] == "allow"));
    assert!(answers.iter().any(|answer| answer["verdict"] == "defer"));
}

#[test]
fn planned_ahead_a_governor_answers_it_in_a_batch_as_simulate_does() {
    let asks = asks(&["--ahead-of", "2026-11-16T12:00:00Z"]);
    let answers = simulated(&asks);
    let allowed = answers.iter().filter(|answer| answer["verdict"] == "allow").count();
    assert!((20..answers.len()).contains(&allowed), "{allowed} of {} calls go through", answers.len());
    let policy = folder().join("policy.toml");
    let governor = Governor::start_with(&[("POLICY__FILE", policy.to_str().expect("a path"))]);
    let questions = text_of(asks.iter().map(|line| line["ask"].clone()));
    let batched = batch(&governor.caller, "", questions.as_bytes());
    assert_eq!(batched.len(), answers.len());
    for (batched, mut simulated) in batched.into_iter().zip(answers) {
        simulated.as_object_mut().expect("an answer").remove("at");
        assert_eq!(batched, simulated);
    }
}
