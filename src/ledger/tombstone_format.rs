//! A tombstone as bytes: when it was erased, in milliseconds since 1970 (8 bytes, little-endian, signed), then a
//! record (`record_format`) that holds nothing but suppressions.

use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::tombstone::Tombstone;

use super::{LedgerError, record_format};

#[must_use]
pub fn encode(tombstone: &Tombstone) -> Vec<u8> {
    let mut record = Record::default();
    record.suppressions.clone_from(&tombstone.suppressions);
    record_format::append(tombstone.erased_at.millis().to_le_bytes().to_vec(), &record)
}

/// # Errors
/// When the bytes are no tombstone.
pub fn decode(bytes: &[u8]) -> Result<Tombstone, LedgerError> {
    let (erased_at_ms, record) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| LedgerError::Unreadable { why: "too short for a tombstone".to_owned() })?;
    let erased_at = Moment::from_millis(i64::from_le_bytes(*erased_at_ms));
    Ok(Tombstone { erased_at, suppressions: record_format::decode(record)?.suppressions })
}
