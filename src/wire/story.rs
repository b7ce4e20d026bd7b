//! A timeline in sentences that the customer could be read on the telephone.

use crate::domain::event::EventKind;
use crate::domain::follow_up::{CLAIMED, DONE, HANDED_OVER};
use crate::domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, Moment, Span};
use crate::domain::timeline::{Happening, Outcome, Wait};
use crate::domain::wall_clock::Zone;
use crate::domain::words::{Delivery, Tags};

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
        Happening::Event(event) => {
            let by = event.tags.channel.as_ref().map_or_else(String::new, |channel| format!(" by {channel}"));
            match &event.kind {
                EventKind::ContactSent => format!("{} was sent.", message(&event.tags)),
                EventKind::ContactCancelled => "A message was cancelled before we knew of it.".to_owned(),
                EventKind::ContactFailed => "A message failed before we knew of it.".to_owned(),
                EventKind::ContactDelivered => "A message arrived.".to_owned(),
                EventKind::ContactBounced => "A message came back.".to_owned(),
                EventKind::ContactAnswered => format!("The customer answered a message{by}."),
                EventKind::CustomerComplained => format!("The customer complained{by}."),
                EventKind::CustomerUnsubscribed => match (&event.tags.channel, event.every_purpose) {
                    (Some(channel), _) => format!("The customer asked for no more messages by {channel}."),
                    (None, true) => "The customer asked for no more messages of any kind.".to_owned(),
                    (None, false) => "The customer asked for no more messages.".to_owned(),
                },
                EventKind::CustomerResubscribed => format!("The customer asked for messages{by} again."),
                EventKind::CustomerThanked => format!("The customer thanked us{by}."),
                EventKind::ConsentGranted => format!("The customer agreed to {}.", consented(&event.tags)),
                EventKind::ConsentWithdrawn => {
                    format!("The customer no longer agrees to {}.", consented(&event.tags))
                }
                EventKind::ConversationOpened => format!("The customer wrote or called{by}."),
                EventKind::ConversationAnswered => format!("The customer was answered{by}."),
                EventKind::ConversationHeld => format!("We spoke with the customer{by}."),
                EventKind::HumanReplied => format!("A person replied{by}."),
                EventKind::Own(name) if **name == *HANDED_OVER => {
                    format!(
                        "{} was not left to a machine; a person was asked to do it.",
                        message(&event.tags)
                    )
                }
                EventKind::Own(name) if **name == *CLAIMED => {
                    format!("{} took it on.", event.tags.sender.as_deref().unwrap_or("Somebody"))
                }
                EventKind::Own(name) if **name == *DONE => {
                    format!(
                        "It was done: {}.",
                        event.tags.subject.as_deref().unwrap_or("nothing more is said")
                    )
                }
                EventKind::Own(name) => format!("Something was noted: {name}."),
            }
        }
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

fn consented(tags: &Tags) -> String {
    let purpose = tags.purpose.as_deref().unwrap_or("messages");
    let by = tags.channel.as_ref().map_or_else(String::new, |channel| format!(" by {channel}"));
    format!("{purpose}{by}")
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
