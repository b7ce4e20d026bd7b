//! The policy file as it is written. These types are the file's grammar: the JSON Schema that editors
//! complete from and the first check of every file are both made from them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::placed::Placed;

type Text = Placed<String>;
type Texts = Vec<Text>;

/// A contact policy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Contact Governor policy")]
pub struct Document {
    /// A name for this state of the policy; every answer carries it.
    pub version: Option<Text>,
    /// Presets that ship with the program. A rule here with a preset rule's id replaces it.
    pub extends: Option<Texts>,
    /// The company's own IANA time zone.
    #[schemars(required)]
    pub time_zone: Option<Text>,
    /// What hours mean when nobody knows where the customer is: the company's zone (default), open in
    /// every inhabited zone, or a refusal.
    pub unknown_time_zone: Option<Placed<UnknownTimeZone>>,
    /// The day a calendar week begins on (default: monday).
    pub week_starts: Option<Placed<Weekday>>,
    /// How long after `send_at` a reservation still counts when `contact.sent` never comes, as `2d`.
    /// Left out, it counts for good.
    pub lapse_after: Option<Text>,
    /// Channels besides email, sms, voice and mail, and what a contact costs of an attention budget.
    #[serde(default)]
    pub channels: BTreeMap<Text, Placed<Channel>>,
    /// How purposes are treated; others than the built-in five are declared here.
    #[serde(default)]
    pub purposes: BTreeMap<Text, Placed<Purpose>>,
    /// Shelf lives of facts.
    #[serde(default)]
    pub facts: BTreeMap<Text, Placed<Fact>>,
    pub suppressions: Option<Suppressions>,
    /// Whom each campaign is for.
    #[serde(default)]
    pub campaigns: BTreeMap<Text, Placed<Campaign>>,
    /// What words claim, besides what the program reads by itself.
    #[serde(default)]
    pub claims: BTreeMap<Text, Placed<Phrases>>,
    /// What a person owes a customer, and how soon.
    #[serde(default)]
    pub follow_ups: Vec<Placed<FollowUp>>,
    /// At most so many contacts in a window.
    #[serde(default)]
    pub caps: Vec<Placed<Cap>>,
    /// After an event, wait.
    #[serde(default)]
    pub holds: Vec<Placed<Hold>>,
    /// Only at these hours of the customer's own clock.
    #[serde(default)]
    pub contact_hours: Vec<Placed<ContactHours>>,
    /// What certain messages or claims need.
    #[serde(default)]
    pub requirements: Vec<Placed<Requirement>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTimeZone {
    Company,
    Everywhere,
    Deny,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A channel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What one contact costs of an attention budget (default: 1).
    pub attention: Option<Placed<u32>>,
}

/// Phrases of the company's own, for one claim.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// Words that make the claim wherever they stand.
    #[serde(default)]
    pub phrases: Texts,
    /// Words that keep the sentence they stand in from making it.
    #[serde(default)]
    pub not: Texts,
}

/// A person's task that an event opens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// What it is called; one here replaces a preset's of the same kind.
    pub kind: Text,
    /// The event that opens it, or `handoff`: an answer that handed a contact to a person.
    pub after: Text,
    /// The events that end it (default: `human.replied` and `conversation.answered`).
    pub until: Option<Placed<Texts>>,
    /// How soon it is due, as `1d`.
    pub within: Text,
}

/// A purpose.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The verdict when the ledger cannot be reached (default: defer).
    pub when_blind: Option<Placed<WhenBlind>>,
    /// Whether contacts of this purpose add to caps (default: true).
    pub counted: Option<Placed<bool>>,
    /// What contacts of this purpose need not heed (default: nothing).
    pub exempt: Option<Vec<Placed<Exemption>>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenBlind {
    Allow,
    Defer,
    Handoff,
    Deny,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    Caps,
    Holds,
    ContactHours,
    Suppressions,
    Wishes,
}

/// How long a fact stays known.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Older than this, by its `as_of`, the fact is unknown.
    #[schemars(required)]
    pub max_age: Option<Text>,
}

/// How suppressions bind.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suppressions {
    /// What may reach an unsubscribed customer all the same.
    pub let_through: Option<Placed<LetThrough>>,
}

/// All members given must match.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LetThrough {
    pub channels: Option<Placed<Texts>>,
    pub purposes: Option<Placed<Texts>>,
    pub deliveries: Option<Placed<Texts>>,
    pub categories: Option<Placed<Texts>>,
    pub campaigns: Option<Placed<Texts>>,
    pub brands: Option<Placed<Texts>>,
}

/// A campaign.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Whom the campaign is for: an expression that the customer's facts must make true.
    #[schemars(required)]
    pub audience: Option<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Defer,
    Handoff,
    Deny,
    /// Never blocks; goes to the answer's `advice`.
    Advise,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Enforce,
    /// Tried on every question, without effect.
    Shadow,
}

