//! `healthcheck`: whether a governor is well; exit status 0 if it is. For machines that ask without a shell or curl at hand.

use std::time::Duration;

use awc::Client;
use clap::Args;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::domain::moment::Span;

use super::failure::{Failure, misused};
use super::trust::Trust;
use super::{Exit, console};

/// One that takes longer to say that it lives is not well.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How soon, and how seldom at the most, it is asked again while there is time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct Arguments {
    /// The governor to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    trust: Trust,
    /// Ask whether it is ready, and not only whether it lives: a restart mends nothing that keeps it from being ready.
    #[arg(long)]
    ready: bool,
    /// Ask again until it is well, for at most so long, as 30s.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text).ok_or_else(|| format!("`{text}` is not a duration; write `30s`"))?;
    Ok(Duration::from_millis(span.millis().unsigned_abs()))
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let well = actix_web::rt::System::new().block_on(async {
        let client = arguments.trust.client(TIMEOUT).map_err(misused)?;
        become_well(&client, arguments).await.map_err(|why| Failure { exit: Exit::Refused, why })
    });
    match well {
        Ok(()) => Exit::Done,
        Err(Failure { exit, why }) => {
            console::complain(format!("healthcheck: {why}"));
            exit
        }
    }
}

/// Asks until it is well or time is up; then, what was wrong last.
async fn become_well(client: &Client, arguments: &Arguments) -> Result<(), String> {
    let path = if arguments.ready { "readyz" } else { "livez" };
    let url = format!("{}/{path}", arguments.url.trim_end_matches('/'));
    let until = arguments.within.map(|within| Instant::now() + within);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        match ask(client, &url).await {
            Err(why) if until.is_none_or(|until| Instant::now() >= until) => return Err(why),
            Err(_) => backoff.pause().await,
            Ok(()) => return Ok(()),
        }
    }
}

async fn ask(client: &Client, url: &str) -> Result<(), String> {
    let mut response =
        client.get(url).send().await.map_err(|error| format!("cannot reach {url}: {error}"))?;
    if response.status().is_success() {
        return Ok(());
    }
    let said = response.body().await.unwrap_or_default();
    Err(format!("{url} answered {}: {}", response.status().as_u16(), String::from_utf8_lossy(&said)))
}
