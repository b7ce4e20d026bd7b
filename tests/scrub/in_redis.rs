//! A list judged by the records in Redis, which may go away in the middle.

use super::*;
use crate::harness::proxy::Proxy;
use crate::harness::redis::RedisServer;

const ROWS: usize = 1_800;

fn list() -> String {
    let mut text = "customer,fact.purchases\n".to_owned();
    for row in 0..ROWS {
        let _ = writeln!(text, "c-{},{}", row * 7 % (ROWS / 3), row % 4);
    }
    text
}

/// How many contacts a governor on this Redis knows of.
fn contacts(desk: &Desk, redis: &RedisServer) -> u64 {
    let policy = desk.path("p.toml");
    let url = redis.url();
    let governor = Process::start(&["--ledger", &url, "--policy", policy.to_str().expect("a path")]);
    let count = |id: usize| governor.caller.get(&format!("/v1/customers/c-{id}")).body["contacts"].as_u64();
    (0..ROWS / 3).map(|id| count(id).expect("a count")).sum()
}

fn allowed(list: &str) -> u64 {
    verdicts(list).iter().filter(|row| row.ends_with(" allow")).count() as u64
}

#[test]
fn what_is_in_redis_counts_and_only_reserving_adds_to_it() {
    let redis = RedisServer::start(&[]);
    let desk = Desk::with(list());
    let ledger = redis.url();
    let arguments = ["list.csv", "--ledger", &ledger];
    let here = desk.mail(&["list.csv"]).verdicts();
    assert_eq!(desk.mail(&arguments).verdicts(), here, "an empty Redis is as nothing");
    assert_eq!(redis.command::<Vec<String>>(&["KEYS", "cg:c:*"]), [] as [&str; 0], "nothing is stored");
    let reserved = desk.mail(&[&arguments[..], &["--reserve"]].concat());
    reserved.ended(0, "rows: 1,800; ");
    assert_eq!(reserved.verdicts(), here);
    assert_eq!(contacts(&desk, &redis), allowed(&reserved.list));
    let again = desk.mail(&arguments);
    let more = here.iter().filter(|row| row.ends_with(" allow")).count();
    assert!(
        again.verdicts().iter().filter(|row| row.ends_with(" allow")).count() < more,
        "what was reserved counts"
    );
}

#[test]
fn where_redis_goes_away_it_stops_and_the_same_command_reserves_each_row_once() {
    let desk = Desk::with(list());
    let expected = desk.mail(&["list.csv"]).verdicts();
    for is_killed in [false, true] {
        let redis = RedisServer::start(&[]);
        let wire = Proxy::to(redis.port);
        let ledger = wire.url();
        let arguments = ["list.csv", "--ledger", &ledger, "--reserve", "--out", "o.csv"];
        wire.cut_after(CUT_AFTER_BYTES);
        if is_killed {
            let mut child = desk.command(&[&MAIL[..], &arguments].concat()).spawn().expect("it runs");
            wire.wait_until_cut();
            child.kill().expect("a live process");
            child.wait().expect("its end");
        } else {
            let stopped = desk.mail(&arguments);
            stopped.ended(1, "scrub: stopped at line ").ended(1, "; the same command goes on there");
        }
        assert!(desk.has("o.csv.scrub.json"));
        wire.mend();
        desk.mail(&arguments).ended(0, "rows: 1,800; ").ended(0, "going on after line ");
        let list = desk.read("o.csv");
        let came = verdicts(&list);
        let of = |rows: &[String]| {
            rows.iter().map(|row| row.split(' ').take(2).collect()).collect::<Vec<String>>()
        };
        assert_eq!(of(&came), of(&expected));
        assert_eq!(contacts(&desk, &redis), allowed(&list));
    }
}

/// Enough for some chunks of rows, and not for all.
const CUT_AFTER_BYTES: usize = 400_000;
