//! Logs.

use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

/// Starts logging to standard error. A filter that was checked cannot fail; a subscriber that is
/// already there (in tests) stays.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log_level).unwrap_or_default();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = if settings.log_json { builder.json().try_init() } else { builder.with_ansi(false).try_init() };
}
