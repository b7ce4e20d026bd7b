//! API keys: texts that whoever holds them shows, and hashes by which they are known again. Whose they are is not
//! known here.
//!
//! A key is
//!
//! ```text
//! cg_ | 32 random bytes (64 hexadecimal digits) | the beginning of the BLAKE3 hash of all before (8 digits)
//! ```
//!
//! The prefix and the check are for those who look for keys where none should be, and for whoever pastes one that is
//! cut off. What is kept of a key is its BLAKE3 hash. A slow hash would protect secrets that people think of; here are
//! 256 random bits, which nobody tries out, however fast.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

const PREFIX: &str = "cg_";
const SECRET_BYTES: usize = 32;
const CHECK_DIGITS: usize = 8;
/// In characters, which are bytes.
const KEY_LENGTH: usize = PREFIX.len() + 2 * SECRET_BYTES + CHECK_DIGITS;

/// A key in full. It is never printed but by whoever asks for it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// One that nobody has; `None` if the system has no randomness to give.
    #[must_use]
    pub fn fresh() -> Option<Self> {
        let mut secret = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut secret).ok()?;
        let digits = blake3::Hash::from_bytes(secret).to_hex();
        let body = format!("{PREFIX}{digits}");
        let check = check(&body);
        Some(Self(body + &check))
    }

    /// A key that is whole.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.get(..KEY_LENGTH - CHECK_DIGITS)?;
        let is_whole = text.len() == KEY_LENGTH
            && body.strip_prefix(PREFIX)?.bytes().all(|digit| digit.is_ascii_hexdigit())
            && text.ends_with(&check(body));
        is_whole.then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(blake3::hash(self.0.as_bytes()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[key]")
    }
}

/// Whether somebody probably wrote a key here.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

fn check(body: &str) -> String {
    blake3::hash(body.as_bytes()).to_hex().chars().take(CHECK_DIGITS).collect()
}

/// What a key is known by. Whoever has it cannot make the key of it. Compared in constant time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyHash(blake3::Hash);

impl KeyHash {
    /// Of what somebody shows as a key, whether or not it is one; `None` if it is longer or shorter than keys are.
    #[must_use]
    pub fn of(shown: &[u8]) -> Option<Self> {
        (shown.len() == KEY_LENGTH).then(|| Self(blake3::hash(shown)))
    }

    /// From 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(Self)
    }

    /// The beginning of it, to find it by among others.
    #[must_use]
    pub fn head(&self) -> u64 {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = *self.0.as_bytes();
        u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyHash({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_keys_differ_and_are_known_by_their_hashes() {
        let (one, other) = (ApiKey::fresh().expect("a key"), ApiKey::fresh().expect("another"));
        assert_eq!(one.expose().len(), 75);
        assert_ne!(one, other);
        assert_eq!(ApiKey::parse(one.expose()).as_ref(), Some(&one));
        assert_eq!(KeyHash::of(one.expose().as_bytes()), Some(one.hash()));
        assert_eq!(KeyHash::parse(&one.hash().to_string()), Some(one.hash()));
        assert_ne!(one.hash(), other.hash());
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn a_key_with_any_character_changed_or_missing_is_not_whole() {
        let key = ApiKey::fresh().expect("a key");
        let whole = key.expose();
        for place in 0..whole.len() {
            let mut changed = whole.to_owned();
            let other = if whole.as_bytes()[place] == b'0' { "1" } else { "0" };
            changed.replace_range(place..=place, other);
            assert_eq!(ApiKey::parse(&changed), None, "{place}");
            assert_eq!(ApiKey::parse(whole.get(..place).expect("its beginning")), None, "{place}");
        }
        assert_eq!(ApiKey::parse(&format!("{whole}0")), None);
        assert_eq!(ApiKey::parse(&"ü".repeat(40)), None);
    }

    #[test]
    fn the_form_stays_what_it_is() {
        // Keys are held for years: what this version made, every later one knows.
        let text = "cg_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff7bc77cc1";
        let key = ApiKey::parse(text).expect("a key");
        assert_eq!(key.hash().0, blake3::hash(text.as_bytes()));
    }
}
