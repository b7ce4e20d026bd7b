//! Answers, as JSON.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::domain::answer::{Answer, Budget, Finding, Reason};
use crate::domain::follow_up::FollowUp;
use crate::domain::moment::Moment;
use crate::domain::suppression::Reach;
use crate::domain::words::Claim;

/// A moment as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub Moment);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An answer as callers see it; in `simulate`, with the moment it was asked at in front.
#[derive(Debug)]
pub struct AnswerBody<'a> {
    pub at: Option<Moment>,
    pub answer: &'a Answer,
}

impl Serialize for AnswerBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answer = self.answer;
        let mut map = serializer.serialize_map(None)?;
        if let Some(at) = self.at {
            map.serialize_entry("at", &Instant(at))?;
        }
        map.serialize_entry("verdict", answer.verdict.name())?;
        map.serialize_entry("contact_id", &*answer.contact_id)?;
        if let Some(send_at) = answer.send_at {
            map.serialize_entry("send_at", &Instant(send_at))?;
        }
        if let Some(not_before) = answer.not_before {
            map.serialize_entry("not_before", &Instant(not_before))?;
        }
        map.serialize_entry("reasons", &Each(&answer.reasons, ReasonBody))?;
        map.serialize_entry("advice", &Each(&answer.advice, ReasonBody))?;
        let claims: smallvec::SmallVec<[&str; 7]> = answer.claims.iter().map(Claim::name).collect();
        map.serialize_entry("claims", claims.as_slice())?;
        map.serialize_entry("budgets", &Each(&answer.budgets, BudgetBody))?;
        if let Some(alternatives) = &answer.alternatives {
            map.serialize_entry("alternatives", alternatives)?;
        }
        map.serialize_entry("follow_up", &answer.follow_up.as_ref().map(FollowUpMark))?;
        map.serialize_entry(
            "policy",
            &PolicyMarkBody { version: &answer.policy.version, hash: &answer.policy.hash },
        )?;
        map.serialize_entry("degraded", &answer.degraded)?;
        map.end()
    }
}

/// The task an answer gave to a person.
struct FollowUpMark<'a>(&'a FollowUp);

impl Serialize for FollowUpMark<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("id", &self.0.name)?;
        map.serialize_entry("kind", &*self.0.kind)?;
        map.serialize_entry("due_at", &Instant(self.0.due_at))?;
        map.end()
    }
}

#[derive(Serialize)]
struct PolicyMarkBody<'a> {
    version: &'a str,
    hash: &'a str,
}

/// A list whose members are each shown in another shape, without a copy.
struct Each<'a, T, B>(&'a [T], fn(&'a T) -> B);

impl<T, B: Serialize> Serialize for Each<'_, T, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

struct BudgetBody<'a>(&'a Budget);

impl Serialize for BudgetBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", &*self.0.rule)?;
        map.serialize_entry("limit", &self.0.limit)?;
        map.serialize_entry("used", &self.0.used)?;
        if self.0.shadow {
            map.serialize_entry("mode", "shadow")?;
        }
        if let Some(next_free) = self.0.next_free {
            map.serialize_entry("next_free", &Instant(next_free))?;
        }
        map.end()
    }
}

struct ReasonBody<'a>(&'a Reason);

impl Serialize for ReasonBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reason = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("rule", &*reason.rule)?;
        map.serialize_entry("kind", reason.finding.kind())?;
        map.serialize_entry("verdict", reason.verdict.name())?;
        map.serialize_entry("because", &*reason.because)?;
        serialize_finding(&mut map, reason.finding)?;
        if reason.shadow {
            map.serialize_entry("mode", "shadow")?;
        }
        if let Some(not_before) = reason.not_before {
            map.serialize_entry("not_before", &Instant(not_before))?;
        }
        map.end()
    }
}

/// What the rule saw, member by member.
///
/// # Errors
/// The serializer's own.
pub fn serialize_finding<M: SerializeMap>(map: &mut M, finding: Finding) -> Result<(), M::Error> {
    match finding {
        Finding::Cap { limit, used, window } | Finding::WishedLimit { limit, used, window } => {
            map.serialize_entry("limit", &limit)?;
            map.serialize_entry("used", &used)?;
            map.serialize_entry("window", &window.to_string())
        }
        Finding::Suppression { reach, since } => {
            map.serialize_entry("since", &Instant(since))?;
            match reach {
                Reach::Ordinary => Ok(()),
                Reach::EveryPurpose => map.serialize_entry("purposes", "all"),
            }
        }
        Finding::Halt { since } => map.serialize_entry("since", &Instant(since)),
        Finding::Hold { since, until } => {
            map.serialize_entry("since", &Instant(since))?;
            until.map_or(Ok(()), |until| map.serialize_entry("until", &Instant(until)))
        }
        Finding::WishedPause { until } => map.serialize_entry("until", &Instant(until)),
        Finding::Audience { unknown } | Finding::Requirement { unknown } => {
            map.serialize_entry("unknown_facts", &unknown)
        }
        Finding::ContactHours { zone_unknown } => {
            if zone_unknown {
                map.serialize_entry("time_zone", "unknown")
            } else {
                Ok(())
            }
        }
        Finding::Undeclared { claims } => {
            map.serialize_entry("undeclared", &claims.iter().map(Claim::name).collect::<Vec<_>>())
        }
        Finding::WishedChannel | Finding::WishedHours | Finding::Blind => Ok(()),
    }
}
