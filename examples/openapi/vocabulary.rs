//! The words a caller may use, each list from where the program has it.
//!
//! Channels and purposes are the policy's: here those every policy knows. A running instance puts its own policy's
//! in their place (`src/http/openapi.rs`), which is why each of the two stands in the document exactly once.

use contact_governor::domain::answer::RESERVED_RULE_IDS;
use contact_governor::domain::event::EventKind;
use contact_governor::domain::timeline::KINDS;
use contact_governor::domain::words::{BUILT_IN_CHANNELS, BUILT_IN_PURPOSES, Claim, Delivery, Verdict};

use super::shape::{Shape, about, one_of, words};

pub fn channel() -> Shape {
    about(words(BUILT_IN_CHANNELS), "By which way a message goes; a policy may declare more.")
}

pub fn purpose() -> Shape {
    about(words(BUILT_IN_PURPOSES), "What a message is for; a policy may declare more.")
}

pub fn delivery() -> Shape {
    about(words(Delivery::ALL.map(Delivery::name)), "Who speaks. All but `human` are automated.")
}

pub fn claim() -> Shape {
    about(words(Claim::ALL.map(Claim::name)), "What the words of a message assert.")
}

pub fn verdict() -> Shape {
    about(
        words(Verdict::ALL.map(Verdict::name)),
        "`allow`; `defer`: not before a stated moment; `handoff`: a person must do it; `deny`.",
    )
}

/// A word of `shape`, or the empty text, which says nothing.
pub fn or_blank(shape: Shape) -> Shape {
    one_of([shape, words([""])])
}

pub fn timeline_kind() -> Shape {
    words(KINDS)
}

/// The kinds of event that `is` picks.
pub fn event_kinds(is: impl Fn(&EventKind) -> bool) -> Shape {
    let picked: Vec<&EventKind> = EventKind::KNOWN.iter().filter(|kind| is(kind)).collect();
    words(picked.into_iter().map(EventKind::name))
}

/// The kinds of rule, and the words for what refuses and is no rule.
pub fn finding_kinds() -> Shape {
    words(["cap", "hold", "contact_hours", "requirement"].into_iter().chain(RESERVED_RULE_IDS))
}
