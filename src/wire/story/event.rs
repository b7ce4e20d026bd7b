//! Events in sentences.

use crate::domain::account::Account;
use crate::domain::consent::{Consent, ConsentWord};
use crate::domain::event::{Event, EventKind};
use crate::domain::moment::Moment;
use crate::domain::note::{CLAIMED, DONE, ESCALATED, HANDED_OVER, SUPPRESSED, UNSUPPRESSED, WISHED};
use crate::domain::wall_clock::Zone;
use crate::domain::words::Name;

use super::{day, message};

/// Who it was that set something, where the customer did.
const CUSTOMER: &str = "customer";

pub fn sentence(event: &Event, zone: &Zone) -> String {
    let by = by(event.tags.channel.as_ref());
    match &event.kind {
        EventKind::ContactSent => format!("{} was sent.", message(&event.tags)),
        EventKind::ContactCancelled => "A message was cancelled before we knew of it.".to_owned(),
        EventKind::ContactFailed => "A message failed before we knew of it.".to_owned(),
        EventKind::ContactDelivered => "A message arrived.".to_owned(),
        EventKind::ContactBounced => "A message came back.".to_owned(),
        EventKind::ContactAnswered => format!("The customer answered a message{by}."),
        EventKind::CustomerComplained => format!("The customer complained{by}."),
        EventKind::CustomerUnsubscribed => {
            format!("The customer asked for no more {}{by}{}.", messages(event), ends(event.expires_at, zone))
        }
        EventKind::CustomerResubscribed => format!("The customer asked for {}{by} again.", messages(event)),
        EventKind::CustomerThanked => format!("The customer thanked us{by}."),
        EventKind::ConsentGranted | EventKind::ConsentWithdrawn => {
            format!("The customer spoke of consent{by}.")
        }
        EventKind::ConversationOpened => format!("The customer wrote or called{by}."),
        EventKind::ConversationAnswered => format!("The customer was answered{by}."),
        EventKind::ConversationHeld => format!("We spoke with the customer{by}."),
        EventKind::HumanReplied => format!("A person replied{by}."),
        EventKind::Own(name) => noted(name, event, zone),
    }
}

/// The governor's own notes, and the operator's events.
fn noted(name: &Name, event: &Event, zone: &Zone) -> String {
    let account = event.accounted();
    let by = by(event.tags.channel.as_ref());
    match &**name {
        HANDED_OVER => {
            format!("{} was not left to a machine; a person was asked to do it.", message(&event.tags))
        }
        CLAIMED => format!("{} took it on.", event.tags.sender.as_deref().unwrap_or("Somebody")),
        DONE => format!("It was done: {}.", event.tags.subject.as_deref().unwrap_or("nothing more is said")),
        ESCALATED => "It was still not done when it was due, and somebody else was told.".to_owned(),
        WISHED => {
            let wishes = account.text.as_deref().unwrap_or("something");
            match account.by.as_deref().filter(|by| *by != CUSTOMER) {
                None => format!("The customer wished{}: {wishes}.", on_the(&account)),
                Some(by) => format!("The customer wished{}, as {by} noted: {wishes}.", through(&account)),
            }
        }
        SUPPRESSED => {
            let ends = ends(event.expires_at, zone);
            let why = account.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            let what = messages(event);
            match recorder(&account) {
                None => format!("The customer asked for no more {what}{by}{}{ends}{why}.", on_the(&account)),
                Some(who) => format!("{who} noted that the customer wants no more {what}{by}{ends}{why}."),
            }
        }
        UNSUPPRESSED => match recorder(&account) {
            None => format!("The customer asked for {}{by} again{}.", messages(event), on_the(&account)),
            Some(who) => format!("{who} noted that {}{by} may be sent again.", messages(event)),
        },
        other => format!("Something was noted: {other}."),
    }
}

/// Who wrote it down; `None`: the customer did.
fn recorder(account: &Account) -> Option<&str> {
    match account.by.as_deref() {
        Some(CUSTOMER) => None,
        by => Some(by.unwrap_or("Somebody")),
    }
}

fn on_the(account: &Account) -> String {
    account.through.as_ref().map_or_else(String::new, |through| format!(" on the {through}"))
}

fn through(account: &Account) -> String {
    account.through.as_ref().map_or_else(String::new, |through| format!(" by {through}"))
}

fn by(channel: Option<&Name>) -> String {
    channel.map_or_else(String::new, |channel| format!(" by {channel}"))
}

/// What is no longer to be sent, or again.
fn messages(event: &Event) -> String {
    match (event.every_purpose, event.purposes.as_slice()) {
        (true, _) => "messages of any kind".to_owned(),
        (false, []) => "messages".to_owned(),
        (false, purposes) => format!("{} messages", purposes.join(" and ")),
    }
}

fn ends(end: Option<Moment>, zone: &Zone) -> String {
    end.map_or_else(String::new, |end| format!(" until {}", day(end, zone)))
}

pub fn consent(consent: &Consent, zone: &Zone) -> String {
    let what = consent
        .purpose
        .as_deref()
        .map_or_else(|| "messages".to_owned(), |purpose| format!("{purpose} messages"));
    let by = by(consent.channel.as_ref());
    let ends = ends(consent.expires_at, zone);
    let evidence =
        consent.evidence.as_ref().map_or_else(String::new, |evidence| format!(" (evidence: {evidence})"));
    match consent.word {
        ConsentWord::Granted => format!("The customer agreed to {what}{by}{ends}{evidence}."),
        ConsentWord::Pending => {
            format!("The customer was asked to confirm that they agree to {what}{by}{evidence}.")
        }
        ConsentWord::Withdrawn => format!("The customer no longer agrees to {what}{by}{evidence}."),
    }
}
