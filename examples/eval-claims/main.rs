//! How well claims are read: scores against labelled messages, as tables.
//!
//! ```text
//! cargo run --release --example eval-claims -- training/claims/heldapart.jsonl
//! cargo run --release --example eval-claims -- FILE --labels     # the labels read, one JSON line a message
//! ```
//!
//! *Strict* takes the labels as they are; *lenient* leaves out, for each message, labels careful raters
//! differ on. A hard negative claims nothing and holds a look-alike; a plain negative holds none.

#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "a program run by hand")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a program run by hand")]

use std::collections::BTreeMap;

use contact_governor::claims::{Message, OwnPhrases, Reader};
use contact_governor::domain::words::{Claim, ClaimSet};
use serde_json::{Value, json};

/// A message, what it claims, and what was read.
struct Judged {
    labels: ClaimSet,
    debatable: ClaimSet,
    bait: ClaimSet,
    groups: Vec<String>,
    read: ClaimSet,
}

#[derive(Clone, Copy, Default)]
struct Count {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Count {
    fn precision(self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    fn recall(self) -> f64 {
        self.right as f64 / (self.right + self.missed).max(1) as f64
    }

    fn f1(self) -> f64 {
        2.0 * self.right as f64 / (2 * self.right + self.wrong + self.missed).max(1) as f64
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "training/claims/heldapart.jsonl".to_owned());
    let only_labels = arguments.any(|argument| argument == "--labels");
    let reader = Reader::new(&OwnPhrases::default()).expect("the built-in phrases are right");
    let text = std::fs::read_to_string(&path).expect("the file can be read");
    let messages: Vec<Value> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let judged: Vec<Judged> = messages.iter().map(|message| judge(&reader, message)).collect();
    if only_labels {
        for (message, judged) in messages.iter().zip(&judged) {
            let labels: Vec<_> = judged.read.iter().map(Claim::name).collect();
            println!("{}", json!({"id": message["id"], "labels": labels}));
        }
        return;
    }
    for (name, lenient) in [("strict", false), ("lenient", true)] {
        println!("{name}, {} messages of {path}\n", judged.len());
        by_claim(&judged, lenient);
        false_alarms(&judged, lenient);
        println!();
    }
    by_group(&judged);
}

fn judge(reader: &Reader, message: &Value) -> Judged {
    let text = message["text"].as_str().expect("a message has a text");
    let read = reader.read(&Message { body: text, ..Message::default() }).claims;
    let named = |member: &str, of: &Value| format!("{member}: {}", of.as_str().unwrap_or("?"));
    let tags = message["tags"].as_array().into_iter().flatten();
    let groups = [named("language", &message["lang"]), named("channel", &message["channel"])];
    Judged {
        labels: claims(&message["labels"]),
        debatable: claims(&message["debatable"]),
        bait: claims(&message["bait"]),
        groups: groups.into_iter().chain(tags.map(|tag| named("kind", tag))).collect(),
        read,
    }
}

fn claims(names: &Value) -> ClaimSet {
    names.as_array().into_iter().flatten().filter_map(|name| Claim::parse(name.as_str()?)).collect()
}

fn count<'a>(judged: impl IntoIterator<Item = &'a Judged>, lenient: bool) -> [Count; Claim::ALL.len()] {
    let mut counts = [Count::default(); Claim::ALL.len()];
    for one in judged {
        for claim in Claim::ALL {
            let has = |set: ClaimSet| set.iter().any(|other| other == claim);
            if lenient && has(one.debatable) {
                continue;
            }
            let count = &mut counts[claim as usize];
            match (has(one.labels), has(one.read)) {
                (true, true) => count.right += 1,
                (false, true) => count.wrong += 1,
                (true, false) => count.missed += 1,
                (false, false) => {}
            }
        }
    }
    counts
}

fn by_claim(judged: &[Judged], lenient: bool) {
    println!("{:18} precision  recall     F1  right  wrong  missed", "claim");
    let counts = count(judged, lenient);
    for (claim, one) in Claim::ALL.into_iter().zip(counts) {
        let Count { right, wrong, missed } = one;
        let (precision, recall, f1) = (one.precision(), one.recall(), one.f1());
        println!("{:18} {precision:9.3} {recall:7.3} {f1:6.3} {right:6} {wrong:6} {missed:7}", claim.name());
    }
    let mean = counts.iter().map(|count| count.f1()).sum::<f64>() / counts.len() as f64;
    println!("{:18} {:>9} {:>7} {mean:6.3}", "macro", "", "");
}

fn false_alarms(judged: &[Judged], lenient: bool) {
    let wrongly = |one: &&Judged| {
        let read = if lenient { one.read.without(one.debatable) } else { one.read };
        !read.is_empty()
    };
    for (name, hard) in [("hard negatives", true), ("plain negatives", false)] {
        let of: Vec<&Judged> =
            judged.iter().filter(|one| one.labels.is_empty() && one.bait.is_empty() != hard).collect();
        let alarms = of.iter().copied().filter(wrongly).count();
        let rate = alarms as f64 / of.len().max(1) as f64;
        println!("false alarms on {name}: {alarms} of {} ({rate:.3})", of.len());
    }
}

fn by_group(judged: &[Judged]) {
    let mut groups: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for one in judged {
        for group in &one.groups {
            groups.entry(group).or_default().push(one);
        }
    }
    println!("{:28} messages  precision  recall  micro-F1   (strict)", "");
    for (group, judged) in groups {
        let of = judged.len();
        let all = count(judged, false).into_iter().fold(Count::default(), |sum, one| Count {
            right: sum.right + one.right,
            wrong: sum.wrong + one.wrong,
            missed: sum.missed + one.missed,
        });
        println!("{group:28} {of:8} {:10.3} {:7.3} {:9.3}", all.precision(), all.recall(), all.f1());
    }
}
