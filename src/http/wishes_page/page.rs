//! What a customer sees: the templates of `templates/wishes_page`, filled in.

use std::sync::LazyLock;

use actix_web::http::header::HeaderValue;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use crate::domain::moment::{Moment, Span};
use crate::domain::wall_clock::{Day, Zone};
use crate::wire::wishes_form::{
    self as form, Days, Field, Filled, Intent, Mistake, Per, Slot, Standing, TimeOfDay,
};

const STYLE: &str = include_str!("../../../templates/wishes_page/style.css");

/// How long to wait for a ledger that is away.
const RETRY_AFTER: Span = Span::from_millis(5_000);

/// Nothing is loaded, nothing is run, and of styles only the page's own is applied, known by its digest.
static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'"
    )
});

pub(super) fn content_security_policy() -> &'static str {
    &CONTENT_SECURITY_POLICY
}

pub(super) fn retry_after() -> HeaderValue {
    HeaderValue::from(RETRY_AFTER.millis() / 1_000)
}

/// A page with nothing to fill in. It says nothing of anybody.
#[derive(Template)]
#[template(path = "wishes_page/notice.html")]
pub(super) struct Notice {
    heading: &'static str,
    sentences: &'static [&'static str],
}

impl Notice {
    pub const UNREADABLE: Self = Self {
        heading: "This link does not work",
        sentences: &[
            "Perhaps a part of it is missing: mail programs sometimes break long links in two. Please open it \
             from the message once more, or copy it whole.",
            "If it still does not work, answer any message of ours, and a person will help you.",
        ],
    };
    pub const ENDED: Self = Self {
        heading: "This link has expired",
        sentences: &[
            "Links to this page work for a limited time. Please use the one in the latest message you have \
             from us.",
            "What was set here before still holds. If you have no newer link, answer any message of ours, \
             and a person will help you.",
        ],
    };
    pub const REFUSED: Self = Self {
        heading: "This could not be read",
        sentences: &["What arrived was not this page’s form. Nothing has been changed. Please go back and \
                      try again."],
    };
    pub const TRY_AGAIN: Self = Self {
        heading: "Please try again in a moment",
        sentences: &[
            "We cannot reach our records just now. Nothing has been changed.",
            "Please reload this page in a minute.",
        ],
    };

    pub fn text(&self) -> String {
        written(self)
    }
}

/// A template writes into memory, and that cannot fail.
fn written(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        String::new()
    })
}

struct ChannelBox<'p> {
    name: &'p str,
    words: &'p str,
    is_ticked: bool,
    is_stopped: bool,
}

struct Row {
    words: &'static str,
    boxes: Vec<HoursBox>,
}

struct HoursBox {
    name: String,
    words: &'static str,
    hours: (i64, i64),
    is_ticked: bool,
}

struct KeptBox {
    id: String,
    sentence: String,
    is_ticked: bool,
}

/// Something wrong, and the id of what it is about.
struct Complaint<'p> {
    place: &'static str,
    detail: &'p str,
}

/// The page with the form.
#[derive(Template)]
#[template(path = "wishes_page/form.html")]
pub(super) struct Page<'p> {
    filled: &'p Filled,
    complaints: Vec<Complaint<'p>>,
    is_saved: bool,
    stopped_since: Option<String>,
    has_essentials: bool,
    zone: String,
    channels: Vec<ChannelBox<'p>>,
    rows: Vec<Row>,
    kept: Vec<KeptBox>,
    seen: Vec<String>,
    earliest: String,
}

impl<'p> Page<'p> {
    /// The form filled in as given, with what is wrong with it. What was shown is always what stands now.
    pub fn new(
        standing: &'p Standing<'_>,
        filled: &'p Filled,
        mistakes: &'p [Mistake],
        is_saved: bool,
    ) -> Self {
        let channels = standing.channels.iter().map(|channel| ChannelBox {
            name: &channel.name,
            words: &channel.words,
            is_ticked: filled.channels.iter().any(|ticked| **ticked == *channel.name),
            is_stopped: channel.stopped,
        });
        let kept = standing.kept().into_iter().map(|kept| KeptBox {
            is_ticked: !filled.seen.contains(&kept.id) || filled.keep.contains(&kept.id),
            id: kept.id,
            sentence: kept.sentence,
        });
        let complaints =
            mistakes.iter().map(|mistake| Complaint { place: place(mistake.field), detail: &mistake.detail });
        Self {
            filled,
            complaints: complaints.collect(),
            is_saved,
            stopped_since: standing.stopped_since.map(|since| date(since, &standing.zone)),
            has_essentials: standing.has_essentials,
            zone: place_of(&standing.zone),
            channels: channels.collect(),
            rows: Days::ALL.map(|days| row(days, &filled.hours)).into(),
            kept: kept.collect(),
            seen: Filled::of(standing).seen,
            earliest: iso(standing.today().plus(1)),
        }
    }

    pub fn text(&self) -> String {
        written(self)
    }

    fn about(&self, place: &str) -> Vec<&str> {
        let about = self.complaints.iter().filter(|complaint| complaint.place == place);
        about.map(|complaint| complaint.detail).collect()
    }

    fn is_mistaken(&self, place: &str) -> bool {
        self.complaints.iter().any(|complaint| complaint.place == place)
    }
}

/// The id of what a mistake is about.
const fn place(field: Field) -> &'static str {
    match field {
        Field::Channels => "channels",
        Field::Limit => "limit",
        Field::Hours => "hours",
        Field::PauseUntil => "pause-until",
        Field::Form => "wishes",
    }
}

fn row(days: Days, ticked: &[Slot]) -> Row {
    let boxes = TimeOfDay::ALL.map(|time| {
        let slot = Slot { days, time };
        HoursBox {
            name: slot.name(),
            words: time.words(),
            hours: time.hours(),
            is_ticked: ticked.contains(&slot),
        }
    });
    Row { words: days.words(), boxes: boxes.into() }
}

/// `New York` for `America/New_York`: people know the place, not the name of its zone.
fn place_of(zone: &Zone) -> String {
    zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
}

fn date(moment: Moment, zone: &Zone) -> String {
    let date = zone.local(moment).day.date();
    date.map_or_else(String::new, |date| date.strftime("%-d %B %Y").to_string())
}

fn iso(day: Day) -> String {
    day.date().map_or_else(String::new, |date| date.to_string())
}
