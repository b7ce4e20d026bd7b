use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::domain::moment::{DAY_MS, MINUTE_MS};
use crate::domain::opening_hours::{OpenRange, OpeningHours};
use crate::domain::suppression::{Lift, Scope, Suppression};
use crate::domain::window::Window;
use crate::domain::wishes::WishedLimit;
use crate::gate::put::SuppressionPut;
use crate::policy::compile::compile;

use super::*;

type Fill = fn(&mut Filled);
type Expect = fn(&mut Wishes);

const CHANNELS: [&str; 4] = ["email", "sms", "voice", "mail"];

fn policy() -> Policy {
    let text = "version = \"t\"\nextends = [\"courtesy\"]\ntime_zone = \"America/New_York\"\n";
    compile("test.toml", text).expect("a policy")
}

fn now() -> Moment {
    Moment::parse("2026-11-16T12:00:00Z").expect("a moment")
}

fn limit(limit: u32, window: &str, channels: &[&str]) -> WishedLimit {
    let channels = channels.iter().map(|name| (*name).into()).collect();
    WishedLimit { limit, window: Window::parse(window).expect(window), channels }
}

/// `mon 18:00-20:00` and so on, a day each.
fn hours(days: &[(usize, &str)]) -> OpeningHours {
    let ranges = |weekday| {
        let own = days.iter().filter(|(day, _)| *day == weekday);
        own.map(|(_, range)| OpenRange::parse(range).expect(range)).collect()
    };
    OpeningHours::from_days(std::array::from_fn(ranges))
}

fn stopped_on(channel: Option<&str>, scope: Scope) -> Suppression {
    let channel = channel.map(Name::from);
    Suppression { channel, scope, since: now(), until: None, reason: None, source: None }
}

fn record(wishes: Wishes, stopped: &[&str]) -> Record {
    let mut record = Record::default();
    record.wishes = wishes;
    for channel in stopped {
        record.suppressions.suppress(stopped_on(Some(channel), Scope::Ordinary));
    }
    record
}

/// The form as a browser sends it.
fn encoded(filled: &Filled) -> Vec<u8> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair(DO, "save").append_pair(LIMIT, &filled.limit).append_pair(PER, filled.per.name());
    body.append_pair(PAUSE_UNTIL, &filled.pause_until);
    body.extend_pairs(filled.channels.iter().map(|channel| (CHANNEL, channel)));
    body.extend_pairs(filled.hours.iter().map(|slot| (HOURS, slot.name())));
    body.extend_pairs(filled.keep.iter().map(|id| (KEEP, id)));
    body.extend_pairs(filled.seen.iter().map(|id| (SEEN, id)));
    body.finish().into_bytes()
}

/// What the customer's record holds after the form was sent.
fn after(record: &Record, policy: &Policy, filled: &Filled) -> Result<Record, Vec<Mistake>> {
    let sent = Sent::read(&encoded(filled));
    assert_eq!((&sent.filled, &sent.mistakes), (filled, &Vec::new()), "it arrives as it was sent");
    let put = filled.changes(&Standing::of(record, policy, now()))?.unwrap_or_default();
    let mut record = record.clone();
    record.wishes = put.wishes.unwrap_or(record.wishes);
    for put in put.suppressions {
        let SuppressionPut::Lift { channel, .. } = put else { panic!("saving wishes stops nothing") };
        record.suppressions.lift(Lift { channel, purpose: None, at: now().next() });
    }
    Ok(record)
}

