//! The promises of the design, as properties over random policies, records and questions.

use std::sync::Arc;

use contact_governor::decide::{Change, decide};
use contact_governor::domain::contact::{Contact, Fingerprint, Standing};
use contact_governor::domain::halts::Halts;
use contact_governor::domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, Moment};
use contact_governor::domain::question::Question;
use contact_governor::domain::record::Record;
use contact_governor::domain::suppression::{Scope, Suppression};
use contact_governor::domain::words::{Name, Verdict};
use contact_governor::policy::Policy;
use contact_governor::policy::compile::compile;
use contact_governor::wire::put::read_put;
use contact_governor::wire::question::QuestionReader;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{at, question};

/// Weeks in which clocks jump: an hour in New York, half an hour on Lord Howe, a day in Samoa; and one
/// in which nothing happens.
const PLACES: [(&str, &str); 5] = [
    ("America/New_York", "2026-03-05T12:00:00Z"),
    ("America/New_York", "2026-10-29T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-01T12:00:00Z"),
    ("Pacific/Apia", "2011-12-27T12:00:00Z"),
    ("Europe/Paris", "2026-11-16T12:00:00Z"),
];

const WINDOWS: [&str; 10] = [
    "rolling 90m",
    "rolling 36h",
    "rolling 3d",
    "calendar hour",
    "calendar day",
    "calendar week",
    "calendar month",
    "local 1 day",
    "local 3 days",
    "lifetime",
];

fn window() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WINDOWS.as_slice())
}

