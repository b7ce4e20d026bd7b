//! The dashboards are well made, and each query in them finds something in a governor that was really used.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::certificates::Authority;
use crate::harness::keys::Keys;
use crate::harness::prometheus::{BehindTls, Prometheus, Watched, deployed};
use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Process, event, is_soon, question, time_until, with};

use super::files::names_used;

/// As wide as Grafana's grid is.
const COLUMNS: u64 = 24;
/// So many queries between one turn of traffic and the next.
const AT_A_TIME: usize = 12;

fn dashboards() -> [(&'static str, Value); 2] {
    ["service", "customers-eyes"].map(|name| {
        let path = deployed().join("grafana/dashboards").join(format!("{name}.json"));
        let text = std::fs::read_to_string(path).expect("text");
        (name, serde_json::from_str(&text).expect("JSON"))
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[][..], Vec::as_slice)
}

/// What stands under a title and is no heading.
fn panels(dashboard: &Value) -> Vec<&Value> {
    list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row").collect()
}

#[test]
fn every_panel_has_its_own_place_and_says_what_it_shows() {
    for (name, dashboard) in dashboards() {
        let mut taken = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard["panels"]) {
            let title = format!("{name}: {}", panel["title"]);
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title} has another's id");
            let side =
                |side: &str| panel["gridPos"][side].as_u64().unwrap_or_else(|| panic!("{title}: no {side}"));
            assert!(side("x") + side("w") <= COLUMNS, "{title} is beyond the edge");
            for x in side("x")..side("x") + side("w") {
                for y in side("y")..side("y") + side("h") {
                    assert!(taken.insert((x, y)), "{title} lies on another");
                }
            }
        }
        for panel in panels(&dashboard) {
            let title = format!("{name}: {}", panel["title"]);
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
            assert!(!list(&panel["targets"]).is_empty(), "{title} asks nothing");
            for target in list(&panel["targets"]) {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
                let legend = target["legendFormat"].as_str().expect("a legend");
                assert!(!legend.is_empty() || panel["type"] == "table", "{title} has nameless lines");
                let expr = target["expr"].as_str().expect("a query");
                assert!(expr.contains("job=\"$job\""), "{title} mixes jobs: {expr}");
            }
        }
    }
}

#[test]
fn both_dashboards_let_the_data_source_and_the_job_be_chosen() {
    for (name, dashboard) in dashboards() {
        // What Grafana 13 writes itself.
        assert_eq!(dashboard["schemaVersion"], 42, "{name}");
        assert!(dashboard["id"].is_null(), "{name}: an id belongs to one Grafana");
        let variables = list(&dashboard["templating"]["list"]);
        let of = |kind: &str| variables.iter().filter(|variable| variable["type"] == kind).count();
        assert!(of("datasource") == 1 && of("query") >= 1, "{name}");
    }
    let uids: BTreeSet<_> = dashboards().map(|(_, dashboard)| dashboard["uid"].to_string()).into();
    assert_eq!(uids.len(), 2);
}

/// A policy with a rule that is only tried, and tasks for people.
const POLICY: &str = r#"
version = "dashboards"
extends = ["courtesy"]
time_zone = "UTC"

[[caps]]
id = "none-at-all"
mode = "shadow"
limit = 0
window = "rolling 7d"
"#;

/// The policy that is only tried allows nothing.
const NEXT: &str = r#"
version = "next"
extends = ["courtesy"]
time_zone = "UTC"

[[caps]]
id = "none-at-all"
limit = 0
window = "rolling 7d"
"#;

/// Somebody who asks and tells all that there is to be counted, again and again.
struct Traffic<'c> {
    caller: &'c Caller,
    turn: u32,
}

impl Traffic<'_> {
    fn go_on(&mut self) {
        let turn = self.turn;
        self.turn += 1;
        let customer = format!("c-{turn}");
        let tags = json!({"contact_id": format!("m-{turn}"), "sender": "mailer", "campaign": "autumn"});
        let mail = with(question(&customer, "email"), &tags);
        let allowed = self.caller.ask(&mail);
        assert_eq!(allowed.verdict(), "allow", "{allowed:?}");
        let second = with(question(&customer, "email"), &json!({"sender": "mailer", "campaign": "autumn"}));
        assert_eq!(self.caller.ask(&second).verdict(), "defer");
        // It claims what nobody declared, and no machine should say.
        let reply =
            json!({"delivery": "auto_reply", "sender": "desk", "content": {"body": "We care about you."}});
        let reply = with(question(&format!("d-{turn}"), "email"), &reply);
        assert_eq!(self.caller.ask(&reply).verdict(), "handoff");
        let told = [
            event(
                &format!("s-{turn}"),
                "contact.sent",
                &customer,
                &json!({"contact_id": format!("m-{turn}")}),
            ),
            event(&format!("u-{turn}"), "customer.unsubscribed", &customer, &json!({"channel": "sms"})),
            event(&format!("o-{turn}"), "customer.complained", &customer, &json!({"channel": "email"})),
        ];
        for told in told {
            assert_eq!(self.caller.tell(&told).status, 202);
        }
        // Every other one is answered.
        if turn.is_multiple_of(2) {
            let answered = event(&format!("r-{turn}"), "human.replied", &customer, &json!({}));
            assert_eq!(self.caller.tell(&answered).status, 202);
        }
        assert_eq!(self.caller.ask(&json!({"customer": customer})).status, 400);
    }
}

