//! What an ask costs Redis, counted by Redis.

use serde_json::json;

use crate::harness::batch::batch;
use crate::harness::redis::RedisServer;
use crate::harness::{Process, question, with};

fn refused(asked: &serde_json::Value) -> serde_json::Value {
    with(asked.clone(), &json!({"content": {"claims": ["value"]}, "facts": {"purchases": 1}}))
}

/// What a load and a commit call, as clients see it.
fn round_trips(server: &RedisServer) -> (u64, u64, u64) {
    (server.calls("mget"), server.calls("evalsha"), server.calls("eval"))
}

#[test]
fn a_refusal_costs_one_round_trip_and_an_allow_two() {
    let server = RedisServer::start(&[]);
    // What timelines show is noted beside the answers, not for them.
    let governor = Process::start_with(&[("TIMELINE__REFUSALS", "false")], &["--ledger", &server.url()]);
    assert_eq!(governor.caller.ask(&question("warm-up", "email")).verdict(), "allow");

    let before = round_trips(&server);
    for number in 0..50 {
        let answer = governor.caller.ask(&question(&format!("c-{number}"), "email"));
        assert_eq!((answer.verdict(), &answer.body["degraded"]), ("allow", &json!(false)));
    }
    let allowed = round_trips(&server);
    assert_eq!((allowed.0 - before.0, allowed.1 - before.1, allowed.2 - before.2), (50, 50, 0));

    for number in 0..50 {
        let answer = governor.caller.ask(&refused(&question(&format!("c-{number}"), "email")));
        assert_ne!(answer.verdict(), "allow", "{answer:?}");
    }
    let judged = round_trips(&server);
    assert_eq!((judged.0 - allowed.0, judged.1 - allowed.1, judged.2 - allowed.2), (50, 0, 0));
}

/// One row of calls for as many as are judged together, and none for a customer alone.
#[test]
fn a_batch_shares_its_round_trips() {
    let server = RedisServer::start(&[]);
    let governor = Process::start_with(&[("TIMELINE__REFUSALS", "false")], &["--ledger", &server.url()]);
    governor.caller.ask(&question("warm-up", "email"));
    let before = round_trips(&server);
    let lines = (0..1_000)
        .map(|n| question(&format!("c-{n}"), "email"))
        .fold(String::new(), |lines, asked| lines + &asked.to_string() + "\n");
    let answers = batch(&governor.caller, "", lines.as_bytes());
    assert_eq!(answers.iter().filter(|answer| answer["verdict"] == "allow").count(), 1_000);
    let after = round_trips(&server);
    let (loads, commits) = (after.0 - before.0, after.1 - before.1);
    assert!(loads <= 200 && commits <= 200, "{loads} loads and {commits} commits of 1,000 customers");
    assert_eq!(after.2, before.2);
}

#[test]
fn a_script_that_the_server_forgot_is_sent_again() {
    let server = RedisServer::start(&[]);
    let governor = Process::start(&["--ledger", &server.url()]);
    for round in 0..3 {
        let answer = governor.caller.ask(&question(&format!("c-{round}"), "email"));
        assert_eq!((answer.verdict(), &answer.body["degraded"]), ("allow", &json!(false)));
        server.command::<String>(&["SCRIPT", "FLUSH"]);
    }
    assert_eq!(server.calls("eval"), 2);
}

#[test]
fn a_customer_with_ten_contacts_fits_in_600_bytes() {
    let server = RedisServer::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.toml");
    let cap = "time_zone = \"UTC\"\n[[caps]]\nid = \"many\"\nlimit = 1000\nwindow = \"rolling 7d\"\n";
    std::fs::write(&policy, cap).expect("a policy");
    let governor = Process::start(&["--ledger", &server.url(), "--policy", policy.to_str().expect("a path")]);
    let tags = json!({"campaign": "autumn-wellness", "category": "wellness", "brand": "north", "sender": "mailer-2"});
    for number in 0..10 {
        let channel = ["email", "sms", "voice", "mail"][number % 4];
        let answer = governor.caller.ask(&with(question("customer-10234", channel), &tags));
        assert_eq!(answer.verdict(), "allow", "{answer:?}");
    }
    let bytes: u64 = server.command(&["MEMORY", "USAGE", "cg:c:customer-10234"]);
    assert!(bytes <= 600, "{bytes} bytes");
}

#[test]
fn keys_expire_only_where_nothing_of_lasting_meaning_is_kept() {
    let server = RedisServer::start(&[]);
    let governor = Process::start(&["--ledger", &server.url()]);
    let expiry_of = |customer: &str| server.command::<i64>(&["PTTL", &format!("cg:c:{customer}")]);

    governor.caller.ask(&question("passing", "email"));
    let days = expiry_of("passing") / 86_400_000;
    assert!((400..500).contains(&days), "{days} days");

    assert_eq!(
        governor.caller.put("/v1/customers/passing/wishes", &json!({"channels": ["email"]})).status,
        204
    );
    assert_eq!(expiry_of("passing"), -1, "what somebody has wished for is kept for ever");
}
