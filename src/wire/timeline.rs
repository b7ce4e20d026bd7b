//! A timeline, as JSON: a page of it, newest first.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::domain::consent::ConsentWord;
use crate::domain::event::EventKind;
use crate::domain::moment::Moment;
use crate::domain::timeline::{Happening, KINDS};
use crate::domain::words::{Delivery, Tags};
use crate::policy::Policy;

use super::problem::Problem;
use super::query::{Query, digits};
use super::{export, story};

/// How many happenings a page holds when nothing is said, and at most.
pub const USUAL_PAGE: usize = 50;
pub const LARGEST_PAGE: usize = 500;

/// What a caller wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    channel: Option<String>,
    kind: Option<&'static str>,
    limit: usize,
    before: Option<Cursor>,
    /// In sentences rather than JSON.
    pub text: bool,
}

/// Where a page ended: after so many happenings of one moment. What is told later does not shift it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    at: Moment,
    seen: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.at.millis(), self.seen)
    }
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (at, seen) = text.split_once('.')?;
        digits(at.strip_prefix('-').unwrap_or(at)).and(digits(seen))?;
        Some(Self { at: Moment::from_millis(at.parse().ok()?), seen: seen.parse().ok()? })
    }
}

impl Wanted {
    /// # Errors
    /// A problem that names every part of the query that is wrong.
    pub fn read(mut query: Query<'_>, policy: &Policy) -> Result<Self, Problem> {
        let channels = policy.company.channels.iter().map(|channel| &*channel.name);
        let wanted = Self {
            channel: query.word("channel", channels).map(str::to_owned),
            kind: query.word("kind", KINDS.into_iter()),
            limit: query.whole("limit", 1..=LARGEST_PAGE).unwrap_or(USUAL_PAGE),
            before: query.read("before", |text| {
                Cursor::parse(text).ok_or_else(|| "expected what an earlier page gave as `next`".to_owned())
            }),
            text: query.word("as", ["json", "text"].into_iter()) == Some("text"),
        };
        query.finish()?;
        Ok(wanted)
    }
}

/// A page: what is on it, and where the next one begins.
pub struct Page<'h, 'r> {
    pub happenings: Vec<&'h Happening<'r>>,
    next: Option<Cursor>,
}

impl Page<'_, '_> {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

impl Wanted {
    /// Cuts the page out of the whole, which is newest first.
    #[must_use]
    pub fn page<'h, 'r>(&self, all: &'h [Happening<'r>]) -> Page<'h, 'r> {
        let mut of_moment = (Moment::from_millis(i64::MAX), 0);
        let mut rest = all
            .iter()
            .filter(|one| self.kind.is_none_or(|kind| one.kind() == kind))
            .filter(|one| {
                self.channel
                    .as_deref()
                    .is_none_or(|wanted| one.channel().is_some_and(|channel| **channel == *wanted))
            })
            .map(|one| {
                of_moment = if of_moment.0 == one.at() { (one.at(), of_moment.1 + 1) } else { (one.at(), 1) };
                (Cursor { at: of_moment.0, seen: of_moment.1 }, one)
            })
            .filter(|(place, _)| {
                self.before.is_none_or(|before| {
                    place.at < before.at || (place.at == before.at && place.seen > before.seen)
                })
            })
            .peekable();
        let mut happenings = Vec::new();
        let mut last = None;
        while happenings.len() < self.limit {
            let Some((place, one)) = rest.next() else { break };
            happenings.push(one);
            last = Some(place);
        }
        let next = last.filter(|_| rest.peek().is_some());
        Page { happenings, next }
    }
}

/// A page as JSON.
#[must_use]
pub fn body(customer: &str, page: &Page<'_, '_>, now: Moment) -> Value {
    json!({
        "customer": customer,
        "timeline": page.happenings.iter().map(|one| happening(one, now)).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()),
    })
}

fn happening(one: &Happening<'_>, now: Moment) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    put("at", one.at().to_string().into());
    put("kind", one.kind().into());
    match one {
        Happening::Contact(contact, outcome) => {
            put("contact_id", (&*contact.id).into());
            put("outcome", outcome.name().into());
            tags(&contact.tags, &mut put);
        }
        Happening::Event(event) => {
            put("type", event.kind.name().into());
            put("contact_id", json!(event.contact_id));
            tags(&event.tags, &mut put);
            put("purposes", export::purposes(event));
            put("expires_at", json!(event.expires_at.map(|end| end.to_string())));
            for (name, said) in export::account(event) {
                put(&name, said);
            }
        }
        Happening::Consent(consent) => {
            let kind = match consent.word {
                ConsentWord::Granted | ConsentWord::Pending => EventKind::ConsentGranted,
                ConsentWord::Withdrawn => EventKind::ConsentWithdrawn,
            };
            put("type", kind.name().into());
            put("channel", json!(consent.channel));
            put("purpose", json!(consent.purpose));
            put("pending", if consent.word == ConsentWord::Pending { true.into() } else { Value::Null });
            put("expires_at", json!(consent.expires_at.map(|end| end.to_string())));
            put("evidence", json!(consent.evidence));
            put("source", json!(consent.source));
        }
        Happening::Refusal(refusal) => {
            if let Value::Object(members) = export::refusal(refusal) {
                body.extend(members);
            }
        }
        Happening::Wait(wait) => {
            put("since", wait.since.to_string().into());
            put("until", wait.until.map_or(Value::Null, |until| until.to_string().into()));
            put("after", wait.after.name().into());
            put("channel", json!(wait.channel));
            put("waited", story::length(wait.length(now)).into());
            put("over", wait.until.is_some().into());
        }
    }
    Value::Object(body)
}

fn tags(tags: &Tags, put: &mut impl FnMut(&str, Value)) {
    put("channel", json!(tags.channel));
    put("purpose", json!(tags.purpose));
    put("delivery", json!(tags.delivery.map(Delivery::name)));
    put("campaign", json!(tags.campaign));
    put("category", json!(tags.category));
    put("brand", json!(tags.brand));
    put("subject", json!(tags.subject));
    put("sender", json!(tags.sender));
}
