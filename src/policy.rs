//! The operator's rules: a TOML file in, a compiled policy or every mistake at once out.
//!
//! ```text
//! text → document (serde, shape) → compile (meaning) → Policy
//! ```

pub mod compile;
pub mod diff;
pub mod document;
pub mod mistakes;
pub mod placed;
pub mod presets;
pub mod sentences;
pub mod shape;
pub mod source;
pub mod warnings;

use std::sync::Arc;

use crate::claims::Reader;
use crate::domain::answer::PolicyMark;
use crate::domain::moment::Span;
use crate::domain::words::Name;
use crate::rules::company::Company;
use crate::rules::{Rule, RuleKind};

/// A compiled policy: what the company settled, and its rules in the order they are judged and
/// listed (caps, holds, contact hours, requirements; presets first).
#[derive(Debug)]
pub struct Policy {
    pub mark: PolicyMark,
    pub company: Company,
    pub rules: Vec<Rule>,
    /// Reads claims with the operator's own phrases; `None`: there are none.
    pub reader: Option<Arc<Reader>>,
    /// The presets it extends, as named.
    pub extends: Vec<Name>,
}

impl Policy {
    /// The longest time after which a contact or event can still matter to a rule (lifetime caps are
    /// served by counts instead). Holds without an end look back for ever; what they need is kept
    /// apart.
    #[must_use]
    pub fn longest_look_back(&self) -> Span {
        let of_rule = |rule: &Rule| match &rule.kind {
            RuleKind::Cap(cap) if cap.window == crate::domain::window::Window::Lifetime => Span::default(),
            RuleKind::Cap(cap) => cap.window.reach(),
            RuleKind::Hold(hold) => {
                let longest = [hold.at_longest, hold.pause]
                    .into_iter()
                    .flatten()
                    .map(crate::rules::hold::Stretch::at_most)
                    .max();
                longest
                    .unwrap_or_default()
                    .max(hold.repetition.map_or(Span::default(), |repetition| repetition.within))
            }
            RuleKind::ContactHours(_) | RuleKind::Requirement(_) => Span::default(),
        };
        self.rules.iter().map(of_rule).max().unwrap_or_default()
    }
}
