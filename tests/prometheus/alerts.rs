//! Seen from outside: what goes wrong wakes the right people, and lets them sleep again when it is mended.

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

    /// How often an alert fires: once for each instance, if it is about one.
    fn firing(&self, alert: &str) -> usize {
        let name = format!("ContactGovernor{alert}");
        self.prometheus.firing().iter().filter(|(firing, _)| *firing == name).count()
    }

    fn go_on_until(&mut self, alert: &str, holds: impl Fn(usize) -> bool) {
        let came = is_soon(|| {
            self.go_on();
            holds(self.firing(alert))
        });
        assert!(came, "{alert}: {} fire; all that do: {:?}", self.firing(alert), self.prometheus.firing());
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
    for alert in OF_THE_LEDGER {
        assert_eq!(company.firing(alert), 0, "{alert}");
    }

    redis.kill();
    for alert in OF_THE_LEDGER {
        // Both instances are blind; the others are about both together, or about whichever has a journal.
        let enough = if alert == "LedgerBlind" { 2 } else { 1 };
        company.go_on_until(alert, |firing| firing >= enough);
    }
    let _redis = redis.restart();
    for alert in OF_THE_LEDGER {
        company.go_on_until(alert, |firing| firing == 0);
    }
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
