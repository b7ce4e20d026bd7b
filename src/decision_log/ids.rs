//! How ids are written: as they are, or as digests that only a secret makes.

use crate::digest::{Digests, Of};
use crate::settings::LoggedIds;

/// Writes ids.
pub enum Ids {
    Clear,
    Digest(Digests),
}

impl Ids {
    #[must_use]
    pub fn new(settings: &LoggedIds) -> Self {
        match settings {
            LoggedIds::Clear => Self::Clear,
            LoggedIds::Digest { secret } => Self::Digest(Digests::new(secret.expose())),
        }
    }

    /// The same for the same id, always.
    #[must_use]
    pub fn written(&self, of: Of, id: &str) -> String {
        match self {
            Self::Clear => id.to_owned(),
            Self::Digest(digests) => digests.of(of, id).to_string(),
        }
    }
}
