//! Leftovers of quoted-printable: `=20`, `=E2=80=99`, a line cut by `=`.
//!
//! A body that shows such leftovers is decoded as a whole, with every byte's place in the original kept.

use std::borrow::Cow;

/// How much of a source is looked at, in bytes.
const MOST_SOURCE: usize = 2 * 1024 * 1024;

/// Text together with the place each of its bytes came from.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// For each byte of `text`, where it was in the original; one more for the end. Empty: they are the same.
    from: Vec<u32>,
    /// The original is longer than what is looked at.
    pub(super) truncated: bool,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(whole: &'a str) -> Self {
        let end = whole.floor_char_boundary(MOST_SOURCE.min(whole.len()));
        let original = whole.get(..end).unwrap_or_default();
        Self { truncated: end < whole.len(), ..Self::of(original) }
    }

    fn of(original: &'a str) -> Self {
        if shows_leftovers(original.as_bytes()) {
            decode(original)
        } else {
            Self { text: Cow::Borrowed(original), from: Vec::new(), truncated: false }
        }
    }

    /// Whether it is the original, byte for byte.
    pub(super) const fn is_original(&self) -> bool {
        self.from.is_empty()
    }

    /// Where byte `at` of the text came from.
    pub(super) fn origin(&self, at: usize) -> u32 {
        self.from.get(at).copied().unwrap_or(at as u32)
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// The byte written `=XX` at the start of `rest`.
fn escaped(rest: &[u8]) -> Option<u8> {
    match rest {
        [b'=', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

/// The length of a soft line break at the start of `rest`.
fn soft_break(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'=', b'\n', ..] => Some(2),
        [b'=', b'\r', b'\n', ..] => Some(3),
        _ => None,
    }
}

/// `=3D`, `=20` and multi-byte sequences are what mailers leave; one is enough, since plain text has none.
fn shows_leftovers(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'=') {
        rest = rest.get(at..).unwrap_or_default();
        let second = escaped(rest.get(3..).unwrap_or_default());
        match escaped(rest) {
            Some(0x20 | 0x3D | 0x0D | 0x0A | 0x09) => return true,
            Some(0xC2..=0xF4) if second.is_some_and(|next| next & 0xC0 == 0x80) => return true,
            _ if soft_break(rest).is_some() => return true,
            _ => {}
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

fn decode(original: &str) -> Decoded<'_> {
    let bytes = original.as_bytes();
    let (mut out, mut from): (Vec<u8>, Vec<u32>) = (Vec::with_capacity(bytes.len()), Vec::new());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(length) = soft_break(rest) {
            at += length;
            continue;
        }
        let (value, length) = escaped(rest).map_or((*byte, 1), |value| (value, 3));
        out.push(value);
        from.push(at as u32);
        at += length;
    }
    from.push(bytes.len() as u32);
    match String::from_utf8(out) {
        Ok(text) => Decoded { text: Cow::Owned(text), from, truncated: false },
        // Not UTF-8 once decoded: it was not quoted-printable, or not ours to guess.
        Err(_) => Decoded { text: Cow::Borrowed(original), from: Vec::new(), truncated: false },
    }
}
