//! The first stored shape. Nothing writes it any more; what of it has not changed since, later versions use.

mod decode;

use serde::{Deserialize, Serialize};

pub use decode::decode;

pub const VERSION: u8 = 1;

/// A name by its number in the record's table, from 1; 0 is none.
pub type NameNumber = u32;

#[derive(Deserialize)]
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
pub struct StoredTags {
    pub channel: NameNumber,
    pub purpose: NameNumber,
    /// The number in `Delivery::ALL`, from 1; 0 is none.
    pub delivery: u8,
    pub campaign: NameNumber,
    pub category: NameNumber,
    pub brand: NameNumber,
    pub subject: NameNumber,
    pub sender: NameNumber,
    pub claims: u8,
}

/// Ids that are UUIDs take 16 bytes instead of 36.
#[derive(Serialize, Deserialize)]
pub enum StoredId<'b> {
    Uuid([u8; 16]),
    Text(&'b str),
}

#[derive(Serialize, Deserialize)]
pub struct StoredContact<'b> {
    #[serde(borrow)]
    pub id: StoredId<'b>,
    pub question: Option<[u8; 8]>,
    pub tags: u32,
    /// Milliseconds after the contact before; the first after 1970.
    pub at_gap_ms: i64,
    /// Milliseconds of `reserved_at` before `at`.
    pub reserved_before_ms: i64,
    pub standing: u8,
    /// Milliseconds of `told_at` after `at`.
    pub told_after_ms: Option<i64>,
}

#[derive(Deserialize)]
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
pub struct StoredWaiting<'b> {
    #[serde(borrow)]
    pub contact_id: StoredId<'b>,
    pub standing: u8,
    pub time_ms: i64,
}

#[derive(Deserialize)]
struct StoredConsent {
    channel: NameNumber,
    purpose: NameNumber,
    time_ms: i64,
    granted: bool,
    expires_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub struct StoredFact {
    pub name: NameNumber,
    pub value: StoredValue,
    pub as_of_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub enum StoredValue {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

#[derive(Serialize, Deserialize)]
pub struct StoredWishes {
    /// Limit, window as the policy writes it, channels.
    pub at_most: Vec<(u32, String, Vec<NameNumber>)>,
    pub channels: Option<Vec<NameNumber>>,
    /// Weekday (0 is Monday), opening and closing minute.
    pub hours: Option<Vec<(u8, u16, u16)>>,
    pub pause_until_ms: Option<i64>,
}

#[derive(Deserialize)]
struct StoredSuppression {
    channel: NameNumber,
    unsubscribed_at_ms: Option<i64>,
    unsubscribed_for_every_purpose_at_ms: Option<i64>,
    resubscribed_at_ms: Option<i64>,
}
