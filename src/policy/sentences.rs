//! Rules as plain sentences, for the people who own the policy and for customers who ask why.

use crate::domain::answer::RuleVerdict;
use crate::domain::follow_up::Duty;
use crate::domain::note::HANDED_OVER;
use crate::domain::words::{DeliverySet, Name, Tag, Verdict};
use crate::rules::cap::Cap;
use crate::rules::company::{Company, UnknownTimeZone};
use crate::rules::contact_hours::ContactHours;
use crate::rules::hold::{Hold, Trigger};
use crate::rules::narrowing::Narrowing;
use crate::rules::requirement::{Requirement, WhenUnknown};
use crate::rules::usage::Counts;
use crate::rules::{Mode, Rule, RuleKind};

use super::Policy;

/// The reason a rule gives that was written without one.
#[must_use]
pub fn because(rule: &Rule) -> String {
    format!("{}.", capitalised(&core(rule)))
}

/// The whole policy, for `policy show`.
#[must_use]
pub fn policy(policy: &Policy) -> String {
    let mut lines = vec![format!("Policy `{}`, hash {}.", policy.mark.version, policy.mark.hash)];
    if !policy.extends.is_empty() {
        lines.push(format!("It extends {}.", and_names(&policy.extends)));
    }
    lines.extend(company(&policy.company));
    let headings = [
        ("cap", "How much is enough"),
        ("hold", "When to wait"),
        ("contact_hours", "At which hours"),
        ("requirement", "What words need"),
    ];
    for (kind, heading) in headings {
        let mut rules = policy.rules.iter().filter(|rule| rule.kind.name() == kind).peekable();
        if rules.peek().is_some() {
            lines.push(String::new());
            lines.push(heading.to_owned());
        }
        for rule in rules {
            let origin = rule.preset.as_ref().map_or(String::new(), |preset| format!(" (from {preset})"));
            lines.push(format!("- {}{origin}: {}", rule.id, self::rule(rule)));
            lines.push(format!("  Because: {}", rule.because));
        }
    }
    if !policy.company.duties.is_empty() {
        lines.push(String::new());
        lines.push("What people owe customers".to_owned());
        lines.extend(policy.company.duties.iter().map(duty));
    }
    if policy.reader.is_some() {
        lines.push(String::new());
        lines.push("What words claim is read with phrases of the company's own besides.".to_owned());
    }
    lines.join("\n")
}

/// What a person owes, and how soon.
fn duty(duty: &Duty) -> String {
    let after = match duty.after.name() {
        HANDED_OVER => "a message is handed to a person",
        other => other,
    };
    let until: Vec<Name> = duty.until.iter().map(|kind| kind.name().into()).collect();
    let until = if until.is_empty() { "somebody says that it is done".to_owned() } else { or_names(&until) };
    format!("- {}: after {after}, within {}; until {until}.", duty.kind, duty.within.in_words())
}

/// One rule, with what happens when it refuses.
#[must_use]
pub fn rule(rule: &Rule) -> String {
    let consequence = match rule.verdict {
        RuleVerdict::Advise => "Otherwise the answer carries advice, and nothing is held back",
        RuleVerdict::Refuse(Verdict::Allow) => "Otherwise nothing happens",
        RuleVerdict::Refuse(Verdict::Defer) => "Otherwise the contact waits until it fits",
        RuleVerdict::Refuse(Verdict::Handoff) => "Otherwise a person is asked to do it",
        RuleVerdict::Refuse(Verdict::Deny) => "Otherwise it is refused",
    };
    let shadow = match rule.mode {
        Mode::Enforce => "",
        Mode::Shadow => " (Only tried so far: it is noted as advice, and binds nobody.)",
    };
    format!("{}. {consequence}.{shadow}", capitalised(&core(rule)))
}

fn core(rule: &Rule) -> String {
    let about = about(&rule.narrowing);
    match &rule.kind {
        RuleKind::Cap(cap) => self::cap(cap, &about),
        RuleKind::Hold(hold) => self::hold(hold, &about),
        RuleKind::ContactHours(hours) => self::hours(hours, &about),
        RuleKind::Requirement(requirement) => self::requirement(requirement, &about),
    }
}

fn cap(cap: &Cap, about: &str) -> String {
    let unit = |one: &str, many: &str| if cap.limit == 1 { one.to_owned() } else { many.to_owned() };
    let what = match cap.counts {
        Counts::Contacts => unit("contact", "contacts"),
        Counts::Attention => unit("point of attention", "points of attention"),
        Counts::Channels => unit("channel", "different channels"),
    };
    let per = per(&cap.per);
    let kept = cap.reserve.as_ref().map_or(String::new(), |reserve| {
        format!(", the last {} kept for {}", reserve.slots, and_names(&reserve.purposes))
    });
    let about = if about.is_empty() { ", whatever the channel".to_owned() } else { about.to_owned() };
    format!("at most {} {what} {}{per}{about}{kept}", cap.limit, cap.window.in_words())
}