#[test]
fn each_part_is_shown_and_read_back() {
    let policy = policy();
    let noon_of_christmas_eve = Moment::parse("2026-12-24T17:00:00Z");
    let cases: [(&str, Wishes, Fill, Expect); 11] = [
        (
            "a limit",
            Wishes::default(),
            |filled| filled.limit = "2".to_owned(),
            |wishes| {
                wishes.at_most = vec![limit(2, "local 7 days", &[])];
            },
        ),
        (
            "another number in the same kind of week",
            Wishes { at_most: vec![limit(3, "rolling 7d", &[])], ..Wishes::default() },
            |filled| filled.limit = "1".to_owned(),
            |wishes| wishes.at_most = vec![limit(1, "rolling 7d", &[])],
        ),
        (
            "another unit",
            Wishes { at_most: vec![limit(3, "calendar week", &[])], ..Wishes::default() },
            |filled| filled.per = Per::Month,
            |wishes| wishes.at_most = vec![limit(3, "local 30 days", &[])],
        ),
        (
            "a limit taken back, another kept",
            Wishes {
                at_most: vec![limit(1, "lifetime", &["sms"]), limit(3, "rolling 24h", &[])],
                ..Wishes::default()
            },
            |filled| filled.limit = String::new(),
            |wishes| wishes.at_most = vec![limit(1, "lifetime", &["sms"])],
        ),
        (
            "a kept one given up",
            Wishes {
                at_most: vec![limit(1, "lifetime", &["sms"]), limit(3, "rolling 24h", &[])],
                ..Wishes::default()
            },
            |filled| filled.keep.clear(),
            |wishes| wishes.at_most = vec![limit(3, "rolling 24h", &[])],
        ),
        (
            "a channel less",
            Wishes::default(),
            |filled| filled.channels.retain(|channel| channel != "voice"),
            |wishes| {
                wishes.channels = Some(vec!["email".into(), "sms".into(), "mail".into()]);
            },
        ),
        (
            "a channel more, and one that the policy has no more",
            Wishes { channels: Some(vec!["fax".into(), "email".into()]), ..Wishes::default() },
            |filled| filled.channels.push("mail".to_owned()),
            |wishes| wishes.channels = Some(vec!["email".into(), "mail".into(), "fax".into()]),
        ),
        (
            "weekday afternoons and evenings",
            Wishes::default(),
            |filled| {
                let slot = |time| Slot { days: Days::Weekdays, time };
                filled.hours = vec![slot(TimeOfDay::Afternoon), slot(TimeOfDay::Evening)];
            },
            |wishes| wishes.hours = Some(hours(&[0, 1, 2, 3, 4].map(|day| (day, "12:00-21:00")))),
        ),
        (
            "odd hours given up",
            Wishes { hours: Some(hours(&[(0, "18:00-20:00")])), ..Wishes::default() },
            |filled| filled.keep.clear(),
            |wishes| wishes.hours = None,
        ),
        (
            "a pause until midnight in New York",
            Wishes::default(),
            |filled| filled.pause_until = "2027-01-31".to_owned(),
            |wishes| {
                wishes.pause_until = Moment::parse("2027-01-31T05:00:00Z");
            },
        ),
        (
            "a pause taken back",
            Wishes { pause_until: noon_of_christmas_eve, ..Wishes::default() },
            |filled| {
                assert_eq!(filled.pause_until, "2026-12-24");
                filled.pause_until = String::new();
            },
            |wishes| wishes.pause_until = None,
        ),
    ];
    for (what, wishes, fill, expect) in cases {
        let record = record(wishes.clone(), &[]);
        let mut filled = Filled::of(&Standing::of(&record, &policy, now()));
        fill(&mut filled);
        let mut expected = wishes;
        expect(&mut expected);
        assert_eq!(after(&record, &policy, &filled).map(|record| record.wishes), Ok(expected), "{what}");
    }
}

#[test]
fn what_cannot_be_is_said_of_its_field() {
    let policy = policy();
    let odd = record(Wishes { hours: Some(hours(&[(0, "18:00-20:00")])), ..Wishes::default() }, &[]);
    let standing = Standing::of(&odd, &policy, now());
    let cases: [(Field, Fill); 11] = [
        (Field::Limit, |filled| filled.limit = "0".to_owned()),
        (Field::Limit, |filled| filled.limit = "100".to_owned()),
        (Field::Limit, |filled| filled.limit = "two".to_owned()),
        (Field::Limit, |filled| filled.limit = "1.5".to_owned()),
        (Field::Channels, |filled| filled.channels.push("fax".to_owned())),
        (Field::Hours, |filled| filled.hours = Slot::all().take(1).collect()),
        (Field::PauseUntil, |filled| filled.pause_until = "2026-11-16".to_owned()),
        (Field::PauseUntil, |filled| filled.pause_until = "2026-02-30".to_owned()),
        (Field::PauseUntil, |filled| filled.pause_until = "31.1.2027".to_owned()),
        (Field::PauseUntil, |filled| filled.pause_until = "2037-01-01".to_owned()),
        (Field::PauseUntil, |filled| filled.pause_until = "12027-01-01".to_owned()),
    ];
    for (field, fill) in cases {
        let mut filled = Filled::of(&standing);
        fill(&mut filled);
        let mistakes = filled.changes(&standing).expect_err("a mistake");
        let fields: Vec<Field> = mistakes.iter().map(|mistake| mistake.field).collect();
        assert_eq!(fields, [field], "{filled:?}");
    }
}

