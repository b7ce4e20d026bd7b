//! "Do not contact me": per channel or for all, until taken back.

use super::moment::Moment;
use super::words::Name;

/// How far an unsubscription reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Every purpose the policy does not exempt from suppressions.
    Ordinary,
    /// Every purpose without exception, `let_through` included (`"purposes": "all"`).
    EveryPurpose,
}

/// The latest word on one channel, or on all of them (`channel` is `None`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub channel: Option<Name>,
    pub unsubscribed_at: Option<Moment>,
    pub unsubscribed_for_every_purpose_at: Option<Moment>,
    pub resubscribed_at: Option<Moment>,
}

/// A customer's suppressions. Only the latest moments count, so the order of telling does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions(Vec<Standing>);

/// A suppression that binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppressed {
    pub reach: Reach,
    pub since: Moment,
}

impl Suppressions {
    #[must_use]
    pub fn from_standings(standings: Vec<Standing>) -> Self {
        Self(standings)
    }

    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        &self.0
    }

    fn change(&mut self, channel: Option<Name>, change: impl FnOnce(&mut Standing)) {
        if let Some(standing) = self.0.iter_mut().find(|standing| standing.channel == channel) {
            change(standing);
        } else {
            let mut standing = Standing { channel, ..Standing::default() };
            change(&mut standing);
            self.0.push(standing);
        }
    }

    pub fn unsubscribe(&mut self, channel: Option<Name>, reach: Reach, at: Moment) {
        self.change(channel, |standing| {
            let latest = match reach {
                Reach::Ordinary => &mut standing.unsubscribed_at,
                Reach::EveryPurpose => &mut standing.unsubscribed_for_every_purpose_at,
            };
            *latest = (*latest).max(Some(at));
        });
    }

    pub fn resubscribe(&mut self, channel: Option<Name>, at: Moment) {
        self.change(channel, |standing| standing.resubscribed_at = standing.resubscribed_at.max(Some(at)));
    }

    /// What binds `channel`, given everything known: at the same instant the stricter wins.
    #[must_use]
    pub fn binding(&self, channel: &str) -> Option<Suppressed> {
        let mut ordinary: Option<Moment> = None;
        let mut every: Option<Moment> = None;
        let mut lifted: Option<Moment> = None;
        for standing in &self.0 {
            if standing.channel.as_deref().is_none_or(|own| own == channel) {
                ordinary = ordinary.max(standing.unsubscribed_at);
                every = every.max(standing.unsubscribed_for_every_purpose_at);
                lifted = lifted.max(standing.resubscribed_at);
            }
        }
        let in_force =
            |since: Option<Moment>| since.filter(|since| lifted.is_none_or(|lifted| *since >= lifted));
        in_force(every)
            .map(|since| Suppressed { reach: Reach::EveryPurpose, since })
            .or_else(|| in_force(ordinary).map(|since| Suppressed { reach: Reach::Ordinary, since }))
    }
}
