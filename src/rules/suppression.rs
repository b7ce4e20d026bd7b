//! Unsubscribed means unsubscribed.

use crate::domain::answer::Finding;
use crate::domain::condition::Circumstances;
use crate::domain::moment::Moment;
use crate::domain::suppression::{Reach, Suppressed};

use super::company::Exemption;
use super::scene::Scene;

/// A suppression binds from the moment it is known, whatever the moment asked about, until it is taken back or
/// ends. An ordinary one spares exempt purposes and what the policy lets through; one for every purpose spares
/// nothing.
#[must_use]
pub fn judge(scene: &Scene<'_>) -> Option<Finding> {
    let suppressed = binding(scene)?;
    let spared = match suppressed.reach {
        Reach::EveryPurpose => false,
        Reach::Ordinary => {
            scene.is_exempt(Exemption::Suppressions)
                || scene.company.let_through.as_ref().is_some_and(|let_through| let_through.matches(scene))
        }
    };
    (!spared).then_some(Finding::Suppression { reach: suppressed.reach, since: suppressed.since })
}

/// What the customer has said about this channel and purpose, spared or not.
#[must_use]
pub fn binding(scene: &Scene<'_>) -> Option<Suppressed> {
    let question = scene.question;
    scene.record.suppressions.binding(question.channel(), question.purpose(), scene.moment())
}

/// When one of those that bind ends by itself.
#[must_use]
pub fn next_change(scene: &Scene<'_>) -> Option<Moment> {
    let question = scene.question;
    scene.record.suppressions.next_end(question.channel(), question.purpose(), scene.moment())
}
