//! The question: may this customer be contacted, on this channel, with these words, then?

use std::sync::Arc;

use super::condition::Condition;
use super::contact::{Contact, Fingerprint, Standing};
use super::fact::Facts;
use super::moment::{DAY_MS, MINUTE_MS, Moment, Span};
use super::wall_clock::Zone;
use super::words::{ClaimSet, Delivery, Name, Tags};

/// How far in the past `send_at` may lie: clocks differ, queues wait.
pub const PAST_TOLERANCE: Span = Span::from_millis(5 * MINUTE_MS);
/// How far ahead `send_at` may lie.
pub const FARTHEST_AHEAD: Span = Span::from_millis(90 * DAY_MS);
/// How far the search for `not_before` looks beyond `send_at`.
pub const SEARCH_HORIZON: Span = Span::from_millis(400 * DAY_MS);

/// What a message says, as far as rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub subject: Arc<str>,
    pub body: Arc<str>,
    pub media_type: Option<Name>,
    pub language: Option<Name>,
    pub addressee: Option<Name>,
}

/// A question whose every field has been checked for itself. Whether its moments fit the clock and
/// its `contact_id` the record is for the decision to find out.
#[derive(Clone, Debug)]
pub struct Question {
    pub customer: Name,
    /// Minted by the sender, or by the governor.
    pub contact_id: Name,
    /// Whether the governor minted the id.
    pub is_minted: bool,
    /// Digest of the question's JSON value.
    pub fingerprint: Fingerprint,
    /// With channel, purpose and delivery always given; its claims are those declared and those read.
    pub tags: Tags,
    /// Claims read in the text that its sender did not declare.
    pub undeclared: ClaimSet,
    pub delivery: Delivery,
    pub send_at: Option<Moment>,
    pub deadline: Option<Moment>,
    pub content: Content,
    pub audience: Option<Arc<Condition>>,
    pub facts: Facts,
    pub zones: Vec<Zone>,
    pub regions: Vec<Name>,
}

impl Question {
    /// A message from a template of which nothing is said but its channel and purpose.
    #[must_use]
    pub fn plain(customer: &str, channel: Name, purpose: Name) -> Self {
        let delivery = Delivery::Template;
        let mut question = Self {
            customer: customer.into(),
            // No sender can mint an empty id, so nothing is known of it.
            contact_id: "".into(),
            is_minted: true,
            fingerprint: Fingerprint(0),
            tags: Tags::default(),
            undeclared: ClaimSet::default(),
            delivery,
            send_at: None,
            deadline: None,
            content: Content::default(),
            audience: None,
            facts: Facts::new(),
            zones: Vec::new(),
            regions: Vec::new(),
        };
        question.tags.channel = Some(channel);
        question.tags.purpose = Some(purpose);
        question.tags.delivery = Some(delivery);
        question
    }

    #[must_use]
    pub fn channel(&self) -> &str {
        self.tags.channel.as_deref().unwrap_or("")
    }

    #[must_use]
    pub fn purpose(&self) -> &str {
        self.tags.purpose.as_deref().unwrap_or("")
    }

    /// The moment the decision is about.
    #[must_use]
    pub fn moment(&self, now: Moment) -> Moment {
        self.send_at.unwrap_or(now)
    }

    /// The contact that an allow enters, taking place at `at`.
    #[must_use]
    pub fn reservation(&self, at: Moment) -> Contact {
        Contact {
            id: self.contact_id.clone(),
            question: Some(self.fingerprint),
            tags: self.tags.clone(),
            at,
            reserved_at: at,
            standing: Standing::Reserved,
            told_at: None,
        }
    }

    /// What the clock has against the question, asked at `now`.
    pub fn misplaced(&self, now: Moment) -> impl Iterator<Item = Misuse> {
        let moment = self.moment(now);
        let past = (moment < now - PAST_TOLERANCE).then_some(Misuse::SendAtPast);
        let ahead = (moment > now + FARTHEST_AHEAD).then_some(Misuse::SendAtTooFarAhead);
        let late =
            self.deadline.is_some_and(|deadline| deadline < moment).then_some(Misuse::DeadlineBeforeSendAt);
        [past, ahead, late].into_iter().flatten()
    }
}

/// Why a well-formed question cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The `contact_id` belongs to another question of this customer.
    ContactIdTaken,
    SendAtPast,
    SendAtTooFarAhead,
    DeadlineBeforeSendAt,
}
