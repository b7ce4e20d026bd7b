//! At most so many, in that time.

use crate::domain::answer::{Budget, Finding};
use crate::domain::contact::Contact;
use crate::domain::moment::Moment;
use crate::domain::window::Window;
use crate::domain::words::{Name, Tag, Tags};

use super::narrowing::Narrowing;
use super::scene::Scene;
use super::usage::{Counts, Usage};

/// The last slots, kept for some purposes. Slots are in the cap's own units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    pub slots: u32,
    pub purposes: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub limit: u32,
    pub window: Window,
    pub counts: Counts,
    /// Besides the customer: only contacts with the question's own value count.
    pub per: Vec<Tag>,
    pub reserve: Option<Reserve>,
}

impl Cap {
    /// Whether the question has every tag the cap is per.
    #[must_use]
    pub fn finds_its_tags(&self, scene: &Scene<'_>) -> bool {
        self.per.iter().all(|tag| scene.question.tags.get(*tag).is_some())
    }

    fn usage<'s, 'a>(
        &'s self,
        narrowing: &'s Narrowing,
        scene: &'s Scene<'a>,
    ) -> Usage<'s, 'a, impl Fn(&Tags) -> bool + 's> {
        let asked = &scene.question.tags;
        let selects = move |tags: &Tags| {
            narrowing.selects(tags) && self.per.iter().all(|tag| tags.get(*tag) == asked.get(*tag))
        };
        Usage { scene, window: self.window, counts: self.counts, selects }
    }

    /// How many of the cap's units this question may find used: the limit, less what is kept for
    /// other purposes.
    fn open_to(&self, scene: &Scene<'_>) -> u64 {
        let kept = match &self.reserve {
            Some(reserve)
                if !reserve.purposes.iter().any(|purpose| &**purpose == scene.question.purpose()) =>
            {
                reserve.slots
            }
            Some(_) | None => 0,
        };
        u64::from(self.limit.saturating_sub(kept))
    }

    /// A limit of nought refuses always; else a contact that adds nothing passes.
    #[must_use]
    pub fn judge(&self, narrowing: &Narrowing, scene: &Scene<'_>) -> Option<Finding> {
        let usage = self.usage(narrowing, scene);
        let refused =
            self.limit == 0 || usage.used().is_some_and(|used| used + usage.weight() > self.open_to(scene));
        refused.then(|| Finding::Cap { limit: self.limit, used: usage.held(), window: self.window })
    }

    #[must_use]
    pub fn next_change(&self, narrowing: &Narrowing, scene: &Scene<'_>) -> Option<Moment> {
        if self.limit == 0 {
            return None;
        }
        let usage = self.usage(narrowing, scene);
        match (self.open_to(scene).checked_sub(usage.weight()), self.counts) {
            (Some(ceiling), _) => usage.next_change(ceiling),
            // Nothing may be added, but a channel already used adds nothing.
            (None, Counts::Channels) => usage.next_change(0),
            (None, Counts::Contacts | Counts::Attention) => None,
        }
    }

    /// The contacts that count and may share a window with the moment, oldest first.
    pub fn counted<'s>(&'s self, narrowing: &'s Narrowing, scene: &'s Scene<'_>) -> Vec<&'s Contact> {
        self.usage(narrowing, scene).shared()
    }

    /// Where the cap stands, and whether it has room for another contact like this one. `next_free` is
    /// found by the caller, who can search.
    #[must_use]
    pub fn budget(&self, rule: &Name, narrowing: &Narrowing, scene: &Scene<'_>) -> (Budget, bool) {
        let usage = self.usage(narrowing, scene);
        let (used, added_to) = match self.counts {
            Counts::Contacts => {
                let held = usage.held();
                (held, Some(held))
            }
            Counts::Attention | Counts::Channels => (usage.held(), usage.used()),
        };
        let is_open =
            self.limit > 0 && added_to.is_none_or(|used| used + usage.weight() <= self.open_to(scene));
        (Budget { rule: rule.clone(), limit: self.limit, used, next_free: None, shadow: false }, is_open)
    }
}
