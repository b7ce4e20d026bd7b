//! Whom the message is for, as its sender or the campaign states it.

use crate::domain::answer::Finding;
use crate::domain::condition::{Condition, Truth};

use super::scene::Scene;

/// Facts that contradict the audience, and facts nobody knows, both refuse.
#[must_use]
pub fn judge(audience: &Condition, scene: &Scene<'_>) -> Option<Finding> {
    match audience.truth(scene) {
        Truth::True => None,
        Truth::False => Some(Finding::Audience { unknown: false }),
        Truth::Unknown => Some(Finding::Audience { unknown: true }),
    }
}
