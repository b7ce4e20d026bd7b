//! Names in a policy, checked against the vocabularies they come from.

use std::sync::Arc;

use crate::domain::condition::Condition;
use crate::domain::event::{EventKind, OWN_PREFIX};
use crate::domain::moment::Span;
use crate::domain::window::LONGEST_WINDOW_DAYS;
use crate::domain::words::{Claim, ClaimSet, Delivery, DeliverySet, Name};
use crate::policy::mistakes::Collector;
use crate::policy::placed::Placed;
use crate::policy::shape::did_you_mean;

/// The longest name of anything, in characters.
pub const LONGEST_NAME: usize = 128;

type Texts = Placed<Vec<Placed<String>>>;

/// A list of names; an empty one can match nothing.
pub fn list<'d>(texts: &'d Texts, mistakes: &mut Collector<'_>) -> &'d [Placed<String>] {
    if texts.value.is_empty() {
        mistakes.add(
            &texts.place,
            "an empty list matches nothing, so the rule could never match; leave the key out to match all",
        );
    }
    &texts.value
}

/// Names out of a vocabulary the policy declares.
pub fn known(what: &str, texts: &Texts, vocabulary: &[Name], mistakes: &mut Collector<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    for text in list(texts, mistakes) {
        match vocabulary.iter().find(|name| ***name == *text.value) {
            Some(name) => names.push(name.clone()),
            None => {
                let hint = did_you_mean(text, vocabulary.iter().map(|name| &**name));
                let message = format!(
                    "no {what} is called `{}`{hint}; declare it under `[{what}s]` if it is meant",
                    text.value
                );
                mistakes.add(&text.place, message);
            }
        }
    }
    names
}

/// Names the policy need not declare: campaigns, categories, brands.
pub fn free(texts: &Texts, mistakes: &mut Collector<'_>) -> Vec<Name> {
    list(texts, mistakes).iter().map(|text| Name::from(text.value.as_str())).collect()
}

/// Regions, in capitals.
pub fn regions(texts: &Texts, mistakes: &mut Collector<'_>) -> Vec<Name> {
    let mut regions = Vec::new();
    for text in list(texts, mistakes) {
        match region(text) {
            Some(region) => regions.push(region),
            None => {
                mistakes.add(&text.place, format!("`{}` is not a region; write `US` or `US-FL`", text.value));
            }
        }
    }
    regions
}

/// The longest region code, in characters: room for `US-FL` and what lies within.
pub const LONGEST_REGION: usize = 16;

/// A region code in capitals: parts of letters and digits, joined by hyphens.
#[must_use]
pub fn region(text: &str) -> Option<Name> {
    let sound = text.len() <= LONGEST_REGION
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    sound.then(|| text.to_ascii_uppercase().into())
}

/// Deliveries, `automated` standing for all but `human`.
pub fn deliveries(texts: &Texts, mistakes: &mut Collector<'_>) -> DeliverySet {
    let mut set = DeliverySet::default();
    for text in list(texts, mistakes) {
        set = match (text.value.as_str(), Delivery::parse(text)) {
            ("automated", _) => set.union(DeliverySet::automated()),
            (_, Some(delivery)) => set.with(delivery),
            (_, None) => {
                let known = Delivery::ALL.into_iter().map(Delivery::name).chain(["automated"]);
                let hint = did_you_mean(text, known.clone());
                let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                mistakes
                    .add(&text.place, format!("`{}` is no delivery{hint}; there are {known}", text.value));
                set
            }
        };
    }
    set
}

pub fn claims(texts: &Texts, mistakes: &mut Collector<'_>) -> ClaimSet {
    let mut set = ClaimSet::default();
    for text in list(texts, mistakes) {
        match Claim::parse(text) {
            Some(claim) => set = set.with(claim),
            None => {
                let known = Claim::ALL.into_iter().map(Claim::name);
                let hint = did_you_mean(text, known.clone());
                let known = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                mistakes.add(&text.place, format!("`{}` is no claim{hint}; there are {known}", text.value));
            }
        }
    }
    set
}

pub fn event(text: &Placed<String>, others: &[&str], mistakes: &mut Collector<'_>) -> Option<EventKind> {
    let kind = EventKind::parse(text);
    if kind.is_none() {
        let known = EventKind::KNOWN;
        let hint = did_you_mean(text, known.iter().map(EventKind::name).chain(others.iter().copied()));
        mistakes.add(
            &text.place,
            format!("no event is called `{}`{hint}; your own events begin with `{OWN_PREFIX}`", text.value),
        );
    }
    kind
}

pub fn condition(text: &Placed<String>, mistakes: &mut Collector<'_>) -> Option<Condition> {
    match Condition::compile(text) {
        Ok(condition) => Some(condition),
        Err(found) => {
            for mistake in found {
                mistakes.add(&text.place, mistake.message);
            }
            None
        }
    }
}

/// A duration of at most the days records keep.
pub fn span(text: &Placed<String>, mistakes: &mut Collector<'_>) -> Option<Span> {
    let Some(span) = Span::parse(text) else {
        mistakes.add(
            &text.place,
            format!("`{}` is not a duration; write `90s`, `30m`, `36h` or `7d`", text.value),
        );
        return None;
    };
    if span > Span::from_days(LONGEST_WINDOW_DAYS) {
        mistakes.add(
            &text.place,
            format!("`{}` is longer than the {LONGEST_WINDOW_DAYS} days that records keep", text.value),
        );
        return None;
    }
    Some(span)
}

/// A text that is not blank, shared.
pub fn sentence(text: &Placed<String>) -> Option<Arc<str>> {
    (!text.value.trim().is_empty()).then(|| super::shared(text))
}
