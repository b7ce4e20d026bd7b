//! A timeline in sentences that the customer could be read on the telephone.

mod event;

use crate::domain::event::EventKind;
use crate::domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, Moment, Span};
use crate::domain::refusal::Refusal;
use crate::domain::timeline::{Happening, Outcome, Wait};
use crate::domain::wall_clock::Zone;
use crate::domain::words::{Delivery, Tags, Verdict};

/// The sentences, one a line, in the order given.
#[must_use]
pub fn text(customer: &str, happenings: &[&Happening<'_>], is_all: bool, zone: &Zone, now: Moment) -> String {
    let mut lines =
        vec![format!("What happened with {customer}, newest first. Times are those of {}.", zone.name())];
    if happenings.is_empty() {
        lines.push("Nothing is on record.".to_owned());
    }
    lines.extend(
        happenings.iter().map(|one| format!("{}: {}", when(one.at(), zone), sentence(one, zone, now))),
    );
    if !is_all {
        lines.push("There is more before that.".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// How long, as people say it: `3 days`, `2 hours`, `less than a minute`.
#[must_use]
pub fn length(span: Span) -> String {
    let millis = span.millis();
    let (number, unit) = match millis {
        DAY_MS.. => (millis / DAY_MS, "day"),
        HOUR_MS.. => (millis / HOUR_MS, "hour"),
        MINUTE_MS.. => (millis / MINUTE_MS, "minute"),
        _ => return "less than a minute".to_owned(),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn when(moment: Moment, zone: &Zone) -> String {
    let local = zone.local(moment);
    format!(
        "{}, {:02}:{:02}",
        day(moment, zone),
        local.time_ms / HOUR_MS,
        local.time_ms % HOUR_MS / MINUTE_MS
    )
}

fn day(moment: Moment, zone: &Zone) -> String {
    let date = zone.local(moment).day.date();
    date.map_or_else(String::new, |date| date.strftime("%A, %-d %B %Y").to_string())
}

fn sentence(one: &Happening<'_>, zone: &Zone, now: Moment) -> String {
    match one {
        Happening::Contact(contact, outcome) => {
            let what = message(&contact.tags);
            let fate = match outcome {
                Outcome::Planned => "is planned",
                Outcome::Unknown => "was due; nobody has told us whether it was sent",
                Outcome::Sent => "was sent",
                Outcome::Delivered => "was sent and arrived",
                Outcome::Bounced => "was sent and came back",
                Outcome::Answered => "was sent, and the customer answered it",
                Outcome::Cancelled => "was planned and then cancelled",
                Outcome::Failed => "was to be sent, and failed",
            };
            format!("{what} {fate}.")
        }
        Happening::Event(event) => event::sentence(event, zone),
        Happening::Consent(consent) => event::consent(consent, zone),
        Happening::Refusal(refusal) => refused(refusal, zone),
        Happening::Wait(wait) => waited(wait, zone, now),
    }
}

fn waited(wait: &Wait, zone: &Zone, now: Moment) -> String {
    let what = if wait.after == EventKind::CustomerComplained { "complained" } else { "wrote or called" };
    let length = length(wait.length(now));
    match wait.until {
        Some(until) => format!(
            "The customer {what} on {} and was answered on {}: {length}.",
            day(wait.since, zone),
            day(until, zone)
        ),
        None => format!("The customer {what} and still waits for an answer: {length} so far."),
    }
}

/// `A telephone call (marketing) was not to be made before 3 May 2026, 09:00: We promised two a week.`
fn refused(refusal: &Refusal, zone: &Zone) -> String {
    let what = message(&refusal.tags);
    let verdict = match (refusal.verdict, refusal.not_before) {
        (Verdict::Defer, Some(not_before)) => {
            format!("was put off to {} or later", when(not_before, zone))
        }
        (Verdict::Allow | Verdict::Defer, _) => "was put off".to_owned(),
        (Verdict::Handoff, _) => "was not left to a machine".to_owned(),
        (Verdict::Deny, _) => "was not allowed".to_owned(),
    };
    let times = match refusal.times {
        1 => String::new(),
        times => format!(" It was asked {times} times, first on {}.", when(refusal.first_at, zone)),
    };
    let because: Vec<&str> = refusal.reasons.iter().map(|(_, because)| &**because).collect();
    let because = if because.is_empty() { String::new() } else { format!(" {}", because.join(" ")) };
    format!("{what} {verdict}.{because}{times}")
}

/// A message, by its channel, speaker and subject: `An e-mail (marketing, autumn)`.
fn message(tags: &Tags) -> String {
    let speaker = match tags.delivery {
        Some(Delivery::Human) => " from a person",
        Some(Delivery::SyntheticVoice | Delivery::RecordedVoice | Delivery::Ivr) => " from a machine",
        Some(Delivery::Template | Delivery::AutoReply) | None => "",
    };
    let what = match tags.channel.as_deref() {
        Some("email") => "An e-mail".to_owned(),
        Some("sms") => "A text message".to_owned(),
        Some("voice") => "A telephone call".to_owned(),
        Some("mail") => "A letter".to_owned(),
        Some(other) => format!("A message by {other}"),
        None => "A message".to_owned(),
    };
    let about: Vec<&str> =
        [&tags.purpose, &tags.campaign, &tags.subject].into_iter().filter_map(Option::as_deref).collect();
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
    format!("{what}{speaker}{about}")
}