#[test]
fn what_is_no_form_of_ours_is_said_so() {
    let cases = [
        ("", "whole"),
        ("limit=2", "whole"),
        ("do=save&limit=2&limit=3", "twice"),
        ("do=save&limt=2", "limt"),
        ("do=save&hours=weekdays-night", "weekdays-night"),
        ("do=save&per=decade", "decade"),
        ("do=stop-it", "stop-it"),
    ];
    for (body, expected) in cases {
        let sent = Sent::read(body.as_bytes());
        assert_eq!(sent.intent, Intent::Save, "{body}");
        assert!(sent.mistakes.iter().any(|mistake| mistake.detail.contains(expected)), "{body}: {sent:?}");
    }
    let many = Sent::read("seen=x&".repeat(100_000).as_bytes());
    assert_eq!((many.filled.seen.len(), many.mistakes.len()), (MOST_FIELDS, 2));
}

#[test]
fn an_unsubscription_is_shown_and_taken_back_only_where_it_was_shown() {
    let policy = policy();
    let wishes = Wishes { channels: Some(vec!["sms".into(), "mail".into()]), ..Wishes::default() };
    let stopped = record(wishes.clone(), &["sms"]);
    let standing = Standing::of(&stopped, &policy, now());
    let shown = Filled::of(&standing);
    assert_eq!((shown.channels.as_slice(), standing.stopped_since), (&["mail".to_owned()][..], None));
    assert_eq!(shown.changes(&standing), Ok(None), "left as it is");

    let ticked = Filled { channels: vec!["sms".to_owned(), "mail".to_owned()], ..shown };
    let put = ticked.changes(&standing).expect("sound").expect("a change");
    assert_eq!((put.wishes, put.suppressions), (None, vec![SuppressionPut::taken_back(Some("sms".into()))]));
    assert_eq!((put.by.as_deref(), put.through.as_deref()), (Some("customer"), Some("wishes page")));

    let page_from_before = Filled { seen: Vec::new(), ..ticked };
    assert_eq!(page_from_before.changes(&standing), Ok(None), "the unsubscription came later and stands");

    let everything = record(wishes, &CHANNELS);
    let standing = Standing::of(&everything, &policy, now());
    assert_eq!(standing.stopped_since, Some(now()));
    assert!(standing.has_essentials, "receipts still come");
    assert_eq!(Filled::of(&standing).channels, ["sms", "mail"], "what holds when it is taken back");
    let mut to_the_last = everything;
    to_the_last.suppressions.suppress(stopped_on(None, Scope::EveryPurpose));
    assert!(!Standing::of(&to_the_last, &policy, now()).has_essentials);
}

#[test]
fn what_was_set_after_the_page_was_shown_is_kept() {
    let policy = policy();
    let before = record(Wishes::default(), &[]);
    let shown = Filled::of(&Standing::of(&before, &policy, now()));
    let meanwhile = Wishes {
        at_most: vec![limit(1, "lifetime", &["voice"])],
        hours: Some(hours(&[(5, "10:00-11:00")])),
        ..Wishes::default()
    };
    let mut filled = shown;
    filled.limit = "2".to_owned();
    let saved = after(&record(meanwhile.clone(), &[]), &policy, &filled).expect("sound");
    assert_eq!(saved.wishes.hours, meanwhile.hours);
    assert_eq!(saved.wishes.at_most, [limit(2, "local 7 days", &[]), limit(1, "lifetime", &["voice"])]);
}

fn any_channels() -> impl Strategy<Value = Vec<Name>> {
    subsequence(vec!["email", "sms", "voice", "mail", "fax"], 0..=5)
        .prop_map(|names| names.into_iter().map(Into::into).collect())
}

fn any_slots() -> impl Strategy<Value = Vec<Slot>> {
    subsequence(Slot::all().collect::<Vec<_>>(), 0..=9)
}