/// One struct for each kind of rule, with the members every rule may have written into it once: serde
/// keeps places only for fields of the struct itself.
macro_rules! rule {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// A name of its own among all rules.
            #[schemars(required)]
            pub id: Option<Text>,
            /// What a refusal says (default: deny for requirements, defer for the others).
            pub verdict: Option<Placed<Verdict>>,
            /// enforce (default) or shadow.
            pub mode: Option<Placed<Mode>>,
            /// The reason in plain words.
            pub because: Option<Text>,
            /// Only these channels.
            pub channels: Option<Placed<Texts>>,
            /// Only these purposes.
            pub purposes: Option<Placed<Texts>>,
            /// Only these deliveries; `automated` is all but `human`.
            pub deliveries: Option<Placed<Texts>>,
            /// Only these categories.
            pub categories: Option<Placed<Texts>>,
            /// Only these campaigns.
            pub campaigns: Option<Placed<Texts>>,
            /// Only these brands.
            pub brands: Option<Placed<Texts>>,
            /// Only messages that make one of these claims.
            pub claims: Option<Placed<Texts>>,
            /// Only these regions; `US` covers `US-FL`.
            pub regions: Option<Placed<Texts>>,
            /// Only where this CEL expression holds, or cannot be settled.
            pub when: Option<Text>,
            $($(#[$field_about])* pub $field: $type,)*
        }

        impl $name {
            /// The members every rule has.
            #[must_use]
            pub fn header(&self) -> Header<'_> {
                Header {
                    id: self.id.as_ref(),
                    verdict: self.verdict.as_ref(),
                    mode: self.mode.as_ref(),
                    because: self.because.as_ref(),
                    channels: self.channels.as_ref(),
                    purposes: self.purposes.as_ref(),
                    deliveries: self.deliveries.as_ref(),
                    categories: self.categories.as_ref(),
                    campaigns: self.campaigns.as_ref(),
                    brands: self.brands.as_ref(),
                    claims: self.claims.as_ref(),
                    regions: self.regions.as_ref(),
                    when: self.when.as_ref(),
                }
            }
        }
    };
}

/// The members every rule has.
#[derive(Clone, Copy, Debug)]
pub struct Header<'d> {
    pub id: Option<&'d Text>,
    pub verdict: Option<&'d Placed<Verdict>>,
    pub mode: Option<&'d Placed<Mode>>,
    pub because: Option<&'d Text>,
    pub channels: Option<&'d Placed<Texts>>,
    pub purposes: Option<&'d Placed<Texts>>,
    pub deliveries: Option<&'d Placed<Texts>>,
    pub categories: Option<&'d Placed<Texts>>,
    pub campaigns: Option<&'d Placed<Texts>>,
    pub brands: Option<&'d Placed<Texts>>,
    pub claims: Option<&'d Placed<Texts>>,
    pub regions: Option<&'d Placed<Texts>>,
    pub when: Option<&'d Text>,
}

rule! {
    /// At most so many, in a window, for each customer.
    Cap {
        /// How many.
        #[schemars(required)]
        limit: Option<Placed<u32>>,
        /// `rolling 7d`, `calendar hour|day|week|month|year`, `local 30 days` or `lifetime`.
        #[schemars(required)]
        window: Option<Text>,
        /// What adds up: contacts (default), attention, or distinct channels.
        counts: Option<Placed<Counts>>,
        /// Counted for each value apart: customer (always), channel, campaign, category, brand, subject, sender.
        per: Option<Vec<Placed<Per>>>,
        /// The last slots, kept for some purposes.
        reserve: Option<Placed<Reserve>>,
    }
}

rule! {
    /// After an event, wait until it is answered, or for a while.
    Hold {
        /// The event that starts it, or `contact`.
        #[schemars(required)]
        after: Option<Text>,
        /// Only contacts or events on these channels start it.
        after_channels: Option<Placed<Texts>>,
        /// Only those of these categories start it.
        after_categories: Option<Placed<Texts>>,
        /// Only those of these campaigns start it.
        after_campaigns: Option<Placed<Texts>>,
        /// Only those delivered so start it.
        after_deliveries: Option<Placed<Texts>>,
        /// The event that ends it.
        until: Option<Text>,
        /// How long it still binds after it ends, as `2d` or `local 2 days`.
        pause: Option<Text>,
        /// How long it binds at the longest, as `30d` or `local 7 days`.
        r#for: Option<Text>,
        /// Apart for each value the event itself carries: customer (always), channel, campaign, …
        per: Option<Vec<Placed<Per>>>,
        /// Only from that many events …
        count: Option<Placed<u32>>,
        /// … within this time.
        within: Option<Text>,
    }
}

rule! {
    /// Only at decent hours, by the customer's own wall clock.
    ContactHours {
        /// Hours by day: `mon-fri = ["09:00-20:00"]`; days left out are closed.
        open: Option<BTreeMap<Text, Vec<Text>>>,
        /// Local dates and intervals: `2026-12-25`, `2026-12-31T20:00/2027-01-02T08:00`.
        closed: Option<Texts>,
        /// Each customer's first opening of a day comes late by a share of this, as `30m`.
        spread: Option<Text>,
    }
}

rule! {
    /// What certain messages need to be allowed.
    Requirement {
        /// A CEL expression that must be true.
        #[schemars(required)]
        requires: Option<Text>,
        /// What a fact nobody knows means: deny (default: the rule's verdict), allow, or advise.
        unknown: Option<Placed<Unknown>>,
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    Contacts,
    Attention,
    Channels,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Customer,
    Channel,
    Campaign,
    Category,
    Brand,
    Subject,
    Sender,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    Deny,
    Allow,
    Advise,
}

/// Slots kept for some purposes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// How many, in the cap's own units.
    #[schemars(required)]
    pub slots: Option<Placed<u32>>,
    /// For which purposes.
    #[schemars(required)]
    pub purposes: Option<Placed<Texts>>,
}
