//! What was answered and told: by verdict, by rule, by sender, by campaign, and what it comes to for customers.

use std::sync::Arc;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Registry, Result};

use crate::domain::answer::{Answer, Reason};
use crate::domain::event::{Event, EventKind};
use crate::domain::moment::{HOUR_MS, Moment, SECOND_MS, Span};
use crate::domain::question::Question;
use crate::domain::words::{Claim, ClaimSet, Verdict};
use crate::gate::witness::Witness;

use super::bounded::Bounded;
use super::follow_ups::FollowUpMetrics;
use super::making::{counter, counters, register};

/// A company has some dozens of sending systems.
const MOST_SENDERS: usize = 100;
/// Campaigns come and go; those of a day are told apart.
const MOST_CAMPAIGNS: usize = 200;
const CAMPAIGN_IS_OVER: Span = Span::from_millis(24 * HOUR_MS);
/// What stands for the operator's own kinds of event.
const OWN_EVENTS: &str = "x";
/// Where nobody says who sends.
const NOBODY: &str = "";
/// One contact a day is seven, and nobody should be near thirty.
const WEEK_BUCKETS: [f64; 10] = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0, 21.0, 30.0];

pub struct DecisionMetrics {
    decisions: IntCounterVec,
    rules: IntCounterVec,
    blind: IntCounterVec,
    campaigns: IntCounterVec,
    shadow: IntCounterVec,
    events: IntCounterVec,
    week: Histogram,
    /// By place in [`Claim::ALL`].
    undeclared: Vec<IntCounter>,
    gave_up: IntCounter,
    senders: Bounded,
    known_campaigns: Bounded,
    follow_ups: Arc<FollowUpMetrics>,
}

impl DecisionMetrics {
    pub fn new(registry: &Registry, follow_ups: Arc<FollowUpMetrics>) -> Result<Self> {
        let undeclared = counters(
            registry,
            "undeclared_claims_total",
            "Claims that were read in a message asked about and that its sender had not declared, by claim.",
            &["claim"],
        )?;
        let week = HistogramOpts::new(
            "contact_governor_customer_week_contacts",
            "How many contacts a customer has within the seven days up to one that was just allowed, itself included.",
        );
        Ok(Self {
            decisions: counters(
                registry,
                "decisions_total",
                "Questions answered, single ones and those of batches, by the verdict and by what was asked about. \
                 Senders beyond the first hundred are `other`.",
                &["verdict", "channel", "purpose", "sender"],
            )?,
            rules: counters(
                registry,
                "rule_refusals_total",
                "How often a rule did not let a contact pass, by the rule's own verdict; what is no rule of the \
                 policy goes by its kind's word. A rule in mode `shadow` or with verdict `advise` binds nobody.",
                &["rule", "kind", "verdict", "mode"],
            )?,
            blind: counters(
                registry,
                "blind_decisions_total",
                "Questions answered without the ledger, as the purpose's `when_blind` says.",
                &["verdict", "purpose"],
            )?,
            campaigns: counters(
                registry,
                "campaign_decisions_total",
                "Questions answered about messages of a campaign. Beyond two hundred campaigns in a day they are \
                 `other`.",
                &["campaign", "verdict"],
            )?,
            shadow: counters(
                registry,
                "shadow_decisions_total",
                "Questions that were judged by the policy that is only tried as well, by both verdicts.",
                &["in_force", "shadow"],
            )?,
            events: counters(
                registry,
                "events_total",
                "Events stored, by type and by the sender of the contact they are about; the operator's own types are \
                 `x`.",
                &["type", "sender"],
            )?,
            week: register(registry, Histogram::with_opts(week.buckets(WEEK_BUCKETS.to_vec()))?)?,
            undeclared: Claim::ALL.map(|claim| undeclared.with_label_values(&[claim.name()])).into(),
            gave_up: counter(
                registry,
                "ledger_given_up_total",
                "Calls that lost the race for a record too often, and were answered without it or failed.",
            )?,
            senders: Bounded::new(MOST_SENDERS, None),
            known_campaigns: Bounded::new(MOST_CAMPAIGNS, Some(CAMPAIGN_IS_OVER)),
            follow_ups,
        })
    }

    /// A message claimed what its sender had not declared.
    pub fn undeclared(&self, claims: ClaimSet) {
        for claim in claims.iter() {
            if let Some(counter) = self.undeclared.get(claim as usize) {
                counter.inc();
            }
        }
    }

    fn campaign(&self, campaign: &str, verdict: Verdict, now: Moment) {
        let label = self.known_campaigns.label(campaign, now);
        if let Some(over) = label.made_room {
            for verdict in Verdict::ALL {
                // Only those that there were can be taken away.
                let _ = self.campaigns.remove_label_values(&[&over, verdict.name()]);
            }
        }
        self.campaigns.with_label_values(&[label.value, verdict.name()]).inc();
    }

    fn reasons(&self, reasons: &[Reason]) {
        for reason in reasons {
            let mode = if reason.shadow { "shadow" } else { "enforce" };
            let labels = [&*reason.rule, reason.finding.kind(), reason.verdict.name(), mode];
            self.rules.with_label_values(&labels).inc();
        }
    }
}

impl Witness for DecisionMetrics {
    fn answered(&self, question: &Question, answer: &Answer, now: Moment) {
        let verdict = answer.verdict.name();
        let sender = question.tags.sender.as_deref().unwrap_or(NOBODY);
        let sender = self.senders.label(sender, now).value;
        self.decisions.with_label_values(&[verdict, question.channel(), question.purpose(), sender]).inc();
        self.reasons(&answer.reasons);
        self.reasons(&answer.advice);
        self.undeclared(question.undeclared);
        if let Some(campaign) = &question.tags.campaign {
            self.campaign(campaign, answer.verdict, now);
        }
        if answer.degraded {
            self.blind.with_label_values(&[verdict, question.purpose()]).inc();
        }
        let Some(aside) = &answer.aside else { return };
        if answer.verdict == Verdict::Allow {
            self.week.observe(f64::from(aside.contacts_in_week));
        }
        if let Some(shadow) = &aside.in_shadow {
            self.shadow.with_label_values(&[verdict, shadow.verdict.name()]).inc();
        }
    }

    fn told(&self, event: &Event, sender: Option<&str>, now: Moment) {
        let kind = match &event.kind {
            EventKind::Own(_) => OWN_EVENTS,
            known => known.name(),
        };
        let sender = self.senders.label(sender.unwrap_or(NOBODY), now).value;
        self.events.with_label_values(&[kind, sender]).inc();
    }

    fn waited(&self, kind: &str, span: Span) {
        self.follow_ups.waited(kind, span.millis() as f64 / SECOND_MS as f64);
    }

    fn gave_up(&self) {
        self.gave_up.inc();
    }
}
