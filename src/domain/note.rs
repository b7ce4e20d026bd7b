//! The governor's own notes in a record: events that say what people did through it. Nobody can tell them: told
//! events are known ones or `x.…`.

use super::event::{Event, EventKey, EventKind};
use super::moment::Moment;

pub const HANDED_OVER: &str = "governor.handed_over";
pub const CLAIMED: &str = "governor.claimed";
pub const DONE: &str = "governor.done";
/// A follow-up was overdue, and whoever listens was told so.
pub const ESCALATED: &str = "governor.escalated";
/// Whoever listens was told of a follow-up.
pub const ANNOUNCED: &str = "governor.announced";
pub const WISHED: &str = "governor.wished";
pub const SUPPRESSED: &str = "governor.suppressed";
pub const UNSUPPRESSED: &str = "governor.unsuppressed";

/// A note of which nothing is said but what kind it is.
#[must_use]
pub fn note(key: EventKey, kind: &str, time: Moment) -> Event {
    Event::plain(key, EventKind::Own(kind.into()), time)
}

/// A number made of another one and a word, as far from all others as chance allows.
#[must_use]
pub fn derived(number: u64, word: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_le_bytes()).update(word.as_bytes());
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = *hasher.finalize().as_bytes();
    u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7])
}
