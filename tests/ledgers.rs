//! One suite of what every ledger must do, over each of them.

use std::path::Path;
use std::sync::Arc;

use contact_governor::domain::contact::{Contact, Standing};
use contact_governor::domain::event::EventKey;
use contact_governor::domain::moment::Moment;
use contact_governor::domain::note::{CLAIMED, DONE, HANDED_OVER, SUPPRESSED, WISHED, note};
use contact_governor::domain::record::Record;
use contact_governor::domain::refusal::Refusal;
use contact_governor::domain::suppression::{Scope, Suppression, Suppressions};
use contact_governor::domain::tombstone::Tombstone;
use contact_governor::domain::words::{Name, Tags, Verdict};
use contact_governor::gate::ask::Wanted;
use contact_governor::gate::{Gate, Terms};
use contact_governor::ledger::embedded::EmbeddedLedger;
use contact_governor::ledger::memory::MemoryLedger;
use contact_governor::ledger::{Commit, Committed, DueNote, Ledger, LedgerError, Revision};
use contact_governor::policy::compile::compile;
use contact_governor::wire::question::QuestionReader;
use futures_util::StreamExt;

use crate::harness::redis::{RedisCluster, RedisServer};
use crate::harness::{at, commit, question};

fn contact(number: usize) -> Contact {
    let moment = Moment::from_millis(1_800_000_000_000 + number as i64);
    Contact {
        id: format!("m-{number}").into(),
        question: None,
        tags: Tags { channel: Some("email".into()), ..Tags::default() },
        at: moment,
        reserved_at: moment,
        standing: Standing::Reserved,
        told_at: None,
    }
}

fn record(contacts: usize) -> Arc<Record> {
    Arc::new(Record::default().with_history((0..contacts).map(contact).collect(), Vec::new()))
}

async fn an_unknown_customer_has_an_empty_record(ledger: Arc<dyn Ledger>) {
    let loaded = ledger.load("nobody").await.expect("loaded");
    assert_eq!((&*loaded.record, loaded.revision), (&Record::default(), Revision::ABSENT));
}

async fn what_is_committed_is_loaded(ledger: Arc<dyn Ledger>) {
    for contacts in [0, 1, 2, 5_000] {
        let before = ledger.load("c").await.expect("loaded");
        let committed =
            ledger.commit(commit("c", before.revision, record(contacts))).await.expect("committed");
        assert_eq!(committed, Committed::Stored);
        let after = ledger.load("c").await.expect("loaded");
        assert_eq!(after.record, record(contacts));
        assert_ne!(after.revision, before.revision);
    }
}

async fn a_stale_revision_writes_nothing(ledger: Arc<dyn Ledger>) {
    let stale = ledger.load("c").await.expect("loaded").revision;
    assert_eq!(ledger.commit(commit("c", stale, record(1))).await.expect("committed"), Committed::Stored);
    assert_eq!(ledger.commit(commit("c", stale, record(2))).await.expect("committed"), Committed::Conflict);
    assert_eq!(ledger.load("c").await.expect("loaded").record, record(1));
}

async fn customers_do_not_mix(ledger: Arc<dyn Ledger>) {
    for (customer, contacts) in [("a", 1), ("ab", 2), ("b", 3), ("ä/ö \u{1F600}", 4)] {
        let revision = ledger.load(customer).await.expect("loaded").revision;
        ledger.commit(commit(customer, revision, record(contacts))).await.expect("committed");
    }
    assert_eq!(ledger.load("ab").await.expect("loaded").record, record(2));
    assert_eq!(ledger.load("ä/ö \u{1F600}").await.expect("loaded").record, record(4));
}

