//! The part of a policy that all rules share.

use std::collections::BTreeMap;

use crate::domain::moment::Span;
use crate::domain::wall_clock::Zone;
use crate::domain::window::WeekStart;
use crate::domain::words::{BUILT_IN_CHANNELS, BUILT_IN_PURPOSES, Name, Verdict};
use crate::policy::document::{self, Document};
use crate::policy::mistakes::Collector;
use crate::policy::placed::Placed;
use crate::policy::shape::did_you_mean;
use crate::rules::company::{Channel, Company, DEFAULT_ATTENTION, Exemption, Purpose, UnknownTimeZone};
use crate::rules::narrowing::Narrowing;

use super::names;

/// Reads what `layers` (presets first, the file last) settle; mistakes are the file's own.
pub fn compile(file: &Document, layers: &[&Document], mistakes: &mut Collector<'_>) -> Company {
    let zone = zone(file, mistakes);
    let channels = channels(layers);
    let purposes = purposes(layers);
    for name in
        file.channels.keys().chain(file.purposes.keys()).chain(file.facts.keys()).chain(file.campaigns.keys())
    {
        if name.value.is_empty() || name.value.chars().count() > names::LONGEST_NAME {
            mistakes.add(&name.place, format!("a name has 1 to {} characters", names::LONGEST_NAME));
        }
    }
    let lapse_after = file.lapse_after.as_ref().and_then(|text| names::span(text, mistakes));
    let mut company = Company {
        zone: zone.unwrap_or_else(Zone::utc),
        unknown_time_zone: latest(layers, |layer| layer.unknown_time_zone.as_ref()).map_or(
            UnknownTimeZone::Company,
            |value| match value.value {
                document::UnknownTimeZone::Company => UnknownTimeZone::Company,
                document::UnknownTimeZone::Everywhere => UnknownTimeZone::Everywhere,
                document::UnknownTimeZone::Deny => UnknownTimeZone::Deny,
            },
        ),
        week_start: latest(layers, |layer| layer.week_starts.as_ref())
            .map_or(WeekStart::default(), |day| WeekStart::on(day.value as usize)),
        channels,
        uncounted: purposes
            .iter()
            .filter(|purpose| !purpose.counted)
            .map(|purpose| purpose.name.clone())
            .collect(),
        purposes,
        shelf_lives: shelf_lives(layers, mistakes),
        lapse_after,
        let_through: None,
        audiences: BTreeMap::new(),
        duties: Vec::new(),
    };
    if let Some(let_through) = latest(layers, |layer| {
        layer.suppressions.as_ref().and_then(|suppressions| suppressions.let_through.as_ref())
    }) {
        company.let_through = Some(self::let_through(let_through, &company, mistakes));
    }
    for (campaign, written) in layers.iter().flat_map(|layer| &layer.campaigns) {
        if let Some(audience) = written.audience.as_ref().and_then(|text| names::condition(text, mistakes)) {
            company.audiences.insert(campaign.value.as_str().into(), audience);
        }
    }
    company
}

/// What the last layer that says anything says.
fn latest<'d, T>(layers: &[&'d Document], member: impl Fn(&'d Document) -> Option<T>) -> Option<T> {
    layers.iter().rev().find_map(|layer| member(layer))
}

fn zone(file: &Document, mistakes: &mut Collector<'_>) -> Option<Zone> {
    let name = file.time_zone.as_ref()?;
    let zone = Zone::get(name);
    if zone.is_none() {
        let known: Vec<String> = Zone::names().collect();
        let hint = did_you_mean(name, known.iter().map(String::as_str));
        mistakes.add(&name.place, format!("no time zone is called `{}`{hint}", name.value));
    }
    zone
}

fn channels(layers: &[&Document]) -> Vec<Channel> {
    let built_in = |name: &str| Channel { name: name.into(), attention: DEFAULT_ATTENTION };
    let mut channels: Vec<Channel> = BUILT_IN_CHANNELS.into_iter().map(built_in).collect();
    for (name, written) in layers.iter().flat_map(|layer| &layer.channels) {
        let place = channels.iter().position(|channel| *channel.name == *name.value).unwrap_or_else(|| {
            channels.push(built_in(name));
            channels.len() - 1
        });
        if let (Some(channel), Some(attention)) = (channels.get_mut(place), &written.attention) {
            channel.attention = attention.value;
        }
    }
    channels
}

