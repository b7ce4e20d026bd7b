//! What the program says of itself while it runs: log lines and spans, and by which ids they belong together.
//!
//! Libraries show what passes through them when they talk in detail: bodies, keys of records, commands with their
//! arguments. None of that may stand in a log, so nobody but this program is heard below `info`, whatever the operator
//! asks for.

pub mod exporter;
pub mod ledger_spans;
pub mod lines;
pub mod otlp;
pub mod passage;
pub mod request_id;
pub mod spans;
pub mod trace_context;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::settings::Settings;

use lines::Lines;

/// What the targets of this program begin with; they know what may be said.
const OWN: &str = "contact_governor";
/// Where the HTTP server says what was wrong with a request.
const CLIENTS_MISTAKES: &str = "actix_http::h1::dispatcher";
/// The most detail in which all others are heard.
const OTHERS: LevelFilter = LevelFilter::INFO;

/// Starts logging to standard error. A filter that was checked cannot fail; a subscriber that is
/// already there (in tests) stays.
pub fn start(settings: &Settings) {
    let wanted = EnvFilter::try_new(&settings.log_level).unwrap_or_default();
    let filter = wanted.and(filter_fn(may_be_heard));
    let form = if settings.log_json { Lines::Json } else { Lines::Text };
    let lines = fmt::layer::<Registry>().with_writer(std::io::stderr).with_ansi(false).event_format(form);
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

fn may_be_heard(said: &Metadata<'_>) -> bool {
    let is_own =
        said.target().strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    // What clients send wrongly is no error of ours, and whoever scans the port would fill the log.
    is_own || (*said.level() <= OTHERS && said.target() != CLIENTS_MISTAKES)
}