/// More than any ledger takes at once, some of them large; each for itself, and in the order given.
async fn many_are_loaded_and_committed_each_for_itself(ledger: Arc<dyn Ledger>) {
    let contacts = |number: usize| if number.is_multiple_of(50) { 4_000 } else { number % 4 };
    let customers: Vec<Name> = (0..300).map(|number| format!("c-{number}").into()).collect();
    let taken = ledger.commit(commit("c-7", Revision::ABSENT, record(9))).await.expect("committed");
    assert_eq!(taken, Committed::Stored);
    let owed = |number: usize| number.is_multiple_of(7);
    let commits = customers.iter().enumerate().map(|(number, customer)| Commit {
        due: if owed(number) { noted_at(number as i64) } else { DueNote::Unchanged },
        ..commit(customer, Revision::ABSENT, record(contacts(number)))
    });
    let committed = ledger.commit_all(commits.collect()).await;
    for (number, committed) in committed.into_iter().enumerate() {
        let expected = if number == 7 { Committed::Conflict } else { Committed::Stored };
        assert_eq!(committed.expect("committed"), expected, "of c-{number}");
    }
    let names: Vec<&str> = customers.iter().map(|name| &**name).chain(["nobody"]).collect();
    let loaded = ledger.load_all(&names).await;
    assert_eq!(loaded.len(), names.len());
    for (number, loaded) in loaded.into_iter().enumerate() {
        let expected = match number {
            7 => record(9),
            300 => record(0),
            other => record(contacts(other)),
        };
        assert_eq!(loaded.expect("loaded").record, expected, "of {}", names[number]);
    }
    let noted = ledger.due(0, 1_000).await.expect("what is due");
    let expected = (0..300).filter(|number| owed(*number)).map(|number| format!("c-{number}"));
    // Whose commit lost its race was noted by nobody; in a cluster, perhaps.
    let (noted, expected) = (noted.iter().map(|due| &*due.customer), expected.filter(|name| name != "c-7"));
    assert!(noted.filter(|name| *name != "c-7").eq(expected));
    assert!(ledger.load_all(&[]).await.is_empty());
    assert!(ledger.commit_all(Vec::new()).await.is_empty());
}

async fn halts_are_kept_with_their_first_moment(ledger: Arc<dyn Ledger>) {
    let (first, later) = (Moment::from_millis(1), Moment::from_millis(2));
    ledger.set_halt("autumn", Some(first)).await.expect("halted");
    ledger.set_halt("autumn", Some(later)).await.expect("halted");
    ledger.set_halt("winter", Some(later)).await.expect("halted");
    assert_eq!(ledger.halts().since("autumn"), Some(first));
    ledger.set_halt("winter", None).await.expect("lifted");
    assert_eq!(ledger.halts().since("winter"), None);
}

async fn customers_owed_something_are_listed_by_when_it_is_due(ledger: Arc<dyn Ledger>) {
    for (customer, due) in [("late", 30), ("soon", 10), ("next", 20), ("moved", 5), ("moved", 25)] {
        ledger.set_due(customer, Some(Moment::from_millis(due))).await.expect("noted");
    }
    ledger.set_due("next", None).await.expect("noted");
    ledger.set_due("nobody", None).await.expect("noted");
    let all = ledger.due(0, 10).await.expect("read");
    let shown: Vec<_> = all.iter().map(|due| (&*due.customer, due.at.millis())).collect();
    assert_eq!(shown, [("soon", 10), ("moved", 25), ("late", 30)]);
    assert_eq!(ledger.due(1, 1).await.expect("read"), all[1..2]);
    assert_eq!(ledger.due(3, 1).await.expect("read"), []);
}

const fn noted_at(millis: i64) -> DueNote {
    DueNote::At(Moment::from_millis(millis))
}

/// Who is owed something by when, in order.
async fn listed(ledger: &Arc<dyn Ledger>) -> Vec<(String, i64)> {
    let due = ledger.due(0, 100).await.expect("what is due");
    due.into_iter().map(|due| (due.customer.to_string(), due.at.millis())).collect()
}

