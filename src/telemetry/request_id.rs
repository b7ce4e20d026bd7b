//! What a request is called: by its caller, or by us.

use std::fmt;

use crate::domain::moment::Moment;

/// Longer than any that gateways make, and short enough for every line of a log.
const LONGEST: usize = 64;
/// No telephone number has more digits (ITU-T E.164).
const TELEPHONE_DIGITS: usize = 15;

/// The id of a request: letters, digits, `-`, `_` and `.`, so that it can stand in a header, a log line or JSON as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    bytes: [u8; LONGEST],
    length: u8,
}

impl RequestId {
    /// What a caller sent, if it is one. What may be an e-mail address or a telephone number is none.
    #[must_use]
    pub fn parse(sent: &[u8]) -> Option<Self> {
        let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let digits = sent.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_named = sent.iter().any(u8::is_ascii_alphabetic) || digits > TELEPHONE_DIGITS;
        if !is_named || !sent.iter().all(is_safe) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..sent.len())?.copy_from_slice(sent);
        Some(Self { bytes, length: sent.len() as u8 })
    }

    /// One of our own, a UUID of version 7: sorted as texts they are in order of time.
    #[must_use]
    pub fn mint(now: Moment) -> Self {
        let mut random = [0; 10];
        random.copy_from_slice(uuid::Uuid::new_v4().as_bytes().get(6..).unwrap_or(&[0; 10]));
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        let mut bytes = [0; LONGEST];
        let length = id.as_hyphenated().encode_lower(&mut bytes).len() as u8;
        Self { bytes, length }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let written = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sane_is_taken_as_it_is() {
        for sent in [
            "a",
            "req-42",
            "0197f2a0-7b1c-7d5e-8a44-3f2b1c0d9e8f",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "1234567890123456",
            "a.b_c-D.9",
            &"x".repeat(LONGEST),
        ] {
            assert_eq!(RequestId::parse(sent.as_bytes()).map(|id| id.to_string()).as_deref(), Some(sent));
        }
    }

    #[test]
    fn what_is_not_is_none() {
        for sent in [
            "",
            " ",
            "a b",
            "a\tb",
            "a\r\nset-cookie: b",
            "a\0b",
            "a\u{1b}[31mb",
            "a\"b",
            "a\\b",
            "a'b",
            "a<b>",
            "a,b",
            "a;b",
            "${jndi:ldap://x}",
            "%0d%0a",
            "caf\u{e9}",
            "trillian@heart-of-gold.example",
            "+44 20 7946 0042",
            "442079460042",
            "020-7946-0042",
            "...",
            &"x".repeat(LONGEST + 1),
            &"9".repeat(100_000),
        ] {
            assert_eq!(RequestId::parse(sent.as_bytes()), None, "{sent:?}");
        }
        assert_eq!(RequestId::parse(&[b'a', 0xff]), None);
    }

    #[test]
    fn ours_are_uuids_of_version_7_that_sort_by_time_and_are_taken_by_the_next() {
        let ids: Vec<String> = [1_794_830_400_000, 1_794_830_400_001]
            .map(|millis| RequestId::mint(Moment::from_millis(millis)).to_string())
            .into();
        assert!(ids[0] < ids[1], "{ids:?}");
        let id = uuid::Uuid::parse_str(&ids[0]).expect("a UUID");
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(id.get_timestamp().map(|at| at.to_unix().0), Some(1_794_830_400));
        assert_eq!(RequestId::parse(ids[0].as_bytes()).map(|id| id.to_string()), Some(ids[0].clone()));
    }
}
