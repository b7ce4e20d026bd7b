//! Outlook: what a plain message would meet, on each channel and for each purpose.

use crate::decide;
use crate::domain::answer::{Answer, Budget};
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::words::Name;

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
        let policy = self.policy();
        let company = &policy.company;
        let pairs = company.channels.iter().flat_map(|channel| {
            company.purposes.iter().map(|purpose| (channel.name.clone(), purpose.name.clone()))
        });
        pairs
            .filter_map(|(channel, purpose)| {
                let question = Question::plain(customer, channel.clone(), purpose.clone());
                let decision = decide::decide(&policy, &halts, record, &question, now).ok()?;
                let budgets = decide::standing_budgets(&policy, record, &question, now);
                Some(Outlook { channel, purpose, answer: decision.answer, budgets })
            })
            .collect()
    }
}