/// Stores a record of so many contacts with a note.
async fn store(ledger: &Arc<dyn Ledger>, customer: &str, contacts: usize, due: DueNote) {
    let revision = ledger.load(customer).await.expect("loaded").revision;
    let commit = Commit { due, ..commit(customer, revision, record(contacts)) };
    assert_eq!(ledger.commit(commit).await.expect("committed"), Committed::Stored);
}

async fn whoever_is_owed_something_is_listed_with_the_commit(ledger: Arc<dyn Ledger>) {
    store(&ledger, "a", 1, noted_at(20)).await;
    store(&ledger, "b", 1, noted_at(10)).await;
    store(&ledger, "c", 1, DueNote::Unchanged).await;
    assert_eq!(listed(&ledger).await, [("b".to_owned(), 10), ("a".to_owned(), 20)]);
    store(&ledger, "a", 2, noted_at(5)).await;
    store(&ledger, "b", 2, DueNote::Unchanged).await;
    assert_eq!(listed(&ledger).await, [("a".to_owned(), 5), ("b".to_owned(), 10)]);
}

async fn a_note_goes_with_the_commit_and_not_with_one_that_lost(ledger: Arc<dyn Ledger>) {
    store(&ledger, "a", 1, noted_at(20)).await;
    for due in [noted_at(1), DueNote::Gone] {
        let lost = Commit { due, ..commit("a", Revision(u64::MAX), record(9)) };
        assert_eq!(ledger.commit(lost).await.expect("an outcome"), Committed::Conflict);
        assert_eq!(listed(&ledger).await, [("a".to_owned(), 20)]);
    }
    store(&ledger, "a", 2, noted_at(30)).await;
    assert_eq!(listed(&ledger).await, [("a".to_owned(), 30)], "later than it was");
    store(&ledger, "a", 3, DueNote::Gone).await;
    assert_eq!(listed(&ledger).await, []);
}

/// In a cluster a note that moves away or goes is left to whoever mends it.
async fn a_note_is_never_late(ledger: Arc<dyn Ledger>) {
    store(&ledger, "a", 1, noted_at(20)).await;
    for (contacts, due) in [(2, noted_at(30)), (3, DueNote::Gone)] {
        store(&ledger, "a", contacts, due).await;
        assert_eq!(listed(&ledger).await, [("a".to_owned(), 20)]);
    }
    ledger.set_due("a", None).await.expect("mended");
    assert_eq!(listed(&ledger).await, []);
}

/// Notes of one customer come in the order of their commits, however many are under way.
async fn the_last_commits_note_stands(ledger: Arc<dyn Ledger>) {
    let racers = (0..64).map(|number| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            loop {
                let loaded = ledger.load("c").await.expect("loaded");
                let contacts = loaded.record.contacts().len() + 1;
                let due = if number % 3 == 0 { DueNote::Gone } else { noted_at(contacts as i64) };
                let commit = Commit { due, ..commit("c", loaded.revision, record(contacts)) };
                if ledger.commit(commit).await.expect("committed") == Committed::Stored {
                    return (contacts, due);
                }
            }
        })
    });
    let mut stored = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        stored.push(racer.await.expect("a racer"));
    }
    let (_, last) = stored.into_iter().max_by_key(|(contacts, _)| *contacts).expect("one was last");
    let expected = match last {
        DueNote::At(at) => vec![("c".to_owned(), at.millis())],
        DueNote::Gone | DueNote::Unchanged => Vec::new(),
    };
    assert_eq!(listed(&ledger).await, expected);
}

/// Sixty-four at once, each adding one contact, lose no contact and invent none.
async fn a_race_loses_nothing(ledger: Arc<dyn Ledger>) {
    let racers = (0..64).map(|number| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            loop {
                let loaded = ledger.load("c").await.expect("loaded");
                let mut record = Arc::unwrap_or_clone(loaded.record);
                record.reserve(contact(number));
                if ledger.commit(commit("c", loaded.revision, Arc::new(record))).await.expect("committed")
                    == Committed::Stored
                {
                    return;
                }
            }
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.expect("a racer");
    }
    let record = ledger.load("c").await.expect("loaded").record;
    assert_eq!(record.contacts().len(), 64);
}

