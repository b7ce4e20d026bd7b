//! The answer, and the reasons that go with it.

use std::sync::Arc;

use super::follow_up::FollowUp;
use super::moment::Moment;
use super::suppression::Reach;
use super::window::Window;
use super::words::{ClaimSet, Name, Verdict};

/// What a rule says when it does not pass. `Advise` never blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleVerdict {
    Advise,
    Refuse(Verdict),
}

impl RuleVerdict {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advise => "advise",
            Self::Refuse(verdict) => verdict.name(),
        }
    }

    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Refuse(_))
    }
}

/// What a rule found. One variant for each thing that can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    Suppression {
        reach: Reach,
        since: Moment,
    },
    Halt {
        since: Moment,
    },
    WishedChannel,
    WishedPause {
        until: Moment,
    },
    WishedLimit {
        limit: u32,
        used: u64,
        window: Window,
    },
    WishedHours,
    Audience {
        unknown: bool,
    },
    Cap {
        limit: u32,
        used: u64,
        window: Window,
    },
    Hold {
        since: Moment,
        until: Option<Moment>,
    },
    ContactHours {
        zone_unknown: bool,
    },
    Requirement {
        unknown: bool,
    },
    /// The text claims more than its sender declared.
    Undeclared {
        claims: ClaimSet,
    },
    /// The ledger could not be reached.
    Blind,
}

impl Finding {
    /// The kind's word in reasons.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Suppression { .. } => "suppression",
            Self::Halt { .. } => "halt",
            Self::WishedChannel | Self::WishedPause { .. } | Self::WishedLimit { .. } | Self::WishedHours => {
                "wish"
            }
            Self::Audience { .. } => "audience",
            Self::Cap { .. } => "cap",
            Self::Hold { .. } => "hold",
            Self::ContactHours { .. } => "contact_hours",
            Self::Requirement { .. } => "requirement",
            Self::Undeclared { .. } => "claims",
            Self::Blind => "blind",
        }
    }
}

/// The words a rule may not be called by, because reasons use them for what is no rule.
pub const RESERVED_RULE_IDS: [&str; 6] = ["suppression", "halt", "wish", "audience", "claims", "blind"];

/// Why a question was not simply allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    pub rule: Name,
    pub finding: Finding,
    pub verdict: RuleVerdict,
    pub because: Arc<str>,
    /// The first moment this rule alone would pass, if there is one within the search horizon.
    pub not_before: Option<Moment>,
    /// A shadow rule's reason is advice only.
    pub shadow: bool,
}

/// Where a matching cap stands after the answer, in its fullest window around the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    pub rule: Name,
    pub limit: u32,
    pub used: u64,
    /// When the next contact like this one would pass the cap; absent when it would at once, or never.
    pub next_free: Option<Moment>,
    /// A shadow cap's budget binds nobody.
    pub shadow: bool,
}

/// Which policy an answer was made under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMark {
    pub version: Name,
    pub hash: Name,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub verdict: Verdict,
    pub contact_id: Name,
    /// The moment reserved; with `allow` only.
    pub send_at: Option<Moment>,
    /// With `defer` only.
    pub not_before: Option<Moment>,
    pub reasons: Vec<Reason>,
    pub advice: Vec<Reason>,
    pub claims: ClaimSet,
    pub budgets: Vec<Budget>,
    /// Other channels that would be allowed now, if that was asked for.
    pub alternatives: Option<Vec<Name>>,
    /// The task that the answer gave to a person; with `handoff` only.
    pub follow_up: Option<FollowUp>,
    pub policy: PolicyMark,
    /// Made without the ledger.
    pub degraded: bool,
    /// Beside the answer, for whoever watches; no caller is told.
    pub aside: Option<Box<Aside>>,
}

/// What is known when a question is answered and is no part of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Aside {
    /// What the policy that is only tried would have answered, if there is one and it can judge the question.
    pub in_shadow: Option<Answer>,
    /// The customer's contacts within the seven days up to one that was allowed, itself included.
    pub contacts_in_week: u32,
}
