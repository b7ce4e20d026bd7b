//! Only at decent hours, by the customer's own wall clock, in every zone the customer may be in.

use crate::domain::answer::{Finding, RuleVerdict};
use crate::domain::condition::Circumstances;
use crate::domain::moment::{Moment, Span};
use crate::domain::opening_hours::OpeningHours;
use crate::domain::wall_clock::{Day, LocalTime, Zone};
use crate::domain::words::Verdict;

use super::Judgement;
use super::scene::Scene;

/// A stretch of the wall clock that is closed, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub from: LocalTime,
    pub until: LocalTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactHours {
    /// `None`: open at all hours that are not closed.
    pub open: Option<OpeningHours>,
    pub closed: Vec<Closed>,
    /// Each customer's first opening of a day comes late by a share of this.
    pub spread: Option<Span>,
}

impl ContactHours {
    #[must_use]
    pub fn judge(&self, rule: &str, verdict: RuleVerdict, scene: &Scene<'_>) -> Option<Judgement> {
        let Some(zones) = scene.zones_for_hours() else {
            // Nobody knows where the customer is, and the policy says that is a refusal.
            let verdict = if verdict.blocks() { RuleVerdict::Refuse(Verdict::Deny) } else { verdict };
            return Some(Judgement { finding: Finding::ContactHours { zone_unknown: true }, verdict });
        };
        let finding = Finding::ContactHours { zone_unknown: false };
        let shut = zones.iter().any(|zone| !self.is_open(rule, zone, scene));
        shut.then_some(Judgement { finding, verdict })
    }

    #[must_use]
    pub fn next_change(&self, rule: &str, scene: &Scene<'_>) -> Option<Moment> {
        let zones = scene.zones_for_hours().unwrap_or_default();
        let shut = zones.iter().find(|zone| !self.is_open(rule, zone, scene))?;
        self.next_opening(rule, shut, scene)
    }

    fn is_open(&self, rule: &str, zone: &Zone, scene: &Scene<'_>) -> bool {
        let local = zone.local(scene.moment());
        self.closed_at(local).is_none()
            && self
                .open
                .as_ref()
                .is_none_or(|open| open.is_open(local, |day| self.delay_ms(rule, scene, day)))
    }

    fn closed_at(&self, local: LocalTime) -> Option<Closed> {
        self.closed.iter().copied().find(|closed| closed.from <= local && local < closed.until)
    }

    /// The first moment after the scene's at which the zone's clock may show an open hour.
    fn next_opening(&self, rule: &str, zone: &Zone, scene: &Scene<'_>) -> Option<Moment> {
        let moment = scene.moment();
        let local = zone.local(moment);
        if let Some(closed) = self.closed_at(local) {
            return Some(zone.boundary_after(moment, closed.until.day, closed.until.time_ms));
        }
        let opening = self.open.as_ref()?.next_opening(local, |day| self.delay_ms(rule, scene, day))?;
        Some(zone.boundary_after(moment, opening.day, opening.time_ms))
    }

    /// By how much this customer's first opening of `day` is late: always the same for the same
    /// customer, rule and date, and spread evenly over the customers.
    fn delay_ms(&self, rule: &str, scene: &Scene<'_>, day: Day) -> i64 {
        let Some(spread) = self.spread else { return 0 };
        let mut hasher = blake3::Hasher::new();
        for part in [scene.question.customer.as_bytes(), &[0], rule.as_bytes(), &[0], &day.0.to_le_bytes()] {
            hasher.update(part);
        }
        let [b0, b1, b2, b3, b4, b5, ..] = *hasher.finalize().as_bytes();
        i64::from_le_bytes([b0, b1, b2, b3, b4, b5, 0, 0]) % spread.millis()
    }
}
