//! Records as bytes, for every ledger that keeps them outside this process.
//!
//! A version byte, then the version's own shape in the postcard encoding (see
//! `docs/stored-format.md`). Bytes of every version ever written stay readable: a new shape gets a new
//! module and a new byte, the old ones stay. Names and tag sets stand once in a record and are referred
//! to by number; moments are differences from the entry before.

mod reading;
mod v1;
mod v2;

use crate::domain::record::Record;

use super::LedgerError;

/// The record as bytes, in the current version.
#[must_use]
pub fn encode(record: &Record) -> Vec<u8> {
    append(Vec::new(), record)
}

/// The same, after what a ledger puts in front.
#[must_use]
pub fn append(mut bytes: Vec<u8>, record: &Record) -> Vec<u8> {
    bytes.reserve(64 + record.contacts().len() * 48);
    bytes.push(v2::VERSION);
    v2::encode(record, bytes)
}

/// # Errors
/// When the bytes are of no known version, or not what that version writes.
pub fn decode(bytes: &[u8]) -> Result<Record, LedgerError> {
    match bytes.split_first() {
        Some((&v2::VERSION, rest)) => v2::decode(rest),
        Some((&v1::VERSION, rest)) => v1::decode(rest),
        Some((version, _)) => {
            Err(LedgerError::Unreadable { why: format!("version {version} is newer than this program") })
        }
        None => Err(LedgerError::Unreadable { why: "no bytes".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_said_to_be_none() {
        for bytes in [
            &[][..],
            &[0],
            &[200, 1, 2],
            &[1],
            &[1, 255, 255, 255, 255, 255, 255],
            &[2, 255, 255, 255, 255, 255, 255],
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn an_empty_record_comes_back() {
        let bytes = encode(&Record::default());
        assert!(bytes.len() < 24, "{} bytes", bytes.len());
        assert_eq!(decode(&bytes).ok(), Some(Record::default()));
    }
}
