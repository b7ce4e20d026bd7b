//! Ids as digests that only a secret makes: the same for one id wherever it stands, and nobody's to try out who lacks
//! the secret.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// What the key of the digests is for.
const USE: &str = "contact-governor: the decision log: digests of ids";
/// Bytes of a digest that are written: enough that no two ids of any company share theirs.
const DIGEST_BYTES: usize = 16;

/// What an id is of; the same text has another digest as another.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    Customer,
    Contact,
    Event,
    Addressee,
}

/// What stands for an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Digest(String);

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Makes digests with one secret.
#[derive(Clone)]
pub struct Digests {
    key: [u8; 32],
}

impl Digests {
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { key: blake3::derive_key(USE, secret.as_bytes()) }
    }

    /// The same for the same id, always.
    #[must_use]
    pub fn of(&self, of: Of, id: &str) -> Digest {
        let kind = match of {
            Of::Customer => b'c',
            Of::Contact => b'm',
            Of::Event => b'e',
            Of::Addressee => b'a',
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[kind]).update(id.as_bytes());
        let digest = hasher.finalize();
        Digest(URL_SAFE_NO_PAD.encode(digest.as_bytes().get(..DIGEST_BYTES).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_id_on_what_it_is_of_and_on_the_secret() {
        let one = Digests::new("one");
        let digest = one.of(Of::Customer, "c-1");
        assert_eq!(digest.to_string().len(), 22);
        assert_eq!(digest, Digests::new("one").of(Of::Customer, "c-1"));
        for other in [
            one.of(Of::Customer, "c-2"),
            one.of(Of::Contact, "c-1"),
            Digests::new("two").of(Of::Customer, "c-1"),
        ] {
            assert_ne!(digest, other);
        }
    }
}
