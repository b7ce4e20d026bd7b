//! The first stored shape.

mod decode;
mod encode;

use serde::{Deserialize, Serialize};

pub use decode::decode;
pub use encode::encode;

pub const VERSION: u8 = 1;

/// A name by its number in the record's table, from 1; 0 is none.
type NameNumber = u32;

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
    suppressions: Vec<StoredSuppression>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, Clone, Copy)]
struct StoredTags {
    channel: NameNumber,
    purpose: NameNumber,
    /// The number in `Delivery::ALL`, from 1; 0 is none.
    delivery: u8,
    campaign: NameNumber,
    category: NameNumber,
    brand: NameNumber,
    subject: NameNumber,
    sender: NameNumber,
    claims: u8,
}

/// Ids that are UUIDs take 16 bytes instead of 36.
#[derive(Serialize, Deserialize)]
enum StoredId<'b> {
    Uuid([u8; 16]),
    Text(&'b str),
}

#[derive(Serialize, Deserialize)]
struct StoredContact<'b> {
    #[serde(borrow)]
    id: StoredId<'b>,
    question: Option<[u8; 8]>,
    tags: u32,
    /// Milliseconds after the contact before; the first after 1970.
    at_gap_ms: i64,
    /// Milliseconds of `reserved_at` before `at`.
    reserved_before_ms: i64,
    standing: u8,
    /// Milliseconds of `told_at` after `at`.
    told_after_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredEvent<'b> {
    key: [u8; 8],
    kind: NameNumber,
    time_gap_ms: i64,
    #[serde(borrow)]
    contact_id: Option<StoredId<'b>>,
    tags: u32,
    every_purpose: bool,
    expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredWaiting<'b> {
    #[serde(borrow)]
    contact_id: StoredId<'b>,
    standing: u8,
    time_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredConsent {
    channel: NameNumber,
    purpose: NameNumber,
    time_ms: i64,
    granted: bool,
    expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredFact {
    name: NameNumber,
    value: StoredValue,
    as_of_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
enum StoredValue {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

#[derive(Serialize, Deserialize)]
struct StoredWishes {
    /// Limit, window as the policy writes it, channels.
    at_most: Vec<(u32, String, Vec<NameNumber>)>,
    channels: Option<Vec<NameNumber>>,
    /// Weekday (0 is Monday), opening and closing minute.
    hours: Option<Vec<(u8, u16, u16)>>,
    pause_until_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredSuppression {
    channel: NameNumber,
    unsubscribed_at_ms: Option<i64>,
    unsubscribed_for_every_purpose_at_ms: Option<i64>,
    resubscribed_at_ms: Option<i64>,
}
