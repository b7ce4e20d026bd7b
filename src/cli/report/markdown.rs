//! A report for people.

use std::fmt::Write as _;

use super::people::{Gains, Sum};
use super::{Comparison, Difference, Report, Verdicts};

const VERDICTS: &str = "| | allow | defer | handoff | deny |\n|---|---|---|---|---|";

/// The report as Markdown.
#[must_use]
pub fn text(report: &Report, people: &Sum) -> String {
    let mut text = format!("# {} asks\n", report.asks);
    let _ = write!(text, "\n{VERDICTS}\n{}\n", row("all", &report.verdicts));
    if report.problems > 0 {
        let _ = writeln!(
            text,
            "\n{} more could not be judged: they are problems under this policy.",
            report.problems
        );
    }
    for (title, sums) in [
        ("channel", &report.by_channel),
        ("purpose", &report.by_purpose),
        ("rule that refused", &report.by_rule),
    ] {
        if !sums.is_empty() {
            let rows: Vec<String> = sums.iter().map(|(name, verdicts)| row(name, verdicts)).collect();
            let _ = write!(text, "\n## By {title}\n\n{VERDICTS}\n{}\n", rows.join("\n"));
        }
    }
    let compared = report.against.as_ref().map(|against| (against, Gains::UnderTheOther));
    let compared =
        compared.or_else(|| report.answered.as_ref().map(|answered| (answered, Gains::OverWhatWasAnswered)));
    if let Some((comparison, gains)) = compared {
        add_comparison(&mut text, comparison, gains);
    }
    add_people(&mut text, people, compared.map(|(_, gains)| gains));
    text
}

fn row(name: &str, verdicts: &Verdicts) -> String {
    let Verdicts { allow, defer, handoff, deny } = verdicts;
    format!("| {name} | {allow} | {defer} | {handoff} | {deny} |")
}

fn add_comparison(text: &mut String, comparison: &Comparison, gains: Gains) {
    let heading = match gains {
        Gains::UnderTheOther => "Against the other policy",
        Gains::OverWhatWasAnswered => "Against what was really answered",
    };
    let _ = write!(text, "\n## {heading}\n\n{VERDICTS}\n{}\n", row("all", &comparison.verdicts));
    let _ = write!(text, "\n{} asks are answered differently", comparison.differing);
    text.push_str(if comparison.examples.is_empty() { ".\n" } else { ", among them:\n\n" });
    for Difference { at, contact_id, customer, verdict, against } in &comparison.examples {
        let _ = writeln!(text, "- {at} `{contact_id}` to `{customer}`: {verdict}, against {against}");
    }
}

fn add_people(text: &mut String, people: &Sum, gains: Option<Gains>) {
    let _ = write!(text, "\n## {} customers by their contacts\n", people.seen);
    if people.asks_of_customers_not_followed > 0 {
        let _ = write!(
            text,
            "\n{} asks were about customers beyond those: too many to follow one by one.\n",
            people.asks_of_customers_not_followed
        );
    }
    let otherwise = match gains {
        None => "",
        Some(Gains::UnderTheOther) => " other policy |",
        Some(Gains::OverWhatWasAnswered) => " really answered |",
    };
    let line = if gains.is_some() { "---|" } else { "" };
    let _ = write!(text, "\n| contacts | asked | allowed |{otherwise}\n|---|---|---|{line}\n");
    for row in &people.contacts {
        let otherwise = row.otherwise.map_or_else(String::new, |count| format!(" {count} |"));
        let _ = writeln!(text, "| {} | {} | {} |{otherwise}", row.contacts, row.asked, row.allowed);
    }
    if !people.most_spared.is_empty() {
        text.push_str("\n## Spared most\n\n| customer | asked | allowed | refused |\n|---|---|---|---|\n");
        for spared in &people.most_spared {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                spared.customer, spared.asked, spared.allowed, spared.refused
            );
        }
    }
    let Some((more, gains)) = people.would_get_more.as_ref().zip(gains) else { return };
    let under = match gains {
        Gains::UnderTheOther => "under the other policy",
        Gains::OverWhatWasAnswered => "than they really got",
    };
    let _ = write!(
        text,
        "\n## Who would get more {under}\n\n{} customers, {} contacts more.\n",
        more.customers, more.contacts
    );
    if !more.most.is_empty() {
        text.push_str("\n| customer | before | after |\n|---|---|---|\n");
        for gain in &more.most {
            let _ = writeln!(text, "| `{}` | {} | {} |", gain.customer, gain.before, gain.after);
        }
    }
}
