//! What outlives an erasure, so that whoever said "leave me alone" is left alone.

use super::moment::Moment;
use super::record::Record;
use super::suppression::{Lift, Scope, Suppression, Suppressions};

/// All that is kept of somebody who was erased. It stands under a keyed hash of their id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub erased_at: Moment,
    pub suppressions: Suppressions,
}

impl Tombstone {
    /// What is kept of a record that is erased: which channels and purposes are suppressed and for how long, and
    /// neither why nor where that came from.
    #[must_use]
    pub fn of(record: &Record, erased_at: Moment) -> Self {
        let bare = |one: &Suppression| Suppression { reason: None, source: None, ..one.clone() };
        let standing =
            record.suppressions.all().iter().filter(|one| one.until.is_none_or(|end| end > erased_at));
        let suppressions: Vec<Suppression> = standing.map(bare).collect();
        // What was taken back matters only to what still stands.
        let lifts: Vec<Lift> = record
            .suppressions
            .lifts()
            .iter()
            .filter(|lift| suppressions.iter().any(|one| touches(lift, one)))
            .cloned()
            .collect();
        Self { erased_at, suppressions: Suppressions::of(suppressions, lifts) }
    }
}

/// Whether a lift takes back a part of a suppression.
fn touches(lift: &Lift, suppression: &Suppression) -> bool {
    let channel =
        lift.channel.is_none() || suppression.channel.is_none() || lift.channel == suppression.channel;
    let purpose = match (&lift.purpose, &suppression.scope) {
        (Some(lifted), Scope::Purpose(suppressed)) => lifted == suppressed,
        (None, _) | (Some(_), Scope::Ordinary | Scope::EveryPurpose) => true,
    };
    channel && purpose
}
