//! The examples run on the samples that come with them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::PROGRAM;

#[test]
fn the_bank_campaign_runs_on_its_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bank-campaign");
    let mut asks = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "bank-campaign", "--"])
        .arg(folder.join("sample.csv"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example runs");
    let answers = Command::new(PROGRAM)
        .args(["simulate", "--policy"])
        .arg(folder.join("policy.toml"))
        .stdin(asks.stdout.take().expect("a pipe"))
        .output()
        .expect("the program runs");
    assert!(asks.wait().expect("its end").success());
    let answers: Vec<Value> = String::from_utf8_lossy(&answers.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(answers.len() > 20, "{} answers", answers.len());
    assert!(answers.iter().all(|answer| answer["verdict"].is_string()), "no line is a problem");
    assert!(answers.iter().any(|answer| answer["verdict"] == "allow"));
    assert!(answers.iter().any(|answer| answer["verdict"] == "defer"));
}
