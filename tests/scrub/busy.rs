//! A governor that has too much to do says when to come again: the scrub waits, goes on, and loses and doubles nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::harness::gateway::{Fate, Gateway};

const TOO_MANY: &str = "429 Too Many Requests\r\nretry-after: 0";
const AWAY: &str = "503 Service Unavailable\r\nretry-after: 0";

fn governor(desk: &Desk) -> Process {
    let policy = desk.path("p.toml");
    Process::start(&["--ledger", "memory:", "--policy", policy.to_str().expect("a path")])
}

fn contacts(governor: &Process, customers: usize) -> u64 {
    let count = |id: usize| governor.caller.get(&format!("/v1/customers/c-{id}")).body["contacts"].as_u64();
    (0..customers).map(|id| count(id).expect("a count")).sum()
}

fn list(rows: usize, customers: usize) -> String {
    let mut text = "customer,fact.purchases\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(text, "c-{},{}", row * 7 % customers, row % 5);
    }
    text
}

/// Most are let through; of the others the governor sees every second.
fn now_and_then(number: usize) -> Fate {
    match number % 7 {
        1 => Fate::Refused(TOO_MANY),
        3 => Fate::Lost(TOO_MANY),
        4 => Fate::Refused(AWAY),
        6 => Fate::Lost(AWAY),
        _ => Fate::Passed,
    }
}

#[test]
fn it_waits_and_no_row_is_lost_or_there_twice() {
    for (rows, customers, reserve) in [(2_600, 400, &[][..]), (300, 100, &["--reserve"][..])] {
        let desk = Desk::with(list(rows, customers));
        let expected = {
            let governor = governor(&desk);
            let through = url(&governor);
            let scrubbed = desk.mail(&[&["list.csv", "--url", &through][..], reserve].concat());
            scrubbed.ended(0, "rejected: 0");
            assert!(!scrubbed.said.contains("waiting"), "{}", scrubbed.said);
            (scrubbed.verdicts(), contacts(&governor, customers))
        };
        let governor = governor(&desk);
        let gateway = Gateway::before(governor.caller.address(), now_and_then);
        let through = gateway.url();
        let scrubbed = desk.mail(&[&["list.csv", "--url", &through][..], reserve].concat());
        scrubbed.ended(0, "rejected: 0");
        let told = scrubbed.said.matches(&format!("scrub: waiting 0 s, for {through} answered ")).count();
        assert_eq!(told, 1, "once, however often: {}", scrubbed.said);
        assert!(gateway.turned_away() > 3, "{}", gateway.turned_away());
        assert_eq!(scrubbed.verdicts().len(), rows);
        assert_eq!((scrubbed.verdicts(), contacts(&governor, customers)), expected);
    }
}

#[test]
fn a_wait_that_is_too_long_stops_it_and_later_it_goes_on() {
    let desk = Desk::with(list(1_200, 400));
    let governor = governor(&desk);
    let closed = Arc::new(AtomicBool::new(true));
    let gateway = Gateway::before(governor.caller.address(), {
        let closed = Arc::clone(&closed);
        move |number| match number {
            2.. if closed.load(Ordering::SeqCst) => {
                Fate::Refused("429 Too Many Requests\r\nretry-after: 86400")
            }
            _ => Fate::Passed,
        }
    });
    let through = gateway.url();
    let arguments = ["list.csv", "--url", &through, "--out", "o.csv"];
    let stopped = desk.mail(&arguments);
    stopped.ended(1, &format!("scrub: stopped at line 1002: {through} answered 429: "));
    stopped.ended(
        1,
        "; told to wait 86400 s, where at most 15 minutes are waited for one answer; the same command",
    );
    assert!(!stopped.said.contains("waiting"), "{}", stopped.said);
    assert_eq!(desk.read("o.csv").lines().count(), 1_001);
    closed.store(false, Ordering::SeqCst);
    desk.mail(&arguments).ended(0, "rows: 1,200; ");
    assert_eq!(desk.read("o.csv").lines().count(), 1_201);
}
