//! What a scrub comes to: how many rows are left, and why the others are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

use crate::cli::verdicts::Verdicts;
use crate::cli::whole_file::WholeFile;
use crate::domain::words::Verdict;

use super::judged::Judged;

/// How wide the longest bar is.
const BAR: u64 = 40;

/// The rows that one rule was the first to refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    rows: u64,
    because: String,
    by_channel: BTreeMap<String, u64>,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Those judged and those rejected.
    pub rows: u64,
    pub rejected: u64,
    /// Those that are not in the list that was written.
    pub left_out: u64,
    verdicts: Verdicts,
    by_channel: BTreeMap<String, Verdicts>,
    by_rule: BTreeMap<String, Refused>,
}

impl Sums {
    pub fn reject(&mut self) {
        self.rows += 1;
        self.rejected += 1;
    }

    pub fn add(&mut self, channel: &str, judged: &Judged, is_left_out: bool) {
        self.rows += 1;
        self.left_out += u64::from(is_left_out);
        self.verdicts.add(judged.verdict);
        self.by_channel.entry(channel.to_owned()).or_default().add(judged.verdict);
        if judged.verdict == Verdict::Allow {
            return;
        }
        let refused = self.by_rule.entry(judged.rule.clone()).or_default();
        refused.rows += 1;
        if refused.because.is_empty() {
            refused.because.clone_from(&judged.because);
        }
        *refused.by_channel.entry(channel.to_owned()).or_default() += 1;
    }

    /// The verdicts and, a bar each, the rules that refused.
    #[must_use]
    pub fn chart(&self, is_terminal: bool) -> String {
        let Verdicts { allow, defer, handoff, deny } = self.verdicts;
        let mut text = format!(
            "rows: {}; allow: {}, defer: {}, handoff: {}, deny: {}; left out: {}, rejected: {}",
            HumanCount(self.rows),
            HumanCount(allow),
            HumanCount(defer),
            HumanCount(handoff),
            HumanCount(deny),
            HumanCount(self.left_out),
            HumanCount(self.rejected)
        );
        let mut bars: Vec<(&str, &str, u64)> = Vec::new();
        for (rule, refused) in &self.by_rule {
            let by_channel = refused.by_channel.iter();
            bars.extend(by_channel.map(|(channel, rows)| (rule.as_str(), channel.as_str(), *rows)));
        }
        bars.sort_by_key(|(_, _, rows)| std::cmp::Reverse(*rows));
        let most = bars.first().map_or(1, |(_, _, rows)| *rows);
        let width =
            |column: fn(&(&str, &str, u64)) -> usize| bars.iter().map(column).max().unwrap_or_default();
        let rules = width(|(rule, _, _)| rule.chars().count());
        let channels = width(|(_, channel, _)| channel.chars().count());
        let counts = width(|(_, _, rows)| HumanCount(*rows).to_string().len());
        for (rule, channel, rows) in bars {
            let block = if is_terminal { "█" } else { "#" };
            let bar = block.repeat((rows * BAR).div_ceil(most) as usize);
            let rows = HumanCount(rows).to_string();
            let _ = write!(text, "\n  {rule:rules$}  {channel:channels$}  {rows:>counts$}  {bar}");
        }
        text
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
        WholeFile::write_all_of(file, &text)
    }

    fn markdown(&self) -> String {
        let mut text =
            format!("# {} rows, {} left out, {} rejected\n", self.rows, self.left_out, self.rejected);
        let heading = "| | allow | defer | handoff | deny |\n|---|---|---|---|---|";
        let _ = write!(text, "\n{heading}\n{}\n", self.verdicts.row("all"));
        for (channel, verdicts) in &self.by_channel {
            let _ = writeln!(text, "{}", verdicts.row(channel));
        }
        if !self.by_rule.is_empty() {
            text.push_str("\n## By the first rule that refused\n\n| rule | channel | rows | because |\n|---|---|---|---|\n");
        }
        for (rule, refused) in &self.by_rule {
            let because = refused.because.replace('|', "\\|").replace('\n', " ");
            for (channel, rows) in &refused.by_channel {
                let _ = writeln!(text, "| {rule} | {channel} | {rows} | {because} |");
            }
        }
        text
    }
}
