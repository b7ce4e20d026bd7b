//! Where decisions are logged, how ids are written there, and how much is kept.

use std::path::PathBuf;

use super::{LedgerUrl, Reading, Secret, secrets};

/// What says that lines go into a folder.
const FILE_PREFIX: &str = "file:";
const REDIS_STREAM: &str = "redis-stream";

/// A decision log, where there is to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLogSettings {
    pub to: LogTo,
    pub ids: LoggedIds,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTo {
    Files {
        directory: PathBuf,
        max_file_bytes: u64,
        max_files: usize,
    },
    /// A stream in the Redis that keeps the records, of about so many lines.
    RedisStream {
        max_lines: usize,
    },
}

/// How the ids of customers, contacts and events are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedIds {
    Clear,
    /// As digests that nobody can make, or try out, who lacks the secret.
    Digest {
        secret: Secret,
    },
}

/// Reads what the settings say of it; `ledger` is where the records are.
pub(super) fn read(reading: &mut Reading<'_>, ledger: &LedgerUrl) -> Option<DecisionLogSettings> {
    let max_file_bytes = reading.number("decision_log.max_file_bytes", 1_024, 1 << 40) as u64;
    let max_files = reading.number("decision_log.max_files", 1, 100_000);
    let max_lines = reading.number("decision_log.max_stream_lines", 1, 1 << 40);
    let secret = reading.parsed("decision_log.secret", secrets::secret);
    let layered = reading.layered;
    let mut object = |name: &str, detail: String| {
        reading.mistakes.push(format!("setting decision_log.{name}: {detail}"));
    };
    let ids = match (reading_text(layered, "ids"), secret) {
        ("clear", _) => Some(LoggedIds::Clear),
        ("digest", secret) => secret.map(|secret| LoggedIds::Digest { secret }),
        (other, _) => {
            object("ids", format!("`{other}` is neither `digest` nor `clear`"));
            return None;
        }
    };
    let to = match reading_text(layered, "to") {
        "" => return None,
        REDIS_STREAM if matches!(ledger, LedgerUrl::Redis(_)) => LogTo::RedisStream { max_lines },
        REDIS_STREAM => {
            object("to", format!("`{REDIS_STREAM}` needs a ledger in Redis; see ledger.url"));
            return None;
        }
        other => match other.strip_prefix(FILE_PREFIX).filter(|directory| !directory.is_empty()) {
            Some(directory) => LogTo::Files { directory: directory.into(), max_file_bytes, max_files },
            None => {
                object("to", format!("`{other}` is neither `file:DIR` nor `{REDIS_STREAM}`"));
                return None;
            }
        },
    };
    if ids.is_none() && reading_text(layered, "secret").is_empty() {
        let detail = "ids are logged as digests, which would be guessed if nothing keyed them; give a secret of at \
                      least 32 random characters, or set ids = \"clear\"";
        object("secret", detail.to_owned());
    }
    Some(DecisionLogSettings { to, ids: ids? })
}

fn reading_text<'v>(layered: &'v serde_json::Value, name: &str) -> &'v str {
    layered.get("decision_log").and_then(|settings| settings.get(name)?.as_str()).unwrap_or("")
}
