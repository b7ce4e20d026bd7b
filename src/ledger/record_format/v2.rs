//! The second stored shape: what accounts for events, every word on consent with its evidence, suppressions by
//! purpose that may end, and who set the wishes. The rest is as in the first.

mod decode;
mod encode;

use serde::{Deserialize, Serialize};

use super::v1::{NameNumber, StoredContact, StoredFact, StoredId, StoredTags, StoredWaiting, StoredWishes};

pub use decode::decode;
pub use encode::encode;

pub const VERSION: u8 = 2;

#[derive(Serialize, Deserialize)]
struct StoredRecord<'b> {
    #[serde(borrow)]
    names: Vec<&'b str>,
    tag_sets: Vec<StoredTags>,
    #[serde(borrow)]
    contacts: Vec<StoredContact<'b>>,
    #[serde(borrow)]
    events: Vec<StoredEvent<'b>>,
    #[serde(borrow)]
    waiting: Vec<StoredWaiting<'b>>,
    /// Tag set, contacts.
    tallies: Vec<(u32, u32)>,
    consents: Vec<StoredConsent>,
    facts: Vec<StoredFact>,
    wishes: Option<StoredWishes>,
    wishes_set: Option<StoredProvenance>,
    suppressions: Vec<StoredSuppression>,
    lifts: Vec<StoredLift>,
}

/// Bits of an event's flags.
const EVERY_PURPOSE: u8 = 1;
const PENDING: u8 = 2;

#[derive(Serialize, Deserialize)]
struct StoredEvent<'b> {
    key: [u8; 8],
    kind: NameNumber,
    time_gap_ms: i64,
    #[serde(borrow)]
    contact_id: Option<StoredId<'b>>,
    tags: u32,
    flags: u8,
    purposes: Vec<NameNumber>,
    expires_at_ms: Option<i64>,
    account: Option<StoredAccount>,
}

#[derive(Serialize, Deserialize)]
struct StoredAccount {
    by: NameNumber,
    through: NameNumber,
    reason: NameNumber,
    source: NameNumber,
    evidence: NameNumber,
    text: NameNumber,
}

#[derive(Serialize, Deserialize)]
struct StoredConsent {
    channel: NameNumber,
    purpose: NameNumber,
    time_ms: i64,
    /// 0 pending, 1 granted, 2 withdrawn.
    word: u8,
    expires_at_ms: Option<i64>,
    evidence: NameNumber,
    source: NameNumber,
}

#[derive(Serialize, Deserialize)]
struct StoredProvenance {
    at_ms: i64,
    by: NameNumber,
    through: NameNumber,
}

#[derive(Serialize, Deserialize)]
enum StoredScope {
    Ordinary,
    Purpose(NameNumber),
    EveryPurpose,
}

#[derive(Serialize, Deserialize)]
struct StoredSuppression {
    channel: NameNumber,
    scope: StoredScope,
    since_ms: i64,
    until_ms: Option<i64>,
    reason: NameNumber,
    source: NameNumber,
}

#[derive(Serialize, Deserialize)]
struct StoredLift {
    channel: NameNumber,
    purpose: NameNumber,
    at_ms: i64,
}
