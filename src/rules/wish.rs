//! The customer's own wishes, wherever they are stricter than the policy.

use crate::domain::answer::{Finding, RuleVerdict};
use crate::domain::condition::Circumstances;
use crate::domain::moment::Moment;
use crate::domain::opening_hours::OpeningHours;
use crate::domain::wishes::{WishedLimit, Wishes};
use crate::domain::words::{Name, Tags, Verdict};

use super::Judgement;
use super::narrowing::listed;
use super::scene::Scene;
use super::usage::{Counts, Usage};

/// One thing wished for.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    Channels(&'a Vec<Name>),
    Pause(Moment),
    Limit(&'a WishedLimit),
    Hours(&'a OpeningHours),
}

/// The wishes, one by one.
pub fn each(wishes: &Wishes) -> impl Iterator<Item = Wish<'_>> {
    let channels = wishes.channels.iter().map(Wish::Channels);
    let pause = wishes.pause_until.into_iter().map(Wish::Pause);
    let limits = wishes.at_most.iter().map(Wish::Limit);
    let hours = wishes.hours.iter().map(Wish::Hours);
    channels.chain(pause).chain(limits).chain(hours)
}

impl Wish<'_> {
    /// An unwanted channel is a `deny`, the rest a `defer`.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Option<Judgement> {
        let channel = scene.question.channel();
        let judgement = |finding, verdict| Some(Judgement { finding, verdict: RuleVerdict::Refuse(verdict) });
        match self {
            Self::Channels(wanted) if wanted.iter().any(|name| &**name == channel) => None,
            Self::Channels(_) => judgement(Finding::WishedChannel, Verdict::Deny),
            Self::Pause(until) if *until <= scene.moment() => None,
            Self::Pause(until) => judgement(Finding::WishedPause { until: *until }, Verdict::Defer),
            Self::Limit(wished) => {
                if !wished.concerns(Some(channel)) {
                    return None;
                }
                let usage = usage(wished, scene);
                let finding =
                    Finding::WishedLimit { limit: wished.limit, used: usage.held(), window: wished.window };
                let full = usage.used().is_some_and(|used| used + usage.weight() > u64::from(wished.limit));
                if full { judgement(finding, Verdict::Defer) } else { None }
            }
            Self::Hours(hours) => match scene.zones_for_hours() {
                None => judgement(Finding::WishedHours, Verdict::Deny),
                Some(zones) => {
                    let open = |local| hours.is_open(local, |_| 0);
                    if zones.iter().all(|zone| open(zone.local(scene.moment()))) {
                        None
                    } else {
                        judgement(Finding::WishedHours, Verdict::Defer)
                    }
                }
            },
        }
    }

    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        match self {
            Self::Channels(_) => None,
            Self::Pause(until) => Some(*until).filter(|until| *until > scene.moment()),
            Self::Limit(wished) => {
                let usage = usage(wished, scene);
                usage.next_change(u64::from(wished.limit).checked_sub(usage.weight())?)
            }
            Self::Hours(hours) => {
                let moment = scene.moment();
                let zones = scene.zones_for_hours().unwrap_or_default();
                let shut = zones.iter().find(|zone| !hours.is_open(zone.local(moment), |_| 0))?;
                let opening = hours.next_opening(shut.local(moment), |_| 0)?;
                Some(shut.boundary_after(moment, opening.day, opening.time_ms))
            }
        }
    }
}

fn usage<'s, 'a>(
    wished: &'s WishedLimit,
    scene: &'s Scene<'a>,
) -> Usage<'s, 'a, impl Fn(&Tags) -> bool + 's> {
    let selects = |tags: &Tags| wished.concerns(tags.channel.as_deref());
    Usage { scene, window: wished.window, counts: Counts::Contacts, selects }
}

impl WishedLimit {
    fn concerns(&self, channel: Option<&str>) -> bool {
        self.channels.is_empty() || listed(Some(&self.channels), channel)
    }
}
