//! What a simulation comes to: verdicts by rule, channel and purpose, and what becomes of people.

mod markdown;
mod people;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::words::Verdict;

use super::verdicts::Verdicts;
use super::whole_file::WholeFile;
use people::{Ask, Gains, People, Sum};

/// The differences shown in full; the rest are only counted.
const MOST_EXAMPLES: usize = 20;

/// Where two policies said different things, or a policy and what was really answered.
#[derive(Clone, Debug, Serialize)]
struct Difference {
    at: String,
    contact_id: String,
    customer: String,
    verdict: &'static str,
    against: &'static str,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Comparison {
    verdicts: Verdicts,
    differing: u64,
    examples: Vec<Difference>,
}

/// What an ask is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Other {
    /// Another policy's verdict; `is_repeated` says that it had allowed the contact before.
    Policy { verdict: Verdict, is_repeated: bool },
    /// The verdict that was really given.
    Answered(Verdict),
}

/// One ask, as it was answered.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub at: Moment,
    pub question: &'a Value,
    pub answer: &'a Answer,
    pub is_repeated: bool,
    pub other: Option<Other>,
}

/// The sums.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    asks: u64,
    /// Asks that could not be judged.
    problems: u64,
    verdicts: Verdicts,
    by_channel: BTreeMap<String, Verdicts>,
    by_purpose: BTreeMap<String, Verdicts>,
    /// How often each rule was among the reasons, by the verdict of the whole answer.
    by_rule: BTreeMap<String, Verdicts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Comparison>,
    #[serde(skip)]
    people: People,
}

/// A report and what it comes to for people.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    report: &'a Report,
    customers: &'a Sum,
}

impl Report {
    pub fn add(&mut self, asked: Asked<'_>) {
        let Asked { question, answer, .. } = asked;
        self.asks += 1;
        self.verdicts.add(answer.verdict);
        for (member, sums) in [("channel", &mut self.by_channel), ("purpose", &mut self.by_purpose)] {
            add_to(sums, text(question, member), answer.verdict);
        }
        let mut rules: smallvec::SmallVec<[&str; 8]> =
            answer.reasons.iter().map(|reason| &*reason.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            add_to(&mut self.by_rule, rule, answer.verdict);
        }
        let is_allowed_otherwise = match asked.other {
            None => false,
            Some(Other::Policy { verdict, is_repeated }) => verdict == Verdict::Allow && !is_repeated,
            // What was allowed is asked about again as long as the policy remembers it.
            Some(Other::Answered(verdict)) => verdict == Verdict::Allow && !asked.is_repeated,
        };
        let ask = Ask {
            is_new: !asked.is_repeated,
            is_allowed: answer.verdict == Verdict::Allow,
            is_allowed_otherwise,
        };
        self.people.add(text(question, "customer"), ask);
        self.compare(asked);
    }

    /// An ask that could not be judged.
    pub const fn add_problem(&mut self) {
        self.problems += 1;
    }

    fn compare(&mut self, asked: Asked<'_>) {
        let (comparison, other) = match asked.other {
            None => return,
            Some(Other::Policy { verdict, is_repeated: _ }) => (&mut self.against, verdict),
            Some(Other::Answered(verdict)) => (&mut self.answered, verdict),
        };
        let comparison = comparison.get_or_insert_default();
        comparison.verdicts.add(other);
        if asked.answer.verdict == other {
            return;
        }
        comparison.differing += 1;
        if comparison.examples.len() < MOST_EXAMPLES {
            comparison.examples.push(Difference {
                at: asked.at.to_string(),
                contact_id: asked.answer.contact_id.to_string(),
                customer: text(asked.question, "customer").to_owned(),
                verdict: asked.answer.verdict.name(),
                against: other.name(),
            });
        }
    }

    /// Writes Markdown to a file whose name ends in `.md`, JSON to any other.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let under_the_other = self.against.as_ref().map(|_| Gains::UnderTheOther);
        let over_answers = self.answered.as_ref().map(|_| Gains::OverWhatWasAnswered);
        let customers = self.people.sum(under_the_other.or(over_answers));
        let text = if file.extension().is_some_and(|extension| extension == "md") {
            markdown::text(self, &customers)
        } else {
            serde_json::to_string_pretty(&Whole { report: self, customers: &customers })? + "\n"
        };
        WholeFile::write_all_of(file, &text)
    }
}

fn text<'q>(question: &'q Value, member: &str) -> &'q str {
    question.get(member).and_then(Value::as_str).unwrap_or("")
}

/// Names are few: the policy's own.
fn add_to(sums: &mut BTreeMap<String, Verdicts>, name: &str, verdict: Verdict) {
    match sums.get_mut(name) {
        Some(verdicts) => verdicts.add(verdict),
        None => sums.entry(name.to_owned()).or_default().add(verdict),
    }
}
