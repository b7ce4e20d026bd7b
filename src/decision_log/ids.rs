//! How ids are written: as they are, or as digests that only a secret makes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::settings::LoggedIds;

/// What the key of the digests is for.
const USE: &str = "contact-governor: the decision log: digests of ids";
/// Bytes of a digest that are written: enough that no two ids of any company share theirs.
const DIGEST_BYTES: usize = 16;

/// Writes ids.
pub enum Ids {
    Clear,
    Digest { key: [u8; 32] },
}

/// What an id is of; the same text has another digest as another.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Customer,
    Contact,
    Event,
    Addressee,
}

impl Ids {
    #[must_use]
    pub fn new(settings: &LoggedIds) -> Self {
        match settings {
            LoggedIds::Clear => Self::Clear,
            LoggedIds::Digest { secret } => {
                Self::Digest { key: blake3::derive_key(USE, secret.expose().as_bytes()) }
            }
        }
    }

    /// The same for the same id, always.
    #[must_use]
    pub fn written(&self, of: Of, id: &str) -> String {
        let key = match self {
            Self::Clear => return id.to_owned(),
            Self::Digest { key } => key,
        };
        let kind = match of {
            Of::Customer => b'c',
            Of::Contact => b'm',
            Of::Event => b'e',
            Of::Addressee => b'a',
        };
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(&[kind]).update(id.as_bytes());
        let digest = hasher.finalize();
        URL_SAFE_NO_PAD.encode(digest.as_bytes().get(..DIGEST_BYTES).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn keyed(secret: &str) -> Ids {
        Ids::new(&LoggedIds::Digest { secret: Secret::new(secret.to_owned()) })
    }

    #[test]
    fn a_digest_depends_on_the_id_on_what_it_is_of_and_on_the_secret() {
        let ids = keyed("one");
        let digest = ids.written(Of::Customer, "c-1");
        assert_eq!(digest.len(), 22);
        assert_eq!(digest, keyed("one").written(Of::Customer, "c-1"));
        for other in [
            ids.written(Of::Customer, "c-2"),
            ids.written(Of::Contact, "c-1"),
            keyed("two").written(Of::Customer, "c-1"),
        ] {
            assert_ne!(digest, other);
        }
        assert_eq!(Ids::Clear.written(Of::Customer, "c-1"), "c-1");
    }
}
