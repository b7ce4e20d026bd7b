//! Several instances on one Redis are one governor.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::harness::redis::{RedisCluster, RedisServer};
use crate::harness::{Caller, Process, question, time_until, with};

/// Asks at once for one customer through each instance; how many were allowed.
fn race(instances: &[&Caller], askers_each: usize, customer: &str) -> usize {
    let start = Arc::new(std::sync::Barrier::new(instances.len() * askers_each));
    let askers: Vec<_> = instances
        .iter()
        .flat_map(|caller| (0..askers_each).map(|_| (*caller).clone()))
        .map(|caller| {
            let (start, asked) = (Arc::clone(&start), question(customer, "email"));
            std::thread::spawn(move || {
                start.wait();
                let answer = caller.ask(&asked);
                assert_eq!(answer.body["degraded"], json!(false), "{answer:?}");
                usize::from(answer.verdict() == "allow")
            })
        })
        .collect();
    askers.into_iter().map(|asker| asker.join().expect("an asker")).sum()
}

fn policy_with_cap(folder: &std::path::Path, limit: usize) -> String {
    let policy = folder.join("policy.toml");
    let text =
        format!("time_zone = \"UTC\"\n[[caps]]\nid = \"k\"\nlimit = {limit}\nwindow = \"rolling 7d\"\n");
    std::fs::write(&policy, text).expect("a policy");
    policy.to_str().expect("a path").to_owned()
}

fn a_cap_holds_on(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    for (limit, customer) in [(3, "three"), (40, "forty")] {
        let policy = policy_with_cap(folder.path(), limit);
        let settings = [("REDIS__KEY_PREFIX", "race:")];
        let one = Process::start_with(&settings, &["--ledger", url, "--policy", &policy]);
        let two = Process::start_with(&settings, &["--ledger", url, "--policy", &policy]);
        assert_eq!(race(&[&one.caller, &two.caller], 64, customer), limit);
        let used = two.caller.ask(&question(customer, "email")).body["budgets"][0]["used"].clone();
        assert_eq!(used, json!(limit));
    }
}

#[test]
fn two_instances_never_pass_a_cap_together() {
    a_cap_holds_on(&RedisServer::shared().url());
}

#[test]
fn two_instances_never_pass_a_cap_together_on_a_cluster() {
    a_cap_holds_on(&RedisCluster::shared().url());
}

/// How soon a halt must be in force on every instance.
const A_SECOND: Duration = Duration::from_secs(1);

fn is_halted(caller: &Caller, campaign: &str) -> bool {
    let asked = with(question(&format!("c-{campaign}"), "email"), &json!({"campaign": campaign}));
    let explained = caller.explain(&asked);
    explained.body["rules"]
        .as_array()
        .is_some_and(|rules| rules.iter().any(|rule| rule["rule"] == "halt" && rule["verdict"] == "deny"))
        || explained.body["verdict"] == "deny"
}

fn a_halt_reaches_every_instance_on(url: &str, prefix: &str) {
    let settings = [("REDIS__KEY_PREFIX", prefix)];
    let instances: Vec<_> = (0..2).map(|_| Process::start_with(&settings, &["--ledger", url])).collect();
    let (near, far) = (&instances[0].caller, &instances[1].caller);
    assert!(!is_halted(far, "autumn"));
    assert_eq!(near.put("/v1/campaigns/autumn/halt", &json!(null)).status, 204);
    assert!(is_halted(near, "autumn"));
    let took = time_until(|| is_halted(far, "autumn"));
    assert!(took <= A_SECOND, "{took:?}");
    assert_eq!(near.send("DELETE", "/v1/campaigns/autumn/halt", b"").status, 204);
    let took = time_until(|| !is_halted(far, "autumn"));
    assert!(took <= A_SECOND, "{took:?}");
}

#[test]
fn a_halt_is_in_force_everywhere_within_a_second() {
    a_halt_reaches_every_instance_on(&RedisServer::shared().url(), "halt:");
}

#[test]
fn a_halt_is_in_force_everywhere_within_a_second_on_a_cluster() {
    a_halt_reaches_every_instance_on(&RedisCluster::shared().url(), "halt:");
}

#[test]
fn a_halt_is_found_even_where_nothing_is_published() {
    let server = RedisServer::start(&[]);
    let governor = Process::start(&["--ledger", &server.url()]);
    assert!(!is_halted(&governor.caller, "autumn"));
    server.command::<i64>(&["HSET", "cg:halts", "autumn", "1800000000000"]);
    let took = time_until(|| is_halted(&governor.caller, "autumn"));
    assert!(took <= A_SECOND, "{took:?}");
}

#[test]
fn an_event_told_through_two_instances_counts_once() {
    let url = RedisServer::shared().url();
    let settings = [("REDIS__KEY_PREFIX", "told:")];
    let instances: Vec<_> = (0..2).map(|_| Process::start_with(&settings, &["--ledger", &url])).collect();
    let sent = crate::harness::event(
        "e-1",
        "contact.sent",
        "c",
        &json!({"channel": "email", "purpose": "marketing", "contact_id": "m-1"}),
    );
    for instance in instances.iter().chain(&instances) {
        assert_eq!(instance.caller.tell(&sent).status, 202);
    }
    let answer = instances[1].caller.ask(&question("c", "email"));
    let budget = &answer.body["budgets"][0];
    assert_eq!((answer.verdict(), &budget["used"]), ("defer", &json!(1)), "one was sent today: {answer:?}");
}
