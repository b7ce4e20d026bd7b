//! Opaque texts: bytes that only this program's secret opens, safe to stand in an address.
//!
//! What is promised: whoever lacks the secret can neither read a sealed text nor make or change one, and
//! a text sealed for one use does not open for another. The same bytes seal to the same text, so a text
//! can be made again and compared.
//!
//! What is not: the length of the bytes shows, and so does that two texts hold the same; a text opens for
//! as long as its secret is kept, unless what is inside says when it ends; and whoever has the text can
//! use it. What the bytes mean is not known here.
//!
//! A sealed text is the URL-safe base64, without padding, of
//!
//! ```text
//! version (1 byte: 1) | nonce (12 bytes) | ChaCha20-Poly1305 of the bytes, with their tag (16 bytes)
//! ```
//!
//! with the version as associated data. The nonce is the beginning of a keyed BLAKE3 digest of the bytes:
//! no source of randomness can fail or repeat itself, and two different texts are as unlikely to share
//! one as with a random nonce. Both keys are derived from the secret and the use by BLAKE3.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

const VERSION: u8 = 1;
/// Nothing longer is looked at: a customer's id of 256 characters, four bytes each, and some room.
const LONGEST_SEALED: usize = 2_048;
/// Of a fresh secret: as many as the keys made of it have.
const SECRET_BYTES: usize = 32;

/// Seals and opens, for one use.
pub struct Sealer {
    /// The first seals; all open, in this order.
    keys: Vec<Keys>,
}

struct Keys {
    sealing: LessSafeKey,
    nonces: [u8; 32],
}

impl Keys {
    fn new(use_of_it: &str, secret: &str) -> Option<Self> {
        let derived = |part: &str| blake3::derive_key(&format!("{use_of_it}: {part}"), secret.as_bytes());
        let sealing = UnboundKey::new(&CHACHA20_POLY1305, &derived("sealing")).ok()?;
        Some(Self { sealing: LessSafeKey::new(sealing), nonces: derived("nonces") })
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (version, rest) = sealed.split_first()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
        if *version != VERSION {
            return None;
        }
        let mut bytes = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.sealing.open_in_place(nonce, Aad::from([VERSION]), &mut bytes).ok()?.len();
        bytes.truncate(opened);
        Some(bytes)
    }
}

impl Sealer {
    /// `use_of_it` is a sentence of the program's own that no other use shares; it keeps the texts of
    /// different uses apart. Texts sealed with the `former` secrets still open.
    #[must_use]
    pub fn new<'s>(use_of_it: &str, secret: &'s str, former: impl IntoIterator<Item = &'s str>) -> Self {
        let secrets = std::iter::once(secret).chain(former);
        Self { keys: secrets.filter_map(|secret| Keys::new(use_of_it, secret)).collect() }
    }

    /// The text that stands for `bytes`; empty only if they are too long to be opened again.
    #[must_use]
    pub fn seal(&self, bytes: &[u8]) -> String {
        let Some(keys) = self.keys.first() else {
            return String::new();
        };
        let digest = blake3::keyed_hash(&keys.nonces, bytes);
        let Some(nonce) = digest.as_bytes().first_chunk::<NONCE_LEN>() else {
            return String::new();
        };
        let mut sealing = bytes.to_vec();
        let unique = Nonce::assume_unique_for_key(*nonce);
        if keys.sealing.seal_in_place_append_tag(unique, Aad::from([VERSION]), &mut sealing).is_err() {
            return String::new();
        }
        let text = URL_SAFE_NO_PAD.encode([&[VERSION][..], nonce, &sealing].concat());
        if text.len() <= LONGEST_SEALED { text } else { String::new() }
    }

    /// What was sealed; nothing if the text is not one that this secret or a former one sealed for this
    /// use, to the last character.
    #[must_use]
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST_SEALED {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        self.keys.iter().find_map(|keys| keys.open(&sealed))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealer({} keys)", self.keys.len())
    }
}

/// A secret that nobody has used; `None` if the system has no randomness to give.
#[must_use]
pub fn fresh_secret() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "a secret of at least thirty-two characters";
    const FORMER: &str = "another one of at least thirty-two of them";

    #[test]
    fn opens_what_it_and_former_secrets_sealed_for_the_same_use() {
        let sealer = Sealer::new("tests", SECRET, [FORMER]);
        let cases = [
            ("its own", Sealer::new("tests", SECRET, []), true),
            ("a former one", Sealer::new("tests", FORMER, []), true),
            ("another secret", Sealer::new("tests", "neither of the two that are known here", []), false),
            ("another use", Sealer::new("other tests", SECRET, []), false),
        ];
        for (which, other, opens) in cases {
            let opened = sealer.open(&other.seal(b"c-1001"));
            assert_eq!(opened.as_deref(), opens.then_some(&b"c-1001"[..]), "{which}");
        }
    }

    #[test]
    fn the_form_stays_what_it_is() {
        // Links last for months: what this version sealed, every later one opens.
        let sealed = "AZzwBZV2zxjNVOXbmW7fY1v4U4fWOHg_4bzopJZxlQPQNeg";
        let sealer = Sealer::new("tests", SECRET, []);
        assert_eq!(sealer.seal(b"c-1001"), sealed);
    }

    #[test]
    fn what_is_too_long_is_neither_sealed_nor_looked_at() {
        let sealer = Sealer::new("tests", SECRET, []);
        assert!(!sealer.seal(&[0; 1_100]).is_empty());
        assert_eq!(sealer.seal(&[0; 2_000]), "");
        assert_eq!(sealer.open(&"A".repeat(LONGEST_SEALED + 1)), None);
    }

    #[test]
    fn fresh_secrets_differ() {
        let (one, other) = (fresh_secret().expect("one"), fresh_secret().expect("another"));
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_come_back_and_no_changed_text_opens(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            place in any::<prop::sample::Index>(),
            other in "[A-Za-z0-9_=+/-]",
        ) {
            let sealer = Sealer::new("tests", SECRET, [FORMER]);
            let text = sealer.seal(&bytes);
            prop_assert_eq!(sealer.open(&text), Some(bytes));
            let place = place.index(text.len());
            let cut = text.get(..place).unwrap_or("");
            prop_assert_eq!(sealer.open(cut), None);
            let changed = format!("{cut}{other}{}", text.get(place + 1..).unwrap_or(""));
            if changed != text {
                prop_assert_eq!(sealer.open(&changed), None);
            }
        }
    }
}