fn policy(text: &str) -> Arc<Policy> {
    Arc::new(compile("p.toml", text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")))
}

/// A cap or two, perhaps hours, holds and a condition on age.
fn policies(zone: &'static str) -> impl Strategy<Value = String> {
    let caps = prop::collection::vec((window(), 1_u32..4, any::<bool>()), 1..3);
    (caps, any::<[bool; 3]>()).prop_map(move |(caps, [hours, hold, attention])| {
        let mut text = format!("time_zone = \"{zone}\"\n[channels]\nvoice = {{ attention = 3 }}\n");
        for (index, (window, limit, voice)) in caps.into_iter().enumerate() {
            let channels = if voice { "channels = [\"voice\"]\n" } else { "" };
            text += &format!("[[caps]]\nid = \"cap-{index}\"\nlimit = {limit}\nwindow = \"{window}\"\n{channels}");
        }
        if attention {
            text += "[[caps]]\nid = \"attention\"\nlimit = 4\ncounts = \"attention\"\nwindow = \"rolling 2d\"\n";
        }
        if hours {
            text += "[[contact_hours]]\nid = \"hours\"\nopen = { mon-fri = [\"01:30-02:30\", \"09:00-20:00\"], sat = [\"00:00-24:00\"] }\n";
        }
        if hold {
            text += "[[holds]]\nid = \"after-a-call\"\nafter = \"contact\"\nafter_channels = [\"voice\"]\nfor = \"local 2 days\"\n";
        }
        text
    })
}

#[derive(Clone, Debug)]
struct Asked {
    /// Minutes after the ask before.
    later_min: i64,
    /// Minutes ahead, if at all.
    ahead_min: Option<i64>,
    voice: bool,
    cancelled: bool,
}

fn asked() -> impl Strategy<Value = Asked> {
    let ahead = prop::option::of(0_i64..9 * 24 * 60);
    (0_i64..20 * 60, ahead, any::<bool>(), prop::bool::weighted(0.15))
        .prop_map(|(later_min, ahead_min, voice, cancelled)| Asked { later_min, ahead_min, voice, cancelled })
}

/// A policy in a place, and asks that start there.
fn histories() -> impl Strategy<Value = (usize, String, Vec<Asked>)> {
    (0..PLACES.len()).prop_flat_map(|place| {
        let (zone, _) = PLACES[place];
        (Just(place), policies(zone), prop::collection::vec(asked(), 1..24))
    })
}

fn read(policy: &Arc<Policy>, channel: &str, id: &str, send_at: Option<Moment>, now: Moment) -> Question {
    let mut asked = question("c", channel);
    if let (Some(send_at), Some(asked)) = (send_at, asked.as_object_mut()) {
        asked.insert("send_at".to_owned(), json!(send_at.to_string()));
    }
    QuestionReader::new(Arc::clone(policy)).read(&asked, now, || Name::from(id)).expect("a question")
}

fn verdict(policy: &Policy, record: &Record, question: &Question, now: Moment) -> Verdict {
    decide(policy, &Halts::default(), record, question, now).expect("a decision").answer.verdict
}

/// Plays the asks; every refusal that names a moment is looked at by `check`.
fn play(
    policy: &Arc<Policy>,
    start: Moment,
    asks: &[Asked],
    mut check: impl FnMut(&Record, &Asked, Moment, Moment) -> Result<(), TestCaseError>,
) -> Result<Record, TestCaseError> {
    let mut record = Record::default();
    let mut now = start;
    for (number, asked) in asks.iter().enumerate() {
        now = Moment::from_millis(now.millis() + asked.later_min * MINUTE_MS);
        let send_at = asked.ahead_min.map(|ahead| Moment::from_millis(now.millis() + ahead * MINUTE_MS));
        let channel = if asked.voice { "voice" } else { "email" };
        let asking = read(policy, channel, &format!("m-{number}"), send_at, now);
        let decision = decide(policy, &Halts::default(), &record, &asking, now).expect("a decision");
        if let Some(not_before) = decision.answer.not_before {
            check(&record, asked, send_at.unwrap_or(now), not_before)?;
        }
        if let Change::Reserve(contact) = decision.change {
            record.reserve(contact);
            if asked.cancelled {
                record.release(&format!("m-{number}"));
            }
        }
    }
    Ok(record)
}

/// The local date of a moment, by the calendar library alone.
fn local_day(zone: &TimeZone, moment: Moment) -> i64 {
    let date = zone.to_datetime(moment.timestamp()).date();
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24
}

/// The most contacts any window of so many of `position` holds, counted the long way.
fn most_in_any_window(positions: &[i64], length: i64) -> usize {
    positions
        .iter()
        .map(|end| positions.iter().filter(|position| **position > end - length && *position <= end).count())
        .max()
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// No window of its length, anywhere, ever holds more than the limit, whatever was reserved ahead
    /// and cancelled.
    #[test]
    fn no_window_anywhere_is_over_its_cap((place, text, asks) in histories()) {
        let policy = policy(&text);
        let (zone, start) = PLACES[place];
        let zone = TimeZone::get(zone).expect("a zone");
        let record = play(&policy, at(start), &asks, |_, _, _, _| Ok(()))?;
        let standing = |voice_only: bool| -> Vec<&Contact> {
            let counts = |contact: &&Contact| contact.standing == Standing::Reserved
                && (!voice_only || contact.tags.channel.as_deref() == Some("voice"));
            record.contacts().iter().filter(counts).collect()
        };
        for table in text.split("[[caps]]").skip(1).filter(|table| !table.contains("attention")) {
            let value = |key: &str| table.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("").trim_matches('"');
            let limit: usize = value("limit = ").parse().expect("a limit");
            let contacts = standing(table.contains("channels = [\"voice\"]"));
            let millis: Vec<i64> = contacts.iter().map(|contact| contact.at.millis()).collect();
            let days: Vec<i64> = contacts.iter().map(|contact| local_day(&zone, contact.at)).collect();
            let most = match value("window = ") {
                "rolling 90m" => most_in_any_window(&millis, 90 * MINUTE_MS),
                "rolling 36h" => most_in_any_window(&millis, 36 * HOUR_MS),
                "rolling 3d" => most_in_any_window(&millis, 3 * DAY_MS),
                "calendar day" | "local 1 day" => most_in_any_window(&days, 1),
                "local 3 days" => most_in_any_window(&days, 3),
                "lifetime" => contacts.len(),
                _ => continue,
            };
            prop_assert!(most <= limit, "{most} in a window of {table}");
        }
    }

    /// Asked again at `not_before` the answer is allow; one millisecond earlier it is not.
    #[test]
    fn not_before_is_tight_and_honest((place, text, asks) in histories()) {
        let policy = policy(&text);
        play(&policy, at(PLACES[place].1), &asks, |record, asked, moment, not_before| {
            let channel = if asked.voice { "voice" } else { "email" };
            let at_moment = |moment: Moment| {
                verdict(&policy, record, &read(&policy, channel, "again", None, moment), moment)
            };
            prop_assert_eq!(at_moment(not_before), Verdict::Allow, "at {}", not_before);
            let before = Moment::from_millis(not_before.millis() - 1);
            if before >= moment {
                prop_assert_ne!(at_moment(before), Verdict::Allow, "before {}", not_before);
            }
            Ok(())
        })?;
    }

    /// Nothing between the question's moment and `not_before` would have been allowed either.
    #[test]
    fn no_earlier_moment_would_do((place, text, asks) in histories(), shares in prop::collection::vec(0.0..1.0, 8)) {
        let policy = policy(&text);
        play(&policy, at(PLACES[place].1), &asks, |record, asked, moment, not_before| {
            let channel = if asked.voice { "voice" } else { "email" };
            for share in &shares {
                let between = (not_before.millis() - moment.millis()) as f64 * share;
                let earlier = Moment::from_millis(moment.millis() + between as i64);
                if earlier < not_before {
                    let asking = read(&policy, channel, "again", None, earlier);
                    prop_assert_ne!(verdict(&policy, record, &asking, earlier), Verdict::Allow, "at {}", earlier);
                }
            }
            Ok(())
        })?;
    }

    /// Adding a contact never turns a refusal into leave.
    #[test]
    fn one_contact_more_never_helps(
        (place, text, asks) in histories(),
        more_min in -9_i64 * 24 * 60..9 * 24 * 60,
        voice in any::<bool>(),
    ) {
        let policy = policy(&text);
        let start = at(PLACES[place].1);
        let record = play(&policy, start, &asks, |_, _, _, _| Ok(()))?;
        let elapsed: i64 = asks.iter().map(|asked| asked.later_min).sum();
        let now = Moment::from_millis(start.millis() + elapsed * MINUTE_MS);
        let asking = read(&policy, "email", "last", None, now);
        if verdict(&policy, &record, &asking, now) != Verdict::Allow {
            let moment = Moment::from_millis(now.millis() + more_min * MINUTE_MS);
            let mut fuller = record.clone();
            fuller.reserve(Contact {
                id: "one-more".into(),
                question: Some(Fingerprint(1)),
                tags: read(&policy, if voice { "voice" } else { "email" }, "x", None, now).tags,
                at: moment,
                reserved_at: moment,
                standing: Standing::Reserved,
                told_at: None,
            });
            prop_assert_ne!(verdict(&policy, &fuller, &asking, now), Verdict::Allow);
        }
    }

    /// Whatever a customer wishes, and whatever they are left alone with, no answer becomes milder by it.
    #[test]
    fn a_wish_or_a_suppression_never_loosens(
        (place, text, asks) in histories(),
        at_most in prop::collection::vec((window(), 0_u32..3, any::<bool>()), 0..3),
        (mail_only, evenings, pause, suppressed) in any::<(bool, bool, bool, bool)>(),
        ahead_min in 0_i64..9 * 24 * 60,
    ) {
        let policy = policy(&text);
        let record = play(&policy, at(PLACES[place].1), &asks, |_, _, _, _| Ok(()))?;
        let now = record.latest().unwrap_or(at(PLACES[place].1));
        let mut wishes = json!({"at_most": at_most.iter().map(|(window, limit, voice)| {
            if *voice { json!({"limit": limit, "window": window, "channels": ["voice"]}) } else { json!({"limit": limit, "window": window}) }
        }).collect::<Vec<_>>()});
        let moment = Moment::from_millis(now.millis() + ahead_min * MINUTE_MS);
        if mail_only { wishes["channels"] = json!(["mail"]); }
        if evenings { wishes["hours"] = json!({"mon-fri": ["18:00-20:00"]}); }
        if pause { wishes["pause_until"] = json!(moment.to_string()); }
        let put = read_put(&json!({"customer": "c", "wishes": wishes}), "", &policy).expect("wishes").1;
        let mut wished = record.clone();
        wished.wishes = put.wishes.expect("wishes");
        if suppressed {
            wished.suppressions.suppress(Suppression {
                channel: Some("voice".into()), scope: Scope::Ordinary, since: now, until: Some(moment), reason: None, source: None,
            });
        }
        for channel in ["email", "voice", "mail"] {
            for later_min in [0, ahead_min] {
                let asked = read(&policy, channel, "new", None, now);
                let now = Moment::from_millis(now.millis() + later_min * MINUTE_MS);
                let (plain, strict) = (verdict(&policy, &record, &asked, now), verdict(&policy, &wished, &asked, now));
                prop_assert!(strict >= plain, "{channel}: {plain:?} became {strict:?} with {wishes}");
            }
        }
    }

    /// The same question under the same id gets its allow again and counts once.
    #[test]
    fn the_same_contact_never_counts_twice((place, text, asks) in histories(), repeats in 1_usize..4) {
        let policy = policy(&text);
        let mut now = at(PLACES[place].1);
        let mut record = Record::default();
        for (number, asked) in asks.iter().enumerate() {
            now = Moment::from_millis(now.millis() + asked.later_min * MINUTE_MS);
            let asking = read(&policy, "email", &format!("m-{number}"), None, now);
            let mut allowed = None;
            for _ in 0..repeats {
                let decision = decide(&policy, &Halts::default(), &record, &asking, now).expect("a decision");
                let said = (decision.answer.verdict, decision.answer.send_at);
                prop_assert_eq!(*allowed.get_or_insert(said), said);
                if let Change::Reserve(contact) = decision.change {
                    record.reserve(contact);
                }
            }
            let entered = record.contacts().iter().filter(|contact| *contact.id == *format!("m-{number}")).count();
            prop_assert!(entered <= 1);
        }
    }
}