/// N concurrent asks at a cap of k allow exactly k.
async fn a_race_for_slots_allows_exactly_as_many_as_there_are(ledger: Arc<dyn Ledger>) {
    let policy = "time_zone = \"UTC\"\n[[caps]]\nid = \"k\"\nlimit = 7\nwindow = \"rolling 7d\"";
    let policy = Arc::new(compile("k.toml", policy).expect("a policy"));
    let gate = Arc::new(Gate::new(Arc::clone(&policy), ledger, Terms::default()));
    let reader = QuestionReader::new(policy);
    let now = at("2026-11-16T12:00:00Z");
    let askers = (0..64).map(|number| {
        let asked =
            reader.read(&question("c", "email"), now, || format!("m-{number}").into()).expect("a question");
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            gate.ask(&asked, Wanted::default(), now).await.expect("an answer").verdict.name()
        })
    });
    let mut allowed = 0;
    for asker in askers.collect::<Vec<_>>() {
        allowed += usize::from(asker.await.expect("an asker") == "allow");
    }
    assert_eq!(allowed, 7);
}

fn suppressed_since(millis: i64) -> Suppressions {
    let mut suppressions = Suppressions::default();
    suppressions.suppress(Suppression {
        channel: Some("sms".into()),
        scope: Scope::Ordinary,
        since: Moment::from_millis(millis),
        until: None,
        reason: None,
        source: None,
    });
    suppressions
}

fn refused(millis: i64) -> Refusal {
    let at = Moment::from_millis(millis);
    Refusal {
        first_at: at,
        at,
        times: 1,
        verdict: Verdict::Defer,
        tags: Tags { channel: Some("email".into()), ..Tags::default() },
        reasons: vec![("cap".into(), "At most three.".into())],
        not_before: None,
    }
}

/// Commits whatever stands, and erases: the tombstone is all that is found, before and after a new record.
async fn an_erasure_leaves_the_tombstone_and_nothing_else(ledger: Arc<dyn Ledger>) {
    let before = ledger.load("c").await.expect("loaded").revision;
    ledger.commit(commit("c", before, record(3))).await.expect("committed");
    ledger.add_refusals(vec![("c".into(), vec![refused(10)])]).await.expect("noted");
    ledger.set_due("c", Some(Moment::from_millis(5))).await.expect("noted");
    let tombstone =
        Arc::new(Tombstone { erased_at: Moment::from_millis(50), suppressions: suppressed_since(7) });

    let stale = before;
    let erased = ledger.erase("c", stale, Arc::clone(&tombstone)).await.expect("an outcome");
    assert_eq!(erased, Committed::Conflict, "somebody was first");
    assert_eq!(ledger.load("c").await.expect("loaded").record, record(3));
    let standing = ledger.load("c").await.expect("loaded").revision;
    let erased = ledger.erase("c", standing, Arc::clone(&tombstone)).await.expect("an outcome");
    assert_eq!(erased, Committed::Stored);

    let loaded = ledger.load("c").await.expect("loaded");
    assert_eq!((&*loaded.record, loaded.tombstone.as_deref()), (&Record::default(), Some(&*tombstone)));
    assert_eq!(ledger.refusals("c").await.expect("refusals"), []);
    assert!(ledger.due(0, 100).await.expect("what is due").iter().all(|due| &*due.customer != "c"));
    // Who decided on what stood before is too late.
    let late = ledger.commit(commit("c", standing, record(9))).await.expect("an outcome");
    assert_eq!(late, Committed::Conflict);
    ledger
        .add_refusals(vec![("c".into(), vec![refused(50), refused(51 + 86_400_000)])])
        .await
        .expect("noted");
    let refusals = ledger.refusals("c").await.expect("refusals");
    assert_eq!(refusals, [refused(51 + 86_400_000)], "what is older than the erasure stays away");

    ledger.commit(commit("c", loaded.revision, record(1))).await.expect("committed");
    let again = ledger.load("c").await.expect("loaded");
    assert_eq!((again.record, again.tombstone), (record(1), Some(tombstone)));
    assert!(ledger.load("somebody else").await.expect("loaded").tombstone.is_none());
}

