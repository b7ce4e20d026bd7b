//! Where it is written who changed what.

use std::path::PathBuf;

use crate::sealed::fresh_secret;

use super::{Reading, Secret};

/// An audit log, where there is to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    pub directory: PathBuf,
    pub max_file_bytes: u64,
    /// At least one, the present one first.
    pub secrets: Vec<Secret>,
}

/// Reads what the settings say of it; `secrets` are its own.
pub(super) fn read(reading: &mut Reading<'_>, secrets: &[Secret]) -> Option<AuditSettings> {
    let max_file_bytes = reading.number("audit.max_file_bytes", 1_024, 1 << 40) as u64;
    let directory = reading.file("audit.directory")?;
    if secrets.is_empty() && reading.given("audit.secrets").is_none() {
        let fresh = fresh_secret().unwrap_or_else(|| "at least 32 random characters".to_owned());
        reading.mistakes.push(format!(
            "setting audit.secrets: the audit log needs a secret, without which whoever can write its files could \
             make them anew, and guess who the customers are; this one is fresh: {fresh}"
        ));
    }
    Some(AuditSettings { directory, max_file_bytes, secrets: secrets.to_vec() })
}