fn purposes(layers: &[&Document]) -> Vec<Purpose> {
    let plain = |name: &str| Purpose {
        name: name.into(),
        counted: true,
        exempt: Vec::new(),
        when_blind: Verdict::Defer,
    };
    let mut purposes: Vec<Purpose> = BUILT_IN_PURPOSES.into_iter().map(plain).collect();
    for (name, written) in layers.iter().flat_map(|layer| &layer.purposes) {
        let place = purposes.iter().position(|purpose| *purpose.name == *name.value).unwrap_or_else(|| {
            purposes.push(plain(name));
            purposes.len() - 1
        });
        let Some(purpose) = purposes.get_mut(place) else { continue };
        if let Some(counted) = &written.counted {
            purpose.counted = counted.value;
        }
        if let Some(when_blind) = &written.when_blind {
            purpose.when_blind = match when_blind.value {
                document::WhenBlind::Allow => Verdict::Allow,
                document::WhenBlind::Defer => Verdict::Defer,
                document::WhenBlind::Handoff => Verdict::Handoff,
                document::WhenBlind::Deny => Verdict::Deny,
            };
        }
        if let Some(exempt) = &written.exempt {
            purpose.exempt = exempt
                .iter()
                .map(|exemption| match exemption.value {
                    document::Exemption::Caps => Exemption::Caps,
                    document::Exemption::Holds => Exemption::Holds,
                    document::Exemption::ContactHours => Exemption::ContactHours,
                    document::Exemption::Suppressions => Exemption::Suppressions,
                    document::Exemption::Wishes => Exemption::Wishes,
                })
                .collect();
        }
    }
    purposes
}

fn shelf_lives(layers: &[&Document], mistakes: &mut Collector<'_>) -> BTreeMap<Name, Span> {
    let mut shelf_lives = BTreeMap::new();
    for (fact, written) in layers.iter().flat_map(|layer| &layer.facts) {
        let Some(max_age) = &written.max_age else { continue };
        match Span::parse(max_age) {
            Some(span) => {
                shelf_lives.insert(fact.value.as_str().into(), span);
            }
            None => {
                mistakes.add(&max_age.place, format!("`{}` is not a duration; write `400d`", max_age.value));
            }
        }
    }
    shelf_lives
}

fn let_through(
    written: &Placed<document::LetThrough>,
    company: &Company,
    mistakes: &mut Collector<'_>,
) -> Narrowing {
    let named = [
        &written.channels,
        &written.purposes,
        &written.deliveries,
        &written.categories,
        &written.campaigns,
        &written.brands,
    ];
    if named.into_iter().all(Option::is_none) {
        mistakes
            .add(&written.place, "this lets everything through to people who said no; name what may pass");
    }
    let (channels, purposes) = vocabularies(company);
    Narrowing {
        channels: written.channels.as_ref().map(|texts| names::known("channel", texts, &channels, mistakes)),
        purposes: written.purposes.as_ref().map(|texts| names::known("purpose", texts, &purposes, mistakes)),
        deliveries: written.deliveries.as_ref().map(|texts| names::deliveries(texts, mistakes)),
        categories: written.categories.as_ref().map(|texts| names::free(texts, mistakes)),
        campaigns: written.campaigns.as_ref().map(|texts| names::free(texts, mistakes)),
        brands: written.brands.as_ref().map(|texts| names::free(texts, mistakes)),
        ..Narrowing::default()
    }
}

/// The channels and purposes a policy knows.
#[must_use]
pub fn vocabularies(company: &Company) -> (Vec<Name>, Vec<Name>) {
    (
        company.channels.iter().map(|channel| channel.name.clone()).collect(),
        company.purposes.iter().map(|purpose| purpose.name.clone()).collect(),
    )
}
