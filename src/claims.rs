//! What a message asserts.
//!
//! Senders declare claims; reading them from the text itself will join the declared ones here, so that
//! everything downstream already rules on their union.

use crate::domain::question::Content;
use crate::domain::words::ClaimSet;

/// The claims rules judge: those declared.
#[must_use]
pub fn asserted(declared: ClaimSet, _content: &Content) -> ClaimSet {
    declared
}
