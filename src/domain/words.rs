//! The closed vocabularies (delivery, claim, verdict) and the open ones (names a policy declares).

use std::fmt;
use std::sync::Arc;

/// A name out of an open vocabulary or an opaque id: a channel, a purpose, a campaign, a customer.
/// Shared, because one record repeats the same few names many times.
pub type Name = Arc<str>;

/// The channels every policy knows; a policy may declare more.
pub const BUILT_IN_CHANNELS: [&str; 4] = ["email", "sms", "voice", "mail"];

/// The purposes every policy knows; a policy may declare more.
pub const BUILT_IN_PURPOSES: [&str; 5] =
    ["marketing", "relationship", "service", "transactional", "emergency"];

/// Who speaks. All but [`Delivery::Human`] are automated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    Human,
    Template,
    AutoReply,
    Ivr,
    RecordedVoice,
    SyntheticVoice,
}

impl Delivery {
    pub const ALL: [Self; 6] =
        [Self::Human, Self::Template, Self::AutoReply, Self::Ivr, Self::RecordedVoice, Self::SyntheticVoice];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Template => "template",
            Self::AutoReply => "auto_reply",
            Self::Ivr => "ivr",
            Self::RecordedVoice => "recorded_voice",
            Self::SyntheticVoice => "synthetic_voice",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.name() == text)
    }

    #[must_use]
    pub const fn is_automated(self) -> bool {
        !matches!(self, Self::Human)
    }
}

/// A set of deliveries, as rules name them (`automated` is all but `human`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliverySet(u8);

impl DeliverySet {
    #[must_use]
    pub fn with(self, delivery: Delivery) -> Self {
        Self(self.0 | 1 << delivery as u8)
    }

    #[must_use]
    pub fn automated() -> Self {
        Delivery::ALL.into_iter().filter(|delivery| delivery.is_automated()).fold(Self::default(), Self::with)
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn contains(self, delivery: Delivery) -> bool {
        self.0 & (1 << delivery as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Delivery> {
        Delivery::ALL.into_iter().filter(move |delivery| self.contains(*delivery))
    }
}

/// What the words of a message assert. `generic_addressee` is a finding rather than a claim, but it
/// travels and is ruled on in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    Care,
    Gratitude,
    Value,
    Apology,
    Urgency,
    Personal,
    GenericAddressee,
}

impl Claim {
    pub const ALL: [Self; 7] = [
        Self::Care,
        Self::Gratitude,
        Self::Value,
        Self::Apology,
        Self::Urgency,
        Self::Personal,
        Self::GenericAddressee,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Care => "care",
            Self::Gratitude => "gratitude",
            Self::Value => "value",
            Self::Apology => "apology",
            Self::Urgency => "urgency",
            Self::Personal => "personal",
            Self::GenericAddressee => "generic_addressee",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|claim| claim.name() == text)
    }
}

/// A set of claims, in the order of [`Claim::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClaimSet(u8);

impl ClaimSet {
    /// The stored form: bit `n` is the `n`th of [`Claim::ALL`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x7f)
    }

    #[must_use]
    pub fn with(self, claim: Claim) -> Self {
        Self(self.0 | 1 << claim as u8)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Claim> {
        Claim::ALL.into_iter().filter(move |claim| self.0 & (1 << *claim as u8) != 0)
    }
}

impl FromIterator<Claim> for ClaimSet {
    fn from_iter<I: IntoIterator<Item = Claim>>(claims: I) -> Self {
        claims.into_iter().fold(Self::default(), Self::with)
    }
}

/// The answer's one word; the strictest enforced rule wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    Allow,
    Defer,
    Handoff,
    Deny,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Allow, Self::Defer, Self::Handoff, Self::Deny];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Defer => "defer",
            Self::Handoff => "handoff",
            Self::Deny => "deny",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == text)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The tags a contact carries and rules may be `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    Channel,
    Campaign,
    Category,
    Brand,
    Subject,
    Sender,
}

impl Tag {
    pub const ALL: [Self; 6] =
        [Self::Channel, Self::Campaign, Self::Category, Self::Brand, Self::Subject, Self::Sender];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Campaign => "campaign",
            Self::Category => "category",
            Self::Brand => "brand",
            Self::Subject => "subject",
            Self::Sender => "sender",
        }
    }
}

/// What one message is tagged with. All optional, because a contact may be told of by a system that
/// never asked; the empty string counts as not given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags {
    pub channel: Option<Name>,
    pub purpose: Option<Name>,
    pub delivery: Option<Delivery>,
    pub campaign: Option<Name>,
    pub category: Option<Name>,
    pub brand: Option<Name>,
    pub subject: Option<Name>,
    pub sender: Option<Name>,
    pub claims: ClaimSet,
}

impl Tags {
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&str> {
        match tag {
            Tag::Channel => self.channel.as_deref(),
            Tag::Campaign => self.campaign.as_deref(),
            Tag::Category => self.category.as_deref(),
            Tag::Brand => self.brand.as_deref(),
            Tag::Subject => self.subject.as_deref(),
            Tag::Sender => self.sender.as_deref(),
        }
    }

    /// Takes over what `other` says and this one leaves open.
    pub fn fill_from(&mut self, other: &Self) {
        fn fill<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>) {
            if mine.is_none() {
                *mine = theirs.cloned();
            }
        }
        fill(&mut self.channel, other.channel.as_ref());
        fill(&mut self.purpose, other.purpose.as_ref());
        fill(&mut self.delivery, other.delivery.as_ref());
        fill(&mut self.campaign, other.campaign.as_ref());
        fill(&mut self.category, other.category.as_ref());
        fill(&mut self.brand, other.brand.as_ref());
        fill(&mut self.subject, other.subject.as_ref());
        fill(&mut self.sender, other.sender.as_ref());
    }
}

/// The known name that `written` was probably meant to be, if one is near enough.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR_ENOUGH: f64 = 0.7;
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(steps, name)| {
            let length = written.chars().count().max(name.chars().count()).max(1);
            1.0 - *steps as f64 / length as f64 >= NEAR_ENOUGH || *steps <= 1
        })
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name)
}
