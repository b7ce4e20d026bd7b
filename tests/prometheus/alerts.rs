//! Seen from outside: what goes wrong wakes the right people, and lets them sleep again when it is mended.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::prometheus::{Prometheus, Watched};
use crate::harness::redis::RedisServer;
use crate::harness::{Process, event, is_soon, question, time_until, with};

/// What is to fire when the ledger goes away.
const OF_THE_LEDGER: [&str; 4] = ["LedgerBlind", "BlindDecisions", "JournalGrowing", "RequestsFailing"];

/// Two governors on one Redis, watched and used.
struct Company {
    governors: Vec<Process>,
    prometheus: Prometheus,
    turn: u32,
}

impl Company {
    fn start(redis: &RedisServer) -> Self {
        let governors: Vec<_> = (0..2).map(|_| Process::start(&["--ledger", &redis.url()])).collect();
        let plain = governors.iter().map(|governor| governor.caller.address()).collect();
        let prometheus = Prometheus::watching(&Watched { plain, behind_tls: None });
        Self { governors, prometheus, turn: 0 }
    }

    /// Somebody asks and tells both.
    fn go_on(&mut self) {
        self.turn += 1;
        for governor in &self.governors {
            let turn = self.turn;
            let customer = format!("c-{}-{turn}", governor.pid());
            let service = json!({"contact_id": customer.clone(), "purpose": "service"});
            assert_eq!(governor.caller.ask(&with(question(&customer, "email"), &service)).verdict(), "allow");
            let told =
                event(&format!("e-{customer}"), "contact.sent", &customer, &json!({"contact_id": customer}));
            let told = governor.caller.tell(&told).status;
            assert!([202, 503].contains(&told), "{told}");
        }
    }

    /// Those of these alerts that fire, each once for each instance that it names.
    fn firing(&self, alerts: &[&str]) -> Vec<String> {
        let firing =
            self.prometheus.firing().into_iter().map(|(name, _)| name.replace("ContactGovernor", ""));
        firing.filter(|name| alerts.contains(&&**name)).collect()
    }
}

#[test]
fn when_redis_is_killed_the_right_alerts_fire_and_clear_after_it_is_back() {
    let mut redis = RedisServer::start(&[]);
    let mut company = Company::start(&redis);
    time_until(|| company.prometheus.values("sum(up{job=\"$job\"})") == [2.0]);
    time_until(|| {
        company.go_on();
        company.prometheus.values("job:contact_governor_decisions:rate5m > 0").len() == 1
    });
    assert!(company.firing(&OF_THE_LEDGER).is_empty());

    redis.kill();
    let all: BTreeSet<String> = OF_THE_LEDGER.iter().map(|name| (*name).to_owned()).collect();
    let mut fired = Vec::new();
    let woken = is_soon(|| {
        company.go_on();
        fired = company.firing(&OF_THE_LEDGER);
        fired.iter().cloned().collect::<BTreeSet<_>>() == all
    });
    assert!(woken, "only these fire: {fired:?}");
    // Both instances are blind.
    assert_eq!(fired.iter().filter(|name| *name == "LedgerBlind").count(), 2);

    let _redis = redis.restart();
    let cleared = is_soon(|| {
        company.go_on();
        fired = company.firing(&OF_THE_LEDGER);
        fired.is_empty()
    });
    assert!(cleared, "these go on firing: {fired:?}");
}

#[test]
fn an_instance_that_is_gone_is_missed() {
    let redis = RedisServer::start(&[]);
    let mut company = Company::start(&redis);
    time_until(|| company.prometheus.values("sum(up{job=\"$job\"})") == [2.0]);
    let address = company.governors[0].caller.address().to_string();
    company.governors[0].kill();
    time_until(|| company.prometheus.firing().contains(&("ContactGovernorDown".to_owned(), address.clone())));
}

/// A policy; `limit` is what one may write wrongly.
fn policy(limit: &str) -> String {
    format!(
        "version = \"mine\"\nextends = [\"courtesy\"]\ntime_zone = \"UTC\"\n\n\
         [[caps]]\nid = \"few\"\nlimit = {limit}\nwindow = \"rolling 7d\"\n"
    )
}

#[test]
fn a_policy_with_a_mistake_changes_nothing_and_wakes_somebody_until_it_is_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    let write = |limit: &str| std::fs::write(&file, policy(limit)).expect("written");
    write("9");
    let mut governor = Process::start(&["--ledger", "memory:", "--policy", file.to_str().expect("a path")]);
    let plain = vec![governor.caller.address()];
    let prometheus = Prometheus::watching(&Watched { plain, behind_tls: None });
    time_until(|| prometheus.values("sum(up{job=\"$job\"})") == [1.0]);
    let hash = || governor.caller.get("/v1/policy").body["hash"].clone();
    let before = hash();

    write("nine");
    let refused = || prometheus.firing().iter().any(|(name, _)| name == "ContactGovernorReloadFailed");
    time_until(refused);
    assert_eq!(hash(), before);
    write("8");
    time_until(|| !refused());
    assert_ne!(hash(), before);

    let (_, log) = governor.terminate();
    assert!(log.contains("the policy file has a mistake"), "{log}");
    assert!(log.contains("policy.toml:7:"), "it does not say where: {log}");
}
