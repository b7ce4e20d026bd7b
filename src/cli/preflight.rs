//! `preflight`: one question to a governor that is running; exit status 0 if it is allowed.

use std::io::Read;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::trust::Trust;
use super::{Exit, console};

/// Longer than a governor waits for its ledger, on a machine that has much else to do.
const TIMEOUT: Duration = Duration::from_secs(30);
/// No question is larger.
const LARGEST_QUESTION_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The governor to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    trust: Trust,
    /// Reserve nothing; list every rule with what it saw.
    #[arg(long)]
    explain: bool,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let mut question = Vec::new();
    if let Err(error) = std::io::stdin().take(LARGEST_QUESTION_BYTES).read_to_end(&mut question) {
        console::complain(format!("preflight: {error}"));
        return Exit::Refused;
    }
    let path = if arguments.explain { "explain" } else { "preflight" };
    let url = format!("{}/v1/{path}", arguments.url.trim_end_matches('/'));
    match actix_web::rt::System::new().block_on(ask(&url, &arguments.trust, question)) {
        Ok(answer) => {
            console::say(serde_json::to_string_pretty(&answer).unwrap_or_default());
            let verdict = answer.get("verdict").or_else(|| answer.pointer("/answer/verdict"));
            if verdict.and_then(Value::as_str) == Some("allow") { Exit::Done } else { Exit::Refused }
        }
        Err(why) => {
            console::complain(format!("preflight: cannot ask {url}: {why}"));
            Exit::Refused
        }
    }
}

async fn ask(url: &str, trust: &Trust, question: Vec<u8>) -> Result<Value, String> {
    let request = trust.client(TIMEOUT)?.post(url).insert_header(("content-type", "application/json"));
    let mut response = request.send_body(question).await.map_err(|error| error.to_string())?;
    let body = response.body().await.map_err(|error| error.to_string())?;
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}
