//! What a policy settles once for all its rules: zone, channels, purposes, shelf lives.

use std::collections::BTreeMap;

use crate::domain::condition::Condition;
use crate::domain::fact::TIME_ZONE_FACT;
use crate::domain::follow_up::Duty;
use crate::domain::moment::Span;
use crate::domain::record::Record;
use crate::domain::wall_clock::Zone;
use crate::domain::window::WeekStart;
use crate::domain::words::{Name, Verdict};

use super::narrowing::Narrowing;

/// What a purpose may be exempt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exemption {
    Caps,
    Holds,
    ContactHours,
    Suppressions,
    Wishes,
}

impl Exemption {
    pub const ALL: [Self; 5] =
        [Self::Caps, Self::Holds, Self::ContactHours, Self::Suppressions, Self::Wishes];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caps => "caps",
            Self::Holds => "holds",
            Self::ContactHours => "contact_hours",
            Self::Suppressions => "suppressions",
            Self::Wishes => "wishes",
        }
    }
}

/// A purpose, as the policy treats it. `exempt` says whether it may pass, `counted` whether it adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    pub name: Name,
    pub counted: bool,
    pub exempt: Vec<Exemption>,
    /// The verdict when the ledger cannot be reached.
    pub when_blind: Verdict,
}

impl Purpose {
    #[must_use]
    pub fn is_exempt(&self, from: Exemption) -> bool {
        self.exempt.contains(&from)
    }
}

/// A channel, and what one contact on it costs of an attention budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: Name,
    pub attention: u32,
}

/// What to make of hours when nobody knows where the customer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownTimeZone {
    /// The company's own zone.
    #[default]
    Company,
    /// Open in every inhabited zone.
    Everywhere,
    Deny,
}

/// The part of a policy that all rules share.
#[derive(Debug)]
pub struct Company {
    pub zone: Zone,
    pub unknown_time_zone: UnknownTimeZone,
    pub week_start: WeekStart,
    pub channels: Vec<Channel>,
    pub purposes: Vec<Purpose>,
    /// The names of the purposes that are not counted.
    pub uncounted: Vec<Name>,
    /// How old a fact may be before nobody knows it any more.
    pub shelf_lives: BTreeMap<Name, Span>,
    pub lapse_after: Option<Span>,
    /// What passes an ordinary suppression.
    pub let_through: Option<Narrowing>,
    /// Whom each campaign is for.
    pub audiences: BTreeMap<Name, Condition>,
    /// What a person owes a customer, and how soon.
    pub duties: Vec<Duty>,
}

/// What one contact costs on a channel the policy says nothing of.
pub const DEFAULT_ATTENTION: u32 = 1;

impl Company {
    #[must_use]
    pub fn purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| &*purpose.name == name)
    }

    #[must_use]
    pub fn attention(&self, channel: Option<&str>) -> u32 {
        self.channels
            .iter()
            .find(|known| Some(&*known.name) == channel)
            .map_or(DEFAULT_ATTENTION, |known| known.attention)
    }

    /// The zone a customer is told times in: their own as far as it is known, else the company's.
    #[must_use]
    pub fn zone_of(&self, record: &Record) -> Zone {
        let known = record.facts.get(TIME_ZONE_FACT).and_then(Option::as_ref);
        let zone = known.and_then(|fact| fact.value.texts().find_map(Zone::get));
        zone.unwrap_or_else(|| self.zone.clone())
    }

    /// Whether contacts of that purpose add to caps; most do.
    #[must_use]
    pub fn counts(&self, purpose: Option<&str>) -> bool {
        !self.uncounted.iter().any(|uncounted| Some(&**uncounted) == purpose)
    }
}
