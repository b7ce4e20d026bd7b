//! What senders and service desks tell the governor after the fact.

use super::account::Account;
use super::moment::Moment;
use super::words::{Name, Tags};

/// The kinds of event. Any `x.*` is the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    ContactSent,
    ContactCancelled,
    ContactFailed,
    ContactDelivered,
    ContactBounced,
    ContactAnswered,
    CustomerComplained,
    CustomerUnsubscribed,
    CustomerResubscribed,
    CustomerThanked,
    ConsentGranted,
    ConsentWithdrawn,
    ConversationOpened,
    ConversationAnswered,
    ConversationHeld,
    HumanReplied,
    /// `x.…`, the whole name.
    Own(Name),
}

/// What the operator's own events begin with.
pub const OWN_PREFIX: &str = "x.";

impl EventKind {
    /// The kinds the governor knows, in the order of the documentation.
    pub const KNOWN: [Self; 16] = [
        Self::ContactSent,
        Self::ContactCancelled,
        Self::ContactFailed,
        Self::ContactDelivered,
        Self::ContactBounced,
        Self::ContactAnswered,
        Self::CustomerComplained,
        Self::CustomerUnsubscribed,
        Self::CustomerResubscribed,
        Self::CustomerThanked,
        Self::ConsentGranted,
        Self::ConsentWithdrawn,
        Self::ConversationOpened,
        Self::ConversationAnswered,
        Self::ConversationHeld,
        Self::HumanReplied,
    ];

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::ContactSent => "contact.sent",
            Self::ContactCancelled => "contact.cancelled",
            Self::ContactFailed => "contact.failed",
            Self::ContactDelivered => "contact.delivered",
            Self::ContactBounced => "contact.bounced",
            Self::ContactAnswered => "contact.answered",
            Self::CustomerComplained => "customer.complained",
            Self::CustomerUnsubscribed => "customer.unsubscribed",
            Self::CustomerResubscribed => "customer.resubscribed",
            Self::CustomerThanked => "customer.thanked",
            Self::ConsentGranted => "consent.granted",
            Self::ConsentWithdrawn => "consent.withdrawn",
            Self::ConversationOpened => "conversation.opened",
            Self::ConversationAnswered => "conversation.answered",
            Self::ConversationHeld => "conversation.held",
            Self::HumanReplied => "human.replied",
            Self::Own(name) => name,
        }
    }

    /// Whether it says what became of a contact that was made before.
    #[must_use]
    pub const fn is_what_became_of_a_contact(&self) -> bool {
        matches!(
            self,
            Self::ContactCancelled
                | Self::ContactFailed
                | Self::ContactDelivered
                | Self::ContactBounced
                | Self::ContactAnswered
        )
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|kind| kind.name() == text).or_else(|| {
            let own = text.strip_prefix(OWN_PREFIX)?;
            (!own.is_empty()).then(|| Self::Own(text.into()))
        })
    }
}

/// Identifies an event among those of its customer: a digest of the CloudEvent's `source` and `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub u64);

/// One event in a customer's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub key: EventKey,
    pub kind: EventKind,
    /// When it happened, which is not when it was told.
    pub time: Moment,
    pub contact_id: Option<Name>,
    /// What `data` says of the contact, or what the contact itself is tagged with.
    pub tags: Tags,
    /// An unsubscription that reaches every purpose (`"purposes": "all"`).
    pub every_purpose: bool,
    /// The purposes that are taken leave of, or welcomed again; empty: nobody named any.
    pub purposes: Vec<Name>,
    /// When a consent that was granted ends, or an unsubscription.
    pub expires_at: Option<Moment>,
    /// A consent that was asked for and is not confirmed yet.
    pub pending: bool,
    pub account: Option<Box<Account>>,
}

impl Event {
    /// One of which nothing is said but its kind and time.
    #[must_use]
    pub fn plain(key: EventKey, kind: EventKind, time: Moment) -> Self {
        Self {
            key,
            kind,
            time,
            contact_id: None,
            tags: Tags::default(),
            every_purpose: false,
            purposes: Vec::new(),
            expires_at: None,
            pending: false,
            account: None,
        }
    }

    /// What was said of who did it and why; nothing where nothing was.
    #[must_use]
    pub fn accounted(&self) -> Account {
        self.account.as_deref().cloned().unwrap_or_default()
    }
}