/// Commits race with an erasure; whichever wins, nothing of before is left when both are over.
async fn an_erasure_and_commits_do_not_mix(ledger: Arc<dyn Ledger>) {
    for round in 0..20 {
        let loaded = ledger.load("c").await.expect("loaded");
        ledger.commit(commit("c", loaded.revision, record(2))).await.expect("committed");
        let loaded = ledger.load("c").await.expect("loaded");
        let erased_at = Moment::from_millis(round);
        let tombstone = Arc::new(Tombstone { erased_at, suppressions: suppressed_since(round) });
        let commit = tokio::spawn({
            let (ledger, revision) = (Arc::clone(&ledger), loaded.revision);
            async move { ledger.commit(commit("c", revision, record(5))).await.expect("an outcome") }
        });
        let erased = ledger.erase("c", loaded.revision, tombstone).await.expect("an outcome");
        let committed = commit.await.expect("an end");
        let stands = ledger.load("c").await.expect("loaded").record.contacts().len();
        match (committed, erased) {
            (Committed::Stored, Committed::Conflict) => assert_eq!(stands, 5),
            (Committed::Conflict, Committed::Stored) => assert_eq!(stands, 0),
            both => panic!("{both:?} in one race"),
        }
    }
}

async fn refusals_are_kept_beside_the_record(ledger: Arc<dyn Ledger>) {
    let far_apart = |number: i64| refused(number * 10 * 86_400_000);
    for number in 0..40 {
        ledger.add_refusals(vec![("c".into(), vec![far_apart(number)])]).await.expect("noted");
    }
    let kept: Vec<_> = (10..40).map(far_apart).collect();
    assert_eq!(ledger.refusals("c").await.expect("refusals"), kept);
    assert_eq!(ledger.refusals("d").await.expect("refusals"), []);
    let loaded = ledger.load("c").await.expect("loaded");
    assert_eq!((&*loaded.record, loaded.revision), (&Record::default(), Revision::ABSENT));
}

