//! Verdicts, counted.

use serde::{Deserialize, Serialize};

use crate::domain::words::Verdict;

/// How often each verdict was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    pub allow: u64,
    pub defer: u64,
    pub handoff: u64,
    pub deny: u64,
}

impl Verdicts {
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Allow => &mut self.allow,
            Verdict::Defer => &mut self.defer,
            Verdict::Handoff => &mut self.handoff,
            Verdict::Deny => &mut self.deny,
        } += 1;
    }

    /// A row of a table in Markdown.
    #[must_use]
    pub fn row(&self, name: &str) -> String {
        let Self { allow, defer, handoff, deny } = self;
        format!("| {name} | {allow} | {defer} | {handoff} | {deny} |")
    }
}
