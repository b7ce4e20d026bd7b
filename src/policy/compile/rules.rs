//! The four kinds of rule, each read from its table.

use crate::domain::answer::RuleVerdict;
use crate::domain::window::{LONGEST_WINDOW_DAYS, Window, parse_local_days};
use crate::domain::words::{Tag, Verdict};
use crate::policy::document::{self, Document, Header};
use crate::policy::mistakes::Collector;
use crate::policy::placed::Placed;
use crate::policy::sentences;
use crate::rules::cap::{Cap, Reserve};
use crate::rules::company::Company;
use crate::rules::hold::{After, Hold, Repetition, Stretch, Trigger};
use crate::rules::narrowing::Narrowing;
use crate::rules::requirement::{Requirement, WhenUnknown};
use crate::rules::usage::Counts;
use crate::rules::{Mode, Rule, RuleKind};

use super::company::vocabularies;
use super::{hours, names};

type Read = fn(&Document, &Company, &mut Collector<'_>) -> Vec<Rule>;

/// The kinds in the order their rules are judged and listed.
pub const KINDS: [Read; 4] = [caps, holds, contact_hours, requirements];

/// Every rule's id, kind after kind.
pub fn placed_ids(document: &Document) -> impl Iterator<Item = &Placed<String>> {
    let caps = document.caps.iter().map(|rule| &rule.id);
    let holds = document.holds.iter().map(|rule| &rule.id);
    let contact_hours = document.contact_hours.iter().map(|rule| &rule.id);
    let requirements = document.requirements.iter().map(|rule| &rule.id);
    caps.chain(holds).chain(contact_hours).chain(requirements).flatten()
}

pub fn ids(document: &Document) -> impl Iterator<Item = &str> {
    placed_ids(document).map(|id| id.value.as_str())
}

fn caps(document: &Document, company: &Company, mistakes: &mut Collector<'_>) -> Vec<Rule> {
    document
        .caps
        .iter()
        .filter_map(|written| {
            let kind = cap(written, company, mistakes).map(RuleKind::Cap);
            rule(written.header(), written, kind, Verdict::Defer, company, mistakes)
        })
        .collect()
}

fn holds(document: &Document, company: &Company, mistakes: &mut Collector<'_>) -> Vec<Rule> {
    document
        .holds
        .iter()
        .filter_map(|written| {
            let kind = hold(written, company, mistakes).map(RuleKind::Hold);
            rule(written.header(), written, kind, Verdict::Defer, company, mistakes)
        })
        .collect()
}

fn contact_hours(document: &Document, company: &Company, mistakes: &mut Collector<'_>) -> Vec<Rule> {
    document
        .contact_hours
        .iter()
        .filter_map(|written| {
            let kind = hours::read(written, mistakes).map(RuleKind::ContactHours);
            rule(written.header(), written, kind, Verdict::Defer, company, mistakes)
        })
        .collect()
}

fn requirements(document: &Document, company: &Company, mistakes: &mut Collector<'_>) -> Vec<Rule> {
    document
        .requirements
        .iter()
        .filter_map(|written| {
            let requires = written.requires.as_ref().and_then(|text| names::condition(text, mistakes));
            let unknown = written.unknown.as_ref().map_or(WhenUnknown::Deny, |unknown| match unknown.value {
                document::Unknown::Deny => WhenUnknown::Deny,
                document::Unknown::Allow => WhenUnknown::Allow,
                document::Unknown::Advise => WhenUnknown::Advise,
            });
            let kind = requires.map(|requires| RuleKind::Requirement(Requirement { requires, unknown }));
            rule(written.header(), written, kind, Verdict::Deny, company, mistakes)
        })
        .collect()
}

/// What all kinds have in common. `None` where something the rule cannot do without is wrong; that
/// has been reported by then.
fn rule<T>(
    header: Header<'_>,
    written: &Placed<T>,
    kind: Option<RuleKind>,
    usual: Verdict,
    company: &Company,
    mistakes: &mut Collector<'_>,
) -> Option<Rule> {
    let narrowing = narrowing(header, company, mistakes);
    let verdict = match header.verdict.map(|verdict| verdict.value) {
        None => RuleVerdict::Refuse(usual),
        Some(document::Verdict::Defer) => RuleVerdict::Refuse(Verdict::Defer),
        Some(document::Verdict::Handoff) => RuleVerdict::Refuse(Verdict::Handoff),
        Some(document::Verdict::Deny) => RuleVerdict::Refuse(Verdict::Deny),
        Some(document::Verdict::Advise) => RuleVerdict::Advise,
    };
    let mode = match header.mode.map(|mode| mode.value) {
        None | Some(document::Mode::Enforce) => Mode::Enforce,
        Some(document::Mode::Shadow) => Mode::Shadow,
    };
    let (id, kind) = (header.id?, kind?);
    check_can_match(
        &narrowing,
        &kind,
        header,
        &(written.place.start..written.place.start),
        company,
        mistakes,
    );
    let mut rule = Rule {
        id: id.value.as_str().into(),
        verdict,
        mode,
        because: "".into(),
        preset: None,
        narrowing,
        kind,
    };
    rule.because =
        header.because.and_then(names::sentence).unwrap_or_else(|| sentences::because(&rule).into());
    Some(rule)
}

fn narrowing(header: Header<'_>, company: &Company, mistakes: &mut Collector<'_>) -> Narrowing {
    let (channels, purposes) = vocabularies(company);
    let narrowing = Narrowing {
        channels: header.channels.map(|texts| names::known("channel", texts, &channels, mistakes)),
        purposes: header.purposes.map(|texts| names::known("purpose", texts, &purposes, mistakes)),
        deliveries: header.deliveries.map(|texts| names::deliveries(texts, mistakes)),
        categories: header.categories.map(|texts| names::free(texts, mistakes)),
        campaigns: header.campaigns.map(|texts| names::free(texts, mistakes)),
        brands: header.brands.map(|texts| names::free(texts, mistakes)),
        claims: header.claims.map(|texts| names::claims(texts, mistakes)),
        regions: header.regions.map(|texts| names::regions(texts, mistakes)),
        when: header.when.and_then(|text| names::condition(text, mistakes)),
    };
    if let (Some(when), Some(text)) = (&narrowing.when, header.when)
        && when.constant() == Some(false)
    {
        mistakes.add(&text.place, "this rule can never match: its `when` is always false");
    }
    narrowing
}

/// A rule that no question can ever meet says something else than its author meant.
fn check_can_match(
    narrowing: &Narrowing,
    kind: &RuleKind,
    header: Header<'_>,
    place: &std::ops::Range<usize>,
    company: &Company,
    mistakes: &mut Collector<'_>,
) {
    let Some(exemption) = kind.exemption() else { return };
    let mut concerned = company
        .purposes
        .iter()
        .filter(|purpose| narrowing.purposes.as_ref().is_none_or(|names| names.contains(&purpose.name)));
    let named = narrowing.purposes.as_ref().is_none_or(|names| !names.is_empty());
    if named && concerned.all(|purpose| purpose.is_exempt(exemption)) {
        let place = header.purposes.map_or(place, |purposes| &purposes.place);
        let message = format!(
            "this rule can never match: every purpose it is about is exempt from {}",
            exemption.name()
        );
        mistakes.add(place, message);
    }
}

fn tags(per: Option<&Vec<Placed<document::Per>>>) -> Vec<Tag> {
    per.into_iter()
        .flatten()
        .filter_map(|per| match per.value {
            document::Per::Customer => None,
            document::Per::Channel => Some(Tag::Channel),
            document::Per::Campaign => Some(Tag::Campaign),
            document::Per::Category => Some(Tag::Category),
            document::Per::Brand => Some(Tag::Brand),
            document::Per::Subject => Some(Tag::Subject),
            document::Per::Sender => Some(Tag::Sender),
        })
        .collect()
}

fn cap(written: &document::Cap, company: &Company, mistakes: &mut Collector<'_>) -> Option<Cap> {
    let window = written.window.as_ref().and_then(|text| match Window::parse(text) {
        Ok(window) => Some(window),
        Err(error) => {
            mistakes.add(&text.place, format!("`{}` is {error}", text.value));
            None
        }
    });
    let reserve = written.reserve.as_ref().and_then(|reserve| {
        let (_, purposes) = vocabularies(company);
        let purposes =
            reserve.purposes.as_ref().map(|texts| names::known("purpose", texts, &purposes, mistakes));
        let slots = reserve.slots.as_ref()?;
        if let Some(limit) = &written.limit
            && slots.value > limit.value
        {
            mistakes
                .add(&slots.place, format!("{} slots are kept of a limit of {}", slots.value, limit.value));
        }
        Some(Reserve { slots: slots.value, purposes: purposes? })
    });
    Some(Cap {
        limit: written.limit.as_ref()?.value,
        window: window?,
        counts: match written.counts.as_ref().map(|counts| counts.value) {
            None | Some(document::Counts::Contacts) => Counts::Contacts,
            Some(document::Counts::Attention) => Counts::Attention,
            Some(document::Counts::Channels) => Counts::Channels,
        },
        per: tags(written.per.as_ref()),
        reserve,
    })
}

fn stretch(text: &Placed<String>, mistakes: &mut Collector<'_>) -> Option<Stretch> {
    if text.starts_with("local") {
        return match parse_local_days(text) {
            Some(days) if i64::from(days) <= LONGEST_WINDOW_DAYS => Some(Stretch::LocalDays(days)),
            Some(_) => {
                mistakes.add(
                    &text.place,
                    format!(
                        "`{}` is longer than the {LONGEST_WINDOW_DAYS} days that records keep",
                        text.value
                    ),
                );
                None
            }
            None => {
                mistakes.add(
                    &text.place,
                    format!("`{}` is not a stretch of days; write `local 7 days`", text.value),
                );
                None
            }
        };
    }
    names::span(text, mistakes).map(Stretch::Span)
}

fn hold(written: &document::Hold, company: &Company, mistakes: &mut Collector<'_>) -> Option<Hold> {
    let (channels, _) = vocabularies(company);
    let trigger = written.after.as_ref().and_then(|after| {
        if after.value == "contact" {
            Some(Trigger::Contact)
        } else {
            names::event(after, &["contact"], mistakes).map(Trigger::Event)
        }
    });
    let after = After {
        channels: written
            .after_channels
            .as_ref()
            .map(|texts| names::known("channel", texts, &channels, mistakes)),
        categories: written.after_categories.as_ref().map(|texts| names::free(texts, mistakes)),
        campaigns: written.after_campaigns.as_ref().map(|texts| names::free(texts, mistakes)),
        deliveries: written.after_deliveries.as_ref().map(|texts| names::deliveries(texts, mistakes)),
    };
    let until = written.until.as_ref().and_then(|until| names::event(until, &[], mistakes));
    let pause = written.pause.as_ref().and_then(|text| stretch(text, mistakes));
    let at_longest = written.r#for.as_ref().and_then(|text| stretch(text, mistakes));
    if let (None, Some(pause), Some(_)) = (&written.until, &written.pause, &written.r#for) {
        mistakes.add(
            &pause.place,
            "without `until`, give `for` or `pause`, not both: each is counted from the event",
        );
    }
    let repetition = match (&written.count, &written.within) {
        (None, None) => None,
        (Some(count), Some(within)) => {
            if count.value == 0 {
                mistakes.add(
                    &count.place,
                    "a hold starts from the first event at the earliest; `count` is 1 or more",
                );
            }
            names::span(within, mistakes).map(|within| Repetition { count: count.value, within })
        }
        (Some(count), None) => {
            mistakes.add(&count.place, "`count` needs `within`: so many events in how long?");
            None
        }
        (None, Some(within)) => {
            mistakes.add(&within.place, "`within` needs `count`: how many events in that time?");
            None
        }
    };
    Some(Hold {
        trigger: trigger?,
        after,
        until,
        pause,
        at_longest,
        per: tags(written.per.as_ref()),
        repetition,
    })
}
