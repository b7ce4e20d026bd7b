//! Unsubscribed means unsubscribed.

use crate::domain::answer::Finding;
use crate::domain::suppression::Reach;

use super::company::Exemption;
use super::scene::Scene;

/// A suppression binds whatever the moment: what is known when asked counts. An ordinary one spares
/// exempt purposes and what the policy lets through; one for every purpose spares nothing.
#[must_use]
pub fn judge(scene: &Scene<'_>) -> Option<Finding> {
    let suppressed = scene.record.suppressions.binding(scene.question.channel())?;
    let spared = match suppressed.reach {
        Reach::EveryPurpose => false,
        Reach::Ordinary => {
            scene.is_exempt(Exemption::Suppressions)
                || scene.company.let_through.as_ref().is_some_and(|let_through| let_through.matches(scene))
        }
    };
    (!spared).then_some(Finding::Suppression { reach: suppressed.reach, since: suppressed.since })
}
