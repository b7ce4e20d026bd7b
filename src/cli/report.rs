//! What a simulation comes to: verdicts by rule, channel and purpose.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;

use super::verdicts::Verdicts;

/// The differences shown in full; the rest are only counted.
const MOST_EXAMPLES: usize = 20;

/// Where two policies said different things.
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

/// The sums.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    asks: u64,
    verdicts: Verdicts,
    by_channel: BTreeMap<String, Verdicts>,
    by_purpose: BTreeMap<String, Verdicts>,
    /// How often each rule was among the reasons, by the verdict of the whole answer.
    by_rule: BTreeMap<String, Verdicts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Comparison>,
}

impl Report {
    pub fn add(&mut self, question: &Value, answer: &Answer) {
        self.asks += 1;
        self.verdicts.add(answer.verdict);
        for (member, sums) in [("channel", &mut self.by_channel), ("purpose", &mut self.by_purpose)] {
            let name = question.get(member).and_then(Value::as_str).unwrap_or("");
            sums.entry(name.to_owned()).or_default().add(answer.verdict);
        }
        let mut rules: Vec<&str> = answer.reasons.iter().map(|reason| &*reason.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            self.by_rule.entry(rule.to_owned()).or_default().add(answer.verdict);
        }
    }

    pub fn compare(&mut self, at: Moment, question: &Value, answer: &Answer, other: &Answer) {
        let comparison = self.against.get_or_insert_default();
        comparison.verdicts.add(other.verdict);
        if answer.verdict == other.verdict {
            return;
        }
        comparison.differing += 1;
        if comparison.examples.len() < MOST_EXAMPLES {
            comparison.examples.push(Difference {
                at: at.to_string(),
                contact_id: answer.contact_id.to_string(),
                customer: question.get("customer").and_then(Value::as_str).unwrap_or("").to_owned(),
                verdict: answer.verdict.name(),
                against: other.verdict.name(),
            });
        }
    }

    /// Writes Markdown to a file whose name ends in `.md`, JSON to any other.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let text = if file.extension().is_some_and(|extension| extension == "md") {
            self.markdown()
        } else {
            serde_json::to_string_pretty(self)? + "\n"
        };
        std::fs::write(file, text)
    }

    fn markdown(&self) -> String {
        let mut text = format!("# {} asks\n", self.asks);
        let heading = "| | allow | defer | handoff | deny |\n|---|---|---|---|---|";
        let _ = write!(text, "\n{heading}\n{}\n", self.verdicts.row("all"));
        for (title, sums) in [
            ("channel", &self.by_channel),
            ("purpose", &self.by_purpose),
            ("rule that refused", &self.by_rule),
        ] {
            if !sums.is_empty() {
                let rows: Vec<String> = sums.iter().map(|(name, verdicts)| verdicts.row(name)).collect();
                let _ = write!(text, "\n## By {title}\n\n{heading}\n{}\n", rows.join("\n"));
            }
        }
        if let Some(against) = &self.against {
            let _ =
                write!(text, "\n## Against the other policy\n\n{heading}\n{}\n", against.verdicts.row("all"));
            let _ = write!(text, "\n{} asks are answered differently", against.differing);
            text.push_str(if against.examples.is_empty() { ".\n" } else { ", among them:\n\n" });
            for Difference { at, contact_id, customer, verdict, against } in &against.examples {
                let _ = writeln!(text, "- {at} `{contact_id}` to `{customer}`: {verdict}, against {against}");
            }
        }
        text
    }
}