/// The ledger goes away for a while: some are allowed blind, and some calls fail.
fn go_blind(caller: &Caller, redis: RedisServer) -> RedisServer {
    let mut redis = redis;
    redis.kill();
    let blind = json!({"contact_id": "blind", "purpose": "service", "sender": "mailer"});
    time_until(|| caller.ask(&with(question("c-blind", "email"), &blind)).body["degraded"] == true);
    let told = event("e-blind", "customer.complained", "c-blind", &json!({}));
    assert_eq!(caller.tell(&told).status, 503);
    let redis = redis.restart();
    time_until(|| caller.get("/readyz").status == 200);
    redis
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("a path").to_owned()
}

/// A governor with TLS and keys, and what Prometheus must know to scrape it.
fn behind_tls(folder: &Path) -> (Process, BehindTls) {
    let authority = Authority::new();
    authority.issue(2099).write(folder);
    let mut keys = Keys::default();
    let key = keys.issue("prometheus", &[("scopes", "read")]);
    let path = |name: &str| folder.join(name).to_str().expect("a path").to_owned();
    keys.set("TLS__CERTIFICATE", &path("cert.pem"));
    keys.set("TLS__KEY", &path("key.pem"));
    let process = Process::start_with(&keys.settings(), &["--ledger", "memory:"]);
    let watched = BehindTls {
        address: process.caller.address(),
        authority_pem: authority.pem,
        key: key.expose().to_string(),
    };
    (process, watched)
}

#[test]
fn every_query_of_every_panel_finds_something_in_a_governor_that_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let redis = RedisServer::start(&[]);
    let (policy, next) = (write(folder.path(), "p.toml", POLICY), write(folder.path(), "next.toml", NEXT));
    let settings = [("FOLLOW_UPS__LOOK_EVERY", "100ms"), ("SHADOW__POLICY", &*next)];
    let governor = Process::start_with(&settings, &["--ledger", &redis.url(), "--policy", &policy]);
    let (_behind_tls, watched) = behind_tls(folder.path());
    let watched = Watched { plain: vec![governor.caller.address()], behind_tls: Some(watched) };
    let prometheus = Prometheus::watching(&watched);
    time_until(|| prometheus.values("sum(up{job=\"$job\"})") == [2.0]);

    let _redis = go_blind(&governor.caller, redis);
    let mut traffic = Traffic { caller: &governor.caller, turn: 0 };
    let mut queries = Vec::new();
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            for target in list(&panel["targets"]) {
                let expr = target["expr"].as_str().expect("a query").to_owned();
                queries.push((format!("{name}, {}", panel["title"]), expr));
            }
        }
    }
    assert!(queries.len() > 60, "only {} queries", queries.len());
    let answered = is_soon(|| {
        traffic.go_on();
        // Some at a time: rates need traffic that goes on, however slow the machine is.
        let asked = queries.len().min(AT_A_TIME);
        queries.rotate_left(asked);
        let rest = queries.len() - asked;
        let again: Vec<_> =
            queries.drain(rest..).filter(|(_, expr)| prometheus.values(expr).is_empty()).collect();
        queries.extend(again);
        queries.is_empty()
    });
    assert!(answered, "these find nothing: {queries:#?}");
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }

    let metrics = governor.caller.get("/metrics");
    let metrics = metrics.body.as_str().expect("text");
    passes_promtool(metrics);
    all_are_there(metrics);
}

/// `promtool check metrics` finds nothing to mend.
fn passes_promtool(metrics: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut input = promtool.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, metrics.as_bytes()).expect("it reads");
    drop(input);
    let output = promtool.wait_with_output().expect("its end");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Whatever rules, dashboards and runbooks name is really on `/metrics`; certificates need TLS, and are elsewhere.
fn all_are_there(metrics: &str) {
    let there: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_whitespace().next()).collect();
    let of_tls = ["contact_governor_certificate_expiry_timestamp_seconds", "contact_governor_key_uses_total"];
    for name in names_used().0 {
        let whole =
            ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let known = there.contains(&*name) || there.contains(whole) || of_tls.contains(&&*name);
        assert!(known, "{name} is not on /metrics");
    }
}
