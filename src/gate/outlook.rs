//! Outlook: what a plain message would meet, on each channel and for each purpose.

use crate::decide;
use crate::domain::answer::{Answer, Budget};
use crate::domain::contact::Fingerprint;
use crate::domain::fact::Facts;
use crate::domain::moment::Moment;
use crate::domain::question::{Content, Question};
use crate::domain::record::Record;
use crate::domain::words::{ClaimSet, Delivery, Name, Tags};

use super::Gate;

/// The answer that a message of one channel and purpose would get now.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    pub channel: Name,
    pub purpose: Name,
    pub answer: Answer,
    /// Where the caps that match it stand, without it.
    pub budgets: Vec<Budget>,
}

impl Gate {
    /// Asks for every channel and purpose of the policy, without reserving anything: a plain message from
    /// a template, which claims nothing and belongs to no campaign.
    #[must_use]
    pub fn outlook(&self, customer: &str, record: &Record, now: Moment) -> Vec<Outlook> {
        let halts = self.ledger.halts();
        let company = &self.policy.company;
        let pairs = company.channels.iter().flat_map(|channel| {
            company.purposes.iter().map(|purpose| (channel.name.clone(), purpose.name.clone()))
        });
        pairs
            .filter_map(|(channel, purpose)| {
                let question = plain(customer, channel.clone(), purpose.clone());
                let decision = decide::decide(&self.policy, &halts, record, &question, now).ok()?;
                let budgets = decide::standing_budgets(&self.policy, record, &question, now);
                Some(Outlook { channel, purpose, answer: decision.answer, budgets })
            })
            .collect()
    }
}

/// A message of which nothing is said but its channel and purpose.
fn plain(customer: &str, channel: Name, purpose: Name) -> Question {
    let delivery = Delivery::Template;
    let mut question = Question {
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
