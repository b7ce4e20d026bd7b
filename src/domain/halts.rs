//! Campaigns that were stopped, for every customer at once.

use std::collections::BTreeMap;

use super::moment::Moment;
use super::words::Name;

/// The campaigns halted now, each with the moment it was halted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Halts(BTreeMap<Name, Moment>);

impl Halts {
    #[must_use]
    pub fn since(&self, campaign: &str) -> Option<Moment> {
        self.0.get(campaign).copied()
    }

    /// Halts `campaign` as of `at`; a campaign already halted keeps its first moment.
    pub fn halt(&mut self, campaign: Name, at: Moment) {
        self.0.entry(campaign).or_insert(at);
    }

    pub fn lift(&mut self, campaign: &str) {
        self.0.remove(campaign);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Moment)> {
        self.0.iter().map(|(campaign, at)| (&**campaign, *at))
    }
}

impl FromIterator<(Name, Moment)> for Halts {
    fn from_iter<I: IntoIterator<Item = (Name, Moment)>>(halts: I) -> Self {
        Self(halts.into_iter().collect())
    }
}