fn hold(hold: &Hold, about: &str) -> String {
    let mut trigger = match &hold.trigger {
        Trigger::Contact => "a contact".to_owned(),
        Trigger::Event(kind) => format!("`{}`", kind.name()),
    };
    if let Some(channels) = &hold.after.channels {
        trigger += &format!(" by {}", or_names(channels));
    }
    if let Some(deliveries) = hold.after.deliveries {
        trigger += &format!(" delivered as {}", self::deliveries(deliveries));
    }
    if let Some(categories) = &hold.after.categories {
        trigger += &format!(" in category {}", or_names(categories));
    }
    if let Some(campaigns) = &hold.after.campaigns {
        trigger += &format!(" of campaign {}", or_names(campaigns));
    }
    let repeated = hold.repetition.map_or(String::new(), |repetition| {
        format!(" for the {} time within {}", ordinal(repetition.count), repetition.within.in_words())
    });
    let end = match (&hold.until, hold.pause, hold.at_longest) {
        (Some(until), Some(pause), Some(longest)) => {
            format!(
                " until {} after `{}`, for {} at the longest",
                pause.in_words(),
                until.name(),
                longest.in_words()
            )
        }
        (Some(until), None, Some(longest)) => {
            format!(" until `{}`, for {} at the longest", until.name(), longest.in_words())
        }
        (Some(until), Some(pause), None) => format!(" until {} after `{}`", pause.in_words(), until.name()),
        (Some(until), None, None) => format!(" until `{}`", until.name()),
        (None, Some(span), _) | (None, None, Some(span)) => format!(" for {}", span.in_words()),
        (None, None, None) => " for good".to_owned(),
    };
    format!("after {trigger}{repeated}, no contact{about}{}{end}", per(&hold.per))
}

fn hours(hours: &ContactHours, about: &str) -> String {
    let mut sentence = match &hours.open {
        Some(open) => format!("contact{about} only on {} of the customer's own clock", open.in_words()),
        None => format!("contact{about} at any hour of the customer's own clock"),
    };
    if !hours.closed.is_empty() {
        sentence += &format!(
            ", and not at all on {} closed {}",
            hours.closed.len(),
            if hours.closed.len() == 1 { "day or interval" } else { "days or intervals" }
        );
    }
    if let Some(spread) = hours.spread {
        sentence += &format!(", the first of a day spread over {}", spread.in_words());
    }
    sentence
}

fn requirement(requirement: &Requirement, about: &str) -> String {
    let unknown = match requirement.unknown {
        WhenUnknown::Deny => "",
        WhenUnknown::Allow => " (or nobody knows)",
        WhenUnknown::Advise => " (if nobody knows, only advice is given)",
    };
    let about = if about.is_empty() { " of any kind".to_owned() } else { about.to_owned() };
    format!("a contact{about} needs `{}`{unknown}", requirement.requires.source())
}

/// What a rule is about, to follow a noun: ` by voice or sms for marketing that claims care`.
fn about(narrowing: &Narrowing) -> String {
    let mut about = String::new();
    if let Some(channels) = &narrowing.channels {
        about += &format!(" by {}", or_names(channels));
    }
    if let Some(deliveries) = narrowing.deliveries {
        about += &format!(" delivered as {}", self::deliveries(deliveries));
    }
    if let Some(purposes) = &narrowing.purposes {
        about += &format!(" for {}", or_names(purposes));
    }
    if let Some(campaigns) = &narrowing.campaigns {
        about += &format!(" of campaign {}", or_names(campaigns));
    }
    if let Some(categories) = &narrowing.categories {
        about += &format!(" in category {}", or_names(categories));
    }
    if let Some(brands) = &narrowing.brands {
        about += &format!(" of brand {}", or_names(brands));
    }
    if let Some(regions) = &narrowing.regions {
        about += &format!(" in {}", or_names(regions));
    }
    if let Some(claims) = narrowing.claims {
        let claims: Vec<Name> = claims.iter().map(|claim| claim.name().into()).collect();
        about += &format!(" that claims {}", or_names(&claims));
    }
    if let Some(when) = &narrowing.when {
        about += &format!(" when `{}`", when.source());
    }
    about
}

fn deliveries(deliveries: DeliverySet) -> String {
    if deliveries == DeliverySet::automated() {
        return "anything automated".to_owned();
    }
    let names: Vec<Name> = deliveries.iter().map(|delivery| delivery.name().into()).collect();
    or_names(&names)
}

fn per(tags: &[Tag]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = tags.iter().map(|tag| tag.name()).collect();
    format!(" for one {}", names.join(" and one "))
}

fn company(company: &Company) -> Vec<String> {
    let unknown = match company.unknown_time_zone {
        UnknownTimeZone::Company => "that clock counts",
        UnknownTimeZone::Everywhere => "hours must be open in every inhabited zone",
        UnknownTimeZone::Deny => "rules about hours refuse",
    };
    let mut lines = vec![format!(
        "The company's clock is {}; where nobody knows the customer's, {unknown}.",
        company.zone.name()
    )];
    for purpose in &company.purposes {
        if !purpose.exempt.is_empty() || !purpose.counted {
            let exempt: Vec<Name> =
                purpose.exempt.iter().map(|exemption| exemption.name().replace('_', " ").into()).collect();
            let exempt = if exempt.is_empty() {
                "is bound by all rules".to_owned()
            } else {
                format!("is exempt from {}", and_names(&exempt))
            };
            let counted = if purpose.counted { "counts" } else { "does not count" };
            lines.push(format!("Purpose {} {exempt}, and {counted} towards caps.", purpose.name));
        }
    }
    if let Some(lapse_after) = company.lapse_after {
        lines.push(format!(
            "A reservation nobody tells as sent stops counting after {}.",
            lapse_after.in_words()
        ));
    }
    if let Some(let_through) = &company.let_through {
        lines.push(format!("To the unsubscribed, only a contact{} is let through.", about(let_through)));
    }
    for (campaign, audience) in &company.audiences {
        lines.push(format!("Campaign {campaign} is for customers of whom `{}` is true.", audience.source()));
    }
    lines
}

fn or_names(names: &[Name]) -> String {
    joined(names, "or")
}

fn and_names(names: &[Name]) -> String {
    joined(names, "and")
}

fn joined(names: &[Name], word: &str) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, teen) if teen != 11 => "st",
        (2, teen) if teen != 12 => "nd",
        (3, teen) if teen != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