/// What people did through the governor is part of the record, and comes back.
async fn the_governors_own_notes_are_read_again(ledger: Arc<dyn Ledger>) {
    let mut noted = Record::default();
    for (number, kind) in [HANDED_OVER, CLAIMED, DONE, WISHED, SUPPRESSED].into_iter().enumerate() {
        noted.tell(note(EventKey(number as u64), kind, Moment::from_millis(number as i64)));
    }
    ledger.commit(commit("c", Revision::ABSENT, Arc::new(noted.clone()))).await.expect("committed");
    // Enough others that no ledger has this one at hand.
    let others = (0..20_000).map(|number| {
        let ledger = Arc::clone(&ledger);
        async move {
            let customer = format!("c-{number}");
            ledger.commit(commit(&customer, Revision::ABSENT, record(0))).await.expect("committed")
        }
    });
    futures_util::stream::iter(others).buffer_unordered(512).for_each(|_| async {}).await;
    assert_eq!(*ledger.load("c").await.expect("loaded").record, noted);
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

macro_rules! suite {
    ($ledger:ident, $fresh:expr, [$($test:ident),* $(,)?]) => {
        mod $ledger {
            use super::*;

            $(#[test]
            fn $test() {
                let folder = tempfile::tempdir().expect("a folder");
                let fresh: fn(&Path) -> Arc<dyn Ledger> = $fresh;
                run(async move { super::$test(fresh(folder.path())).await });
            })*
        }
    };
}

macro_rules! suites {
    ($tests:tt) => {
        suite!(memory, |_| Arc::new(MemoryLedger::default()), $tests);
        suite!(embedded, |folder| Arc::new(embedded_in(folder)), $tests);
        suite!(redis_standalone, |_| Arc::new(RedisServer::shared().ledger()), $tests);
        suite!(redis_cluster, |_| Arc::new(RedisCluster::shared().ledger()), $tests);
    };
}

suites!([
    an_unknown_customer_has_an_empty_record,
    what_is_committed_is_loaded,
    a_stale_revision_writes_nothing,
    customers_do_not_mix,
    many_are_loaded_and_committed_each_for_itself,
    halts_are_kept_with_their_first_moment,
    customers_owed_something_are_listed_by_when_it_is_due,
    whoever_is_owed_something_is_listed_with_the_commit,
    a_race_loses_nothing,
    a_race_for_slots_allows_exactly_as_many_as_there_are,
    an_erasure_leaves_the_tombstone_and_nothing_else,
    an_erasure_and_commits_do_not_mix,
    refusals_are_kept_beside_the_record,
]);

/// Where notes stand beside the records.
macro_rules! exactly_noted {
    ($tests:tt) => {
        suite!(memory_exactly, |_| Arc::new(MemoryLedger::default()), $tests);
        suite!(embedded_exactly, |folder| Arc::new(embedded_in(folder)), $tests);
        suite!(redis_exactly, |_| Arc::new(RedisServer::shared().ledger()), $tests);
    };
}

exactly_noted!([a_note_goes_with_the_commit_and_not_with_one_that_lost, the_last_commits_note_stands]);

suite!(redis_cluster_early, |_| Arc::new(RedisCluster::shared().ledger()), [a_note_is_never_late]);

suite!(embedded_notes, |folder| Arc::new(embedded_in(folder)), [the_governors_own_notes_are_read_again]);
suite!(redis_notes, |_| Arc::new(RedisServer::shared().ledger()), [the_governors_own_notes_are_read_again]);

fn embedded_in(folder: &Path) -> EmbeddedLedger {
    EmbeddedLedger::open(folder, at("2026-11-16T12:00:00Z"), &[]).expect("a ledger")
}

#[test]
fn the_embedded_ledger_keeps_everything_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    run(async {
        let ledger = embedded_in(folder.path());
        let revision = ledger.load("c").await.expect("loaded").revision;
        ledger.commit(commit("c", revision, record(3))).await.expect("committed");
        ledger.set_halt("autumn", Some(Moment::from_millis(5))).await.expect("halted");
        let owed = Commit { due: noted_at(7), ..commit("owed", Revision::ABSENT, record(1)) };
        ledger.commit(owed).await.expect("committed");
    });
    run(async {
        let ledger = EmbeddedLedger::open(folder.path(), at("2026-11-17T12:00:00Z"), &[]).expect("a ledger");
        assert_eq!(ledger.load("c").await.expect("loaded").record, record(3));
        assert_eq!(ledger.halts().since("autumn"), Some(Moment::from_millis(5)));
        let ledger: Arc<dyn Ledger> = Arc::new(ledger);
        assert_eq!(listed(&ledger).await, [("owed".to_owned(), 7)]);
    });
}

#[test]
fn a_second_owner_of_a_directory_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = embedded_in(folder.path());
    let second = EmbeddedLedger::open(folder.path(), at("2026-11-16T12:00:00Z"), &[]);
    assert!(matches!(second.err(), Some(LedgerError::Owned { .. })));
}

#[test]
fn a_directory_that_cannot_be_used_is_a_clear_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "not a directory").expect("written");
    let error =
        EmbeddedLedger::open(&file, at("2026-11-16T12:00:00Z"), &[]).err().expect("an error").to_string();
    assert!(error.starts_with("cannot open the ledger in") && error.contains("a-file"), "{error}");
}
