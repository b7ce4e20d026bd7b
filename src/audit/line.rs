//! One line of the audit log: what it says, the hash of the line before it, and a seal over both.
//!
//! The hash of a line is the BLAKE3 hash of all its bytes; whoever reads the log can follow the chain. The seal is a
//! keyed one of everything before it; only whoever has the secret can make it.

use serde::{Deserialize, Serialize};

use crate::settings::Secret;

use super::{Act, Acting};

/// What keys the seals.
const USE: &str = "contact-governor 2026-11-26 seals of the audit log";
/// What stands between what is sealed and the seal, and behind it.
const SEAL: (&[u8], &[u8]) = (b",\"seal\":\"", b"\"}");
const HEX_BYTES: usize = 64;

/// The hash of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub blake3::Hash);

impl Hash {
    /// What the first line has before it.
    pub const NOTHING: Self = Self(blake3::Hash::from_bytes([0; 32]));

    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        Self(blake3::hash(line))
    }

    /// 64 hexadecimal digits, small ones: one hash is written in one way, so that no byte of a line can be changed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_small = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        blake3::Hash::from_hex(text).ok().filter(|_| is_small).map(Self)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// How far a log has come: its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// 0: nothing was written yet.
    pub line: u64,
    pub hash: Hash,
}

impl Head {
    pub const NONE: Self = Self { line: 0, hash: Hash::NOTHING };
}

/// Makes seals with the present secret, and knows those of former ones.
#[derive(Clone)]
pub struct Seals {
    keys: Vec<[u8; 32]>,
}

impl Seals {
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let derived = secrets.iter().map(|secret| blake3::derive_key(USE, secret.expose().as_bytes()));
        Self { keys: derived.collect() }
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn make(&self, sealed: &[u8]) -> Hash {
        Hash(blake3::keyed_hash(self.keys.first().unwrap_or(&[0; 32]), sealed))
    }

    /// Whether one of the secrets made it.
    fn made(&self, sealed: &[u8], seal: Hash) -> bool {
        self.keys.iter().any(|key| blake3::keyed_hash(key, sealed) == seal.0)
    }
}

/// Who does something, and in answer to which request.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub acting: &'a Acting,
    pub request: Option<&'a str>,
}

#[derive(Serialize)]
struct Body<'a> {
    line: u64,
    at: &'a str,
    who: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
    #[serde(flatten)]
    act: &'a Act,
    previous: String,
}

/// The line that follows `head`, without its end.
#[must_use]
pub fn write(head: Head, at: &str, by: By<'_>, act: &Act, seals: &Seals) -> Vec<u8> {
    let By { acting: Acting { who, key }, request } = by;
    let key = key.as_deref();
    let body = Body { line: head.line + 1, at, who, key, request, act, previous: head.hash.to_string() };
    let mut line = serde_json::to_vec(&body).unwrap_or_default();
    line.pop();
    let seal = seals.make(&line).to_string();
    line.extend_from_slice(SEAL.0);
    line.extend_from_slice(seal.as_bytes());
    line.extend_from_slice(SEAL.1);
    line
}

/// Of a line that was read: what a check needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Said {
    pub line: u64,
    pub at: String,
    pub what: String,
    previous: String,
    #[serde(default)]
    cut_bytes: u64,
    #[serde(default)]
    lost: u64,
}

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub said: Said,
    pub previous: Hash,
    pub hash: Hash,
    /// `None` where there is no secret to tell by.
    pub is_sealed: Option<bool>,
}

impl Read {
    /// How many bytes of half a line were cut off before this one, and how many acts it says are missing.
    #[must_use]
    pub const fn gaps(&self) -> (u64, u64) {
        (self.said.cut_bytes, self.said.lost)
    }
}

/// Reads a line, without its end.
///
/// # Errors
/// Why it is none that this program wrote.
pub fn read(line: &[u8], seals: &Seals) -> Result<Read, String> {
    let said: Said = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let previous = Hash::parse(&said.previous).ok_or("`previous` is no hash")?;
    let (sealed, seal) = parts(line).ok_or("it does not end with a seal")?;
    let is_sealed = (!seals.is_empty()).then(|| seals.made(sealed, seal));
    Ok(Read { said, previous, hash: Hash::of(line), is_sealed })
}

/// What is sealed, and the seal.
fn parts(line: &[u8]) -> Option<(&[u8], Hash)> {
    let rest = line.strip_suffix(SEAL.1)?;
    let (rest, seal) = rest.split_at_checked(rest.len().checked_sub(HEX_BYTES)?)?;
    let seal = Hash::parse(std::str::from_utf8(seal).ok()?)?;
    Some((rest.strip_suffix(SEAL.0)?, seal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Caller;

    #[test]
    fn what_is_written_is_read_and_any_changed_byte_is_seen() {
        let seals = Seals::new(&[Secret::new("a secret".to_owned())]);
        let act = Act::HaltSet { campaign: "autumn \"quoted\"\n".to_owned() };
        let head = Head { line: 6, hash: Hash::of(b"six") };
        let by = By { acting: &Acting::of(&Caller::local()), request: Some("req-42") };
        let line = write(head, "2026-11-16T12:00:00Z", by, &act, &seals);
        let known = read(&line, &seals).expect("a line");
        assert_eq!((known.said.line, &*known.said.what), (7, "halt.set"));
        assert_eq!((known.previous, known.is_sealed), (head.hash, Some(true)));
        // One of the bits makes small letters of capitals.
        for (place, bit) in (0..line.len()).flat_map(|place| [(place, 1), (place, 0x20)]) {
            let mut changed = line.clone();
            changed[place] ^= bit;
            assert!(
                read(&changed, &seals).is_err()
                    || read(&changed, &seals).is_ok_and(|read| read.is_sealed == Some(false)),
                "{place}"
            );
        }
        let former = Seals::new(&[Secret::new("newer".to_owned()), Secret::new("a secret".to_owned())]);
        assert_eq!(read(&line, &former).expect("a line").is_sealed, Some(true));
        assert_eq!(read(&line, &Seals::new(&[])).expect("a line").is_sealed, None);
    }
}
