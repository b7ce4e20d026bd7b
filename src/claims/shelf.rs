//! A reader that remembers: a campaign of a million equal messages is read once.

use std::fmt;
use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;

use super::{Message, OwnPhrases, Reader, Reading};
use crate::domain::words::ClaimSet;

/// How many messages are remembered, by digest: some hundred campaigns in all their languages and
/// variants, in about two megabytes.
const MOST_REMEMBERED: usize = 16_384;

/// The reader of what the program knows by itself; the first to ask builds it, in about a tenth of a
/// second.
#[must_use]
pub fn built_in() -> &'static Arc<Reader> {
    static READER: LazyLock<Arc<Reader>> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "a test builds it: nothing in it comes from outside")]
        let reader = Reader::new(&OwnPhrases::default()).expect("the phrases that ship are sound");
        Arc::new(reader)
    });
    &READER
}

/// Reads messages and remembers what they claimed.
pub struct Shelf {
    /// `None`: the one that is built in, when it is first needed.
    reader: Option<Arc<Reader>>,
    known: Cache<[u8; 16], ClaimSet>,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shelf").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Shelf {
    #[must_use]
    pub fn new(reader: Option<Arc<Reader>>) -> Self {
        Self { reader, known: Cache::new(MOST_REMEMBERED) }
    }

    /// What the message claims.
    #[must_use]
    pub fn claims(&self, message: &Message<'_>) -> ClaimSet {
        if message.subject.is_empty() && message.body.is_empty() {
            return ClaimSet::default();
        }
        let digest = digest(message);
        if let Some(claims) = self.known.get(&digest) {
            return claims;
        }
        let claims = self.read(message).claims;
        self.known.insert(digest, claims);
        claims
    }

    /// What the message claims, and where.
    #[must_use]
    pub fn read(&self, message: &Message<'_>) -> Reading {
        self.reader.as_ref().unwrap_or_else(|| built_in()).read(message)
    }
}

/// A digest of everything a reading depends on; nobody can make two messages share one.
fn digest(message: &Message<'_>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    let parts =
        [Some(message.subject), Some(message.body), message.media_type, message.language, message.channel];
    for part in parts {
        // Lengths keep neighbours apart; the one of what is not given is no length.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(&length.to_le_bytes()).update(part.unwrap_or("").as_bytes());
    }
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_was_read() {
        let shelf = Shelf::new(None);
        let message = Message { body: "We care about you deeply.", ..Message::default() };
        let read = shelf.read(&message).claims;
        assert!(!read.is_empty());
        for _ in 0..3 {
            assert_eq!(shelf.claims(&message), read);
        }
        assert_eq!(shelf.known.len(), 1);
    }

    #[test]
    fn parts_are_told_apart() {
        let one = Message { subject: "ab", body: "c", ..Message::default() };
        let other = Message { subject: "a", body: "bc", ..Message::default() };
        assert_ne!(digest(&one), digest(&other));
        let html = Message { media_type: Some("text/html"), ..one };
        assert_ne!(digest(&one), digest(&html));
    }

    #[test]
    fn more_messages_than_it_can_hold_are_forgotten_not_kept() {
        let shelf = Shelf { reader: None, known: Cache::new(8) };
        for number in 0..100 {
            let body = format!("Order {number} is on its way.");
            let _ = shelf.claims(&Message { body: &body, ..Message::default() });
        }
        assert!(shelf.known.len() <= 8);
    }
}
