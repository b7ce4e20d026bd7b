//! What an import file holds, and by which columns.

use clap::ValueEnum;

use crate::cli::columns::{CUSTOMER, Others, Vocabulary, steps};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Consents given, withdrawn or pending.
    Consents,
    /// Customers who are not to be contacted.
    Suppressions,
    /// What is known of customers: every other column is a fact.
    Facts,
}

/// When facts were so.
pub const AS_OF: &str = "as_of";

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consents => "consents",
            Self::Suppressions => "suppressions",
            Self::Facts => "facts",
        }
    }

    /// The columns that mean something.
    pub const fn vocabulary(self) -> Vocabulary {
        let (known, others): (&[&str], Others) = match self {
            Self::Consents => (
                &[CUSTOMER, "status", "channel", "purpose", "time", "evidence", "source", "expires_at"],
                Others::Ignored,
            ),
            Self::Suppressions => (
                &[CUSTOMER, "channel", "purposes", "reason", "source", "expires_at", "time"],
                Others::Ignored,
            ),
            Self::Facts => (&[CUSTOMER, AS_OF], Others::Facts),
        };
        Vocabulary { holds: self.name(), known, required: &[CUSTOMER], others }
    }

    /// The column that a JSON pointer into what was made of a row is about.
    pub fn column_at(self, pointer: &str) -> Option<String> {
        let mut steps = steps(pointer);
        let first = steps.next()?;
        match (self, first.as_str(), steps.next()) {
            (Self::Facts, _, Some(member)) if member == AS_OF => Some(member),
            (Self::Consents | Self::Suppressions, "data", member) => member,
            (Self::Consents | Self::Suppressions, "subject", _) => Some(CUSTOMER.to_owned()),
            (Self::Consents | Self::Suppressions | Self::Facts, _, _) => Some(first),
        }
    }
}