fn any_limit() -> impl Strategy<Value = WishedLimit> {
    const WINDOWS: [&str; 8] = [
        "rolling 7d",
        "rolling 24h",
        "rolling 36h",
        "calendar month",
        "calendar hour",
        "local 7 days",
        "local 2 days",
        "lifetime",
    ];
    let channels = prop_oneof![Just(Vec::new()), any_channels()];
    (0..120_u32, select(&WINDOWS[..]), channels)
        .prop_map(|(number, window, channels)| WishedLimit { channels, ..limit(number, window, &[]) })
}

fn any_hours() -> impl Strategy<Value = OpeningHours> {
    let range = (0..47_i64, 1..10_i64).prop_map(|(open, length)| OpenRange {
        open_ms: open * 30 * MINUTE_MS,
        close_ms: ((open + length) * 30 * MINUTE_MS).min(DAY_MS),
    });
    let odd = proptest::collection::vec(proptest::collection::vec(range, 0..3), 7).prop_map(|days| {
        OpeningHours::from_days(std::array::from_fn(|weekday| days.get(weekday).cloned().unwrap_or_default()))
    });
    prop_oneof![any_slots().prop_map(|slots| hours::opening_hours(&slots).unwrap_or_default()), odd]
}

prop_compose! {
    fn any_record()(
        at_most in proptest::collection::vec(any_limit(), 0..5),
        channels in proptest::option::of(any_channels()),
        hours in proptest::option::of(any_hours()),
        pause_days in proptest::option::of(-400.0..800.0_f64),
        stopped in subsequence(CHANNELS.to_vec(), 0..=4),
    ) -> Record {
        let pause = |days: f64| Moment::from_millis(now().millis() + (days * DAY_MS as f64) as i64);
        record(Wishes { at_most, channels, hours, pause_until: pause_days.map(pause) }, &stopped)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_form_sent_as_it_was_shown_changes_nothing(record in any_record()) {
        let policy = policy_once();
        let standing = Standing::of(&record, policy, now());
        let shown = Filled::of(&standing);
        let sent = Sent::read(&encoded(&shown));
        prop_assert_eq!(&sent.filled, &shown);
        prop_assert_eq!(sent.filled.changes(&standing), Ok(None));
    }

    #[test]
    fn what_is_filled_in_is_what_is_shown_next(
        record in any_record(),
        channels in subsequence(CHANNELS.to_vec(), 0..=4),
        limit in proptest::option::of(1..=99_u32),
        per in select(&Per::ALL[..]),
        hours in any_slots(),
        pause_days in proptest::option::of(1..3_000_i32),
        keeps in any::<bool>(),
    ) {
        let policy = policy_once();
        let standing = Standing::of(&record, policy, now());
        let mut filled = Filled::of(&standing);
        filled.channels = channels.into_iter().map(str::to_owned).collect();
        filled.limit = limit.map_or_else(String::new, |limit| limit.to_string());
        filled.per = per;
        filled.hours = hours;
        let day = pause_days.and_then(|days| standing.today().plus(days).date());
        filled.pause_until = day.map_or_else(String::new, |day| day.to_string());
        if !keeps {
            filled.keep.clear();
        }
        let has_odd_hours = filled.keep.iter().any(|id| id.starts_with("hours"));
        let saved = match after(&record, policy, &filled) {
            Err(mistakes) => {
                prop_assert!(has_odd_hours && !filled.hours.is_empty(), "{:?}", mistakes);
                return Ok(());
            }
            Ok(saved) => saved,
        };
        let shown = Filled::of(&Standing::of(&saved, policy, now().next()));
        prop_assert_eq!(shown.channels, filled.channels);
        prop_assert_eq!(shown.hours, filled.hours);
        prop_assert_eq!(shown.pause_until, filled.pause_until);
        if limit.is_some() {
            prop_assert_eq!((shown.limit, shown.per), (filled.limit, filled.per));
        }
        if !keeps {
            prop_assert!(Standing::of(&saved, policy, now()).kept().iter().all(|kept| !kept.id.starts_with("hours")));
        }
    }
}

fn policy_once() -> &'static Policy {
    static POLICY: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(policy);
    &POLICY
}
