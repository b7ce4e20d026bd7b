//! What callers send: questions, batches, events, lines of a replay, tokens of links.

use std::sync::{Arc, OnceLock};

use contact_governor::decide::decide;
use contact_governor::domain::halts::Halts;
use contact_governor::domain::moment::{Moment, Span};
use contact_governor::domain::question::Question;
use contact_governor::domain::record::Record;
use contact_governor::domain::words::Verdict;
use contact_governor::ledger::record_format::{decode, encode};
use contact_governor::policy::Policy;
use contact_governor::policy::compile::compile;
use contact_governor::replay::{Outcome, Replay, Step, VERBS};
use contact_governor::settings::{Secret, WishesPageSettings};
use contact_governor::wire::answer::AnswerBody;
use contact_governor::wire::batch::read_line;
use contact_governor::wire::event::read;
use contact_governor::wire::problem::Problem;
use contact_governor::wire::question::QuestionReader;
use contact_governor::wire::wishes_link::{Unopened, WishesLinks};
use serde_json::Value;

/// More lines than this of one input tell nothing new.
const MOST_LINES: usize = 40;

fn now() -> Moment {
    Moment::parse("2026-11-16T12:00:00Z").expect("a moment")
}

/// The policy that ships with the program.
fn policy() -> Arc<Policy> {
    static POLICY: OnceLock<Arc<Policy>> = OnceLock::new();
    let text = include_str!("../../config/policy.toml");
    Arc::clone(POLICY.get_or_init(|| Arc::new(compile("policy.toml", text).expect("a policy"))))
}

fn reader() -> &'static QuestionReader {
    static READER: OnceLock<QuestionReader> = OnceLock::new();
    READER.get_or_init(|| QuestionReader::new(policy()))
}

/// A problem says something, and every pointer of it leads into what was sent: to a member, or to where one is missing,
/// perhaps with the object it should be in.
fn is_sound(problem: &Problem, sent: &Value) {
    assert!((400..600).contains(&problem.status) && !problem.detail.is_empty(), "{problem:?}");
    for error in &problem.errors {
        let parent = error.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let grandparent = parent.rsplit_once('/').map_or("", |(grandparent, _)| grandparent);
        let is_there = [parent, grandparent].iter().any(|place| sent.pointer(place).is_some());
        assert!(is_there, "{error:?} is not in {sent}");
        assert!(!error.detail.is_empty(), "{error:?}");
    }
}

/// What could be read can be judged, and the answer is JSON that holds together.
fn judged(question: &Question) {
    let policy = policy();
    let Ok(decision) = decide(&policy, &Halts::default(), &Record::default(), question, now()) else {
        return;
    };
    let answer = serde_json::to_value(AnswerBody { at: None, answer: &decision.answer }).expect("JSON");
    let verdict = decision.answer.verdict;
    assert_eq!(
        answer["reasons"].as_array().is_some_and(Vec::is_empty),
        verdict == Verdict::Allow,
        "{answer}"
    );
    if let Some(not_before) = decision.answer.not_before {
        assert_eq!(verdict, Verdict::Defer, "{answer}");
        assert!(not_before > now(), "{answer}");
    }
}

/// Read alike each time, and judged; or a problem.
pub fn question(bytes: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<Value>(bytes) else { return };
    match reader().read(&sent, now(), || "minted".into()) {
        Ok(question) => {
            let again = reader().read(&sent, now(), || "minted".into()).expect("what was sound is sound");
            assert_eq!(format!("{again:?}"), format!("{question:?}"));
            judged(&question);
        }
        Err(problem) => is_sound(&problem, &sent),
    }
}

/// A line for itself is read as among others; its weight is no part of its question.
pub fn batch_lines(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n').take(MOST_LINES) {
        match read_line(reader(), line, now(), || "minted".into()) {
            Ok(asked) => {
                assert!(asked.sent.get("priority").is_none(), "{}", asked.sent);
                let alone = reader().read(&asked.sent, now(), || "minted".into()).expect("a question");
                assert_eq!(format!("{alone:?}"), format!("{:?}", asked.question));
            }
            Err(problem) => {
                let sent = serde_json::from_slice(line).unwrap_or_default();
                is_sound(&problem, &sent);
            }
        }
    }
}

/// What is told twice counts once, and is stored as it was told.
pub fn event(bytes: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<Value>(bytes) else { return };
    let mut errors = Vec::new();
    match read(&sent, "", &policy(), now(), None, &mut errors) {
        None => is_sound(&Problem::fields(errors), &sent),
        Some(told) => {
            assert!(errors.is_empty(), "{errors:?}");
            assert!(!told.customer.is_empty());
            let mut record = Record::default();
            record.tell(told.event.clone());
            let once = record.clone();
            record.tell(told.event);
            assert!(record == once, "told twice: {record:?}, and once: {once:?}");
            assert!(decode(&encode(&once)).expect("a record") == once, "{once:?}");
        }
    }
}

/// Lines of the decision log, as `simulate` takes them, at moments a minute apart. Each has its outcome, the same in
/// another replay.
pub fn replayed_lines(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut replays = [Replay::new(policy()), Replay::new(policy())];
    let mut at = now();
    for line in bytes.split(|byte| *byte == b'\n').take(MOST_LINES) {
        at = at + Span::from_millis(60_000);
        let Ok(sent) = serde_json::from_slice::<Value>(line) else { continue };
        let Some(verb) = VERBS.into_iter().find(|verb| sent.get(verb).is_some()) else { continue };
        let what = &sent[verb];
        let step = match verb {
            "ask" => Step::Ask(what),
            "tell" => Step::Tell(what),
            "put" => Step::Put(what),
            _ => Step::Halt(what),
        };
        let outcomes = replays.each_mut().map(|replay| runtime.block_on(replay.step(at, step)));
        let [one, other] = &outcomes;
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        if let Outcome::Problem(problem) = one {
            is_sound(problem, &sent);
        }
    }
}

/// No token opens a page but those that were made; and those open the page they were made for.
pub fn wishes_link(bytes: &[u8]) {
    static LINKS: OnceLock<WishesLinks> = OnceLock::new();
    let links = LINKS.get_or_init(|| {
        let secret = Some(Secret::new("nobody who fuzzes knows it, as it is".to_owned()));
        WishesLinks::new(&WishesPageSettings { secret, former_secrets: Vec::new() }).expect("a secret")
    });
    let text = String::from_utf8_lossy(bytes);
    if let Ok(customer) = links.open(&text, now()) {
        assert_eq!(links.token(&customer, now() + LIFE), text, "it was made here");
    }
    let customer: String = text.chars().filter(|character| !character.is_control()).take(256).collect();
    if !customer.is_empty() {
        let token = links.token(&customer, now() + LIFE);
        match links.open(&token, now()) {
            Ok(opened) => assert_eq!(*opened, *customer),
            // What is no id in a path is none in a link.
            Err(why) => assert_eq!(why, Unopened::Unreadable),
        }
        assert_ne!(links.open(&token, now() + LIFE), Ok(customer.as_str().into()), "a link has an end");
    }
}

/// How long the links last that are made here.
pub const LIFE: Span = Span::from_days(30);
