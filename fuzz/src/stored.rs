//! A record as a ledger keeps it.

use contact_governor::ledger::record_format::{decode, encode};

/// Either no record, or one that is written and read as itself, and then always in the same bytes.
pub fn stored_record(bytes: &[u8]) {
    let Ok(record) = decode(bytes) else { return };
    let written = encode(&record);
    let read = decode(&written).expect("what is written is read");
    assert!(read == record, "{record:?} was read again as {read:?}");
    assert_eq!(encode(&read), written, "the same record in the same bytes");
}
