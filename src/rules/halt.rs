//! A campaign that was stopped stays stopped, for everybody.

use crate::domain::answer::Finding;
use crate::domain::halts::Halts;

use super::scene::Scene;

#[must_use]
pub fn judge(halts: &Halts, scene: &Scene<'_>) -> Option<Finding> {
    let campaign = scene.question.tags.campaign.as_deref()?;
    halts.since(campaign).map(|since| Finding::Halt { since })
}
