//! Labels that callers make up: only so many are told apart, and the rest is `other`, so that no caller can fill the
//! memory of this program or of whoever scrapes it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::domain::moment::{Moment, Span};
use crate::domain::words::Name;

/// What stands for all that are not told apart.
pub const OTHER: &str = "other";

/// Longer values, or those in which an address might stand, are nobody's name.
const LONGEST: usize = 64;

fn is_a_name(value: &str) -> bool {
    value.len() <= LONGEST && !value.contains('@')
}

/// The values of one label that are told apart.
#[derive(Debug)]
pub struct Bounded {
    most: usize,
    /// A value that was not seen for so long makes room for another; `None`: never.
    idle: Option<Span>,
    /// When each was seen last.
    known: RwLock<HashMap<Name, AtomicI64>>,
}

/// What a value is called, and what is called so no longer.
#[derive(Debug, PartialEq, Eq)]
pub struct Label<'v> {
    pub value: &'v str,
    pub made_room: Option<Name>,
}

impl<'v> Label<'v> {
    const fn known(value: &'v str) -> Self {
        Self { value, made_room: None }
    }
}

impl Bounded {
    #[must_use]
    pub fn new(most: usize, idle: Option<Span>) -> Self {
        Self { most, idle, known: RwLock::default() }
    }

    /// The label of a value seen at `now`.
    pub fn label<'v>(&self, value: &'v str, now: Moment) -> Label<'v> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(seen) = known.get(value) {
                seen.store(now.millis(), Ordering::Relaxed);
                return Label::known(value);
            }
            let is_full = known.len() >= self.most && self.idlest(&known, now).is_none();
            if is_full || !is_a_name(value) {
                return Label::known(OTHER);
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut made_room = None;
        if known.len() >= self.most && !known.contains_key(value) {
            let Some(idlest) = self.idlest(&known, now) else { return Label::known(OTHER) };
            known.remove(&idlest);
            made_room = Some(idlest);
        }
        known.insert(value.into(), AtomicI64::new(now.millis()));
        Label { value, made_room }
    }

    /// The value that was not seen for longest, if that is long enough.
    fn idlest(&self, known: &HashMap<Name, AtomicI64>, now: Moment) -> Option<Name> {
        let idle_since = now - self.idle?;
        let seen = |at: &AtomicI64| at.load(Ordering::Relaxed);
        let (name, at) = known.iter().min_by_key(|(_, at)| seen(at))?;
        (seen(at) < idle_since.millis()).then(|| name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::from_millis(3_600_000);

    fn at(millis: i64) -> Moment {
        Moment::from_millis(millis)
    }

    #[test]
    fn so_many_are_told_apart_and_no_more() {
        let senders = Bounded::new(2, None);
        for (value, label) in [("a", "a"), ("b", "b"), ("c", OTHER), ("a", "a"), ("d", OTHER)] {
            assert_eq!(senders.label(value, at(0)), Label::known(label));
        }
    }

    #[test]
    fn what_may_be_an_address_is_not_told() {
        let campaigns = Bounded::new(9, None);
        for (value, label) in [("ada@example.org", OTHER), ("autumn 2026: news", "autumn 2026: news")] {
            assert_eq!(campaigns.label(value, at(0)), Label::known(label));
        }
        assert_eq!(campaigns.label(&"a".repeat(65), at(0)), Label::known(OTHER));
    }

    #[test]
    fn what_was_not_seen_for_long_makes_room() {
        let campaigns = Bounded::new(2, Some(HOUR));
        campaigns.label("spring", at(0));
        campaigns.label("summer", at(1));
        assert_eq!(campaigns.label("autumn", at(HOUR.millis())), Label::known(OTHER));
        campaigns.label("spring", at(HOUR.millis()));
        let made_room = Some("summer".into());
        assert_eq!(campaigns.label("autumn", at(HOUR.millis() + 2)), Label { value: "autumn", made_room });
        assert_eq!(campaigns.label("summer", at(HOUR.millis() + 2)), Label::known(OTHER));
    }
}
