//! One message to one customer on one channel.

use super::moment::{Moment, Span};
use super::words::{Name, Tags};

/// A digest of the question a contact was allowed under; tells a repeated question from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

/// What has become of a contact, by the latest word on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Allowed, and nothing told since.
    Reserved,
    Sent,
    Cancelled,
    Failed,
}

impl Standing {
    /// Whether a contact standing so counts. What bounced was sent, and counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Reserved | Self::Sent)
    }
}

/// A contact in a customer's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    pub id: Name,
    /// The question that was allowed; `None` for a contact told of without having been asked for.
    pub question: Option<Fingerprint>,
    pub tags: Tags,
    /// When it takes place, as far as is known.
    pub at: Moment,
    /// The moment first reserved; `at` may have moved since.
    pub reserved_at: Moment,
    pub standing: Standing,
    /// The `time` of the event that decided the standing.
    pub told_at: Option<Moment>,
}

impl Contact {
    /// When the reservation stops counting, under a policy that lets reservations lapse.
    #[must_use]
    pub fn lapses_at(&self, lapse_after: Option<Span>) -> Option<Moment> {
        match self.standing {
            Standing::Reserved => lapse_after.map(|span| self.reserved_at + span),
            Standing::Sent | Standing::Cancelled | Standing::Failed => None,
        }
    }
}
