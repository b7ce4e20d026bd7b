//! What was said to account for something: who did it, through what, why, and on what evidence.

use super::moment::Moment;
use super::words::Name;

/// For whoever reads a customer's timeline and asks how it came to that. Nothing is judged by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The person or program that did it.
    pub by: Option<Name>,
    /// What they did it through: a channel, a page, a desk.
    pub through: Option<Name>,
    pub reason: Option<Name>,
    /// The list, form or system it came from.
    pub source: Option<Name>,
    /// Where the proof is kept: the id of a form, a recording, a double opt-in.
    pub evidence: Option<Name>,
    /// What was said or done, in words.
    pub text: Option<Name>,
}

impl Account {
    /// Nothing where nothing was said.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// When something was set, by whom, and through what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub at: Moment,
    pub by: Option<Name>,
    pub through: Option<Name>,
}
