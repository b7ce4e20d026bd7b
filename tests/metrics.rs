//! What operators watch: every name explained, every set of labels bounded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::harness::batch::batch;
use crate::harness::raw::connect;
use crate::harness::{Governor, event, question, with};

const POLICY: &str = r#"
time_zone = "UTC"

[[caps]]
id = "few"
limit = 3
window = "rolling 7d"

[[requirements]]
id = "care"
claims = ["care"]
requires = "delivery == 'human'"
verdict = "handoff"
"#;

/// The metrics page, by series.
fn series(governor: &Governor) -> BTreeMap<String, u64> {
    let text = governor.caller.get("/metrics").body;
    let lines = text.as_str().expect("text").lines().filter(|line| !line.starts_with('#'));
    // Fractions are of no interest here.
    lines
        .map(|line| line.rsplit_once(' ').expect("a value"))
        .map(|(name, value)| (name.to_owned(), value.parse::<f64>().expect("a number") as u64))
        .collect()
}

fn of(series: &BTreeMap<String, u64>, name: &str) -> u64 {
    series.get(&format!("contact_governor_{name}")).copied().unwrap_or_default()
}

#[test]
fn answers_are_counted_by_what_was_asked_and_which_rule_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, POLICY).expect("a file");
    let governor = Governor::start_with(&[("POLICY__FILE", &policy.display().to_string())]);
    let marketing = with(question("c-1", "email"), &json!({"sender": "shop", "campaign": "autumn"}));
    for _ in 0..4 {
        governor.caller.ask(&marketing);
    }
    let voice = json!({"channel": "voice", "purpose": "relationship", "delivery": "synthetic_voice",
        "content": {"body": "We care about you."}});
    assert_eq!(governor.caller.ask(&with(question("c-2", "voice"), &voice)).verdict(), "handoff");
    let lines = marketing.to_string().replace("c-1", "c-3") + "\n" + &marketing.to_string() + "\n";
    batch(&governor.caller, "", lines.as_bytes());
    batch(&governor.caller, "?dry_run=true", lines.as_bytes());
    let seen = series(&governor);
    let shop = |verdict| {
        let labels = format!("channel=\"email\",purpose=\"marketing\",sender=\"shop\",verdict=\"{verdict}\"");
        of(&seen, &format!("decisions_total{{{labels}}}"))
    };
    assert_eq!((shop("allow"), shop("defer")), (4, 2), "four single asks and two of a batch; no dry run");
    let refused = "rule_refusals_total{kind=\"cap\",mode=\"enforce\",rule=\"few\",verdict=\"defer\"}";
    assert_eq!(of(&seen, refused), 2);
    assert_eq!(of(&seen, "campaign_decisions_total{campaign=\"autumn\",verdict=\"allow\"}"), 4);
    assert_eq!(of(&seen, "undeclared_claims_total{claim=\"care\"}"), 1);
    // The customer of the batch has one contact in the week; the other had one, two and three.
    assert_eq!(of(&seen, "customer_week_contacts_bucket{le=\"1\"}"), 2);
    assert_eq!(of(&seen, "customer_week_contacts_bucket{le=\"3\"}"), 4);
    assert_eq!(of(&seen, "ask_duration_seconds_count"), 5);
    let posted = "http_requests_total{method=\"POST\",path=\"/v1/preflight\",status=\"200\"}";
    assert_eq!(of(&seen, posted), 5);
    assert!(of(&seen, "ledger_operation_duration_seconds_count{operation=\"load\"}") >= 5);
    assert!(of(&seen, "ledger_operation_duration_seconds_count{operation=\"commit_many\"}") >= 1);
    assert_eq!(of(&seen, "ledger_up"), 1);
}

#[test]
fn events_are_counted_by_the_sender_of_the_contact_they_are_about() {
    let governor = Governor::start();
    let asked = with(question("c-1", "email"), &json!({"contact_id": "m-1", "sender": "shop"}));
    governor.caller.ask(&asked);
    governor.caller.tell(&json!([
        event("1", "contact.sent", "c-1", &json!({"contact_id": "m-1"})),
        event("2", "contact.sent", "c-1", &json!({"channel": "sms", "sender": "gateway"})),
        event("3", "customer.thanked", "c-1", &json!({})),
        event("4", "x.visited", "c-1", &json!({})),
    ]));
    let seen = series(&governor);
    for (kind, sender) in
        [("contact.sent", "shop"), ("contact.sent", "gateway"), ("customer.thanked", ""), ("x", "")]
    {
        let labels = format!("sender=\"{sender}\",type=\"{kind}\"");
        assert_eq!(of(&seen, &format!("events_total{{{labels}}}")), 1, "{labels}");
    }
}

#[test]
fn whatever_callers_make_up_the_labels_stay_few() {
    let governor = Governor::start();
    let lines: String = (0..400)
        .map(|n| {
            let tags = json!({"sender": format!("sender-{n}"), "campaign": format!("campaign-{n}")});
            with(question(&format!("c-{n}"), "email"), &tags).to_string() + "\n"
        })
        .collect();
    batch(&governor.caller, "", lines.as_bytes());
    let events: Vec<_> = (0..50)
        .map(|n| event(&n.to_string(), &format!("x.kind-{n}"), "c-1", &json!({"sender": format!("s-{n}")})))
        .collect();
    governor.caller.tell(&json!(events));
    for n in 0..20 {
        governor.caller.get(&format!("/v1/customers/c-{n}"));
        governor.caller.get(&format!("/nowhere/{n}"));
        let address = governor.caller.address();
        connect(address).send(format!("METHOD{n} /livez HTTP/1.1\r\nhost: x\r\n\r\n")).answer();
    }
    let seen = series(&governor);
    let values = |metric: &str, label: &str| -> BTreeSet<String> {
        let of_metric = seen.keys().filter(|name| name.starts_with(&format!("contact_governor_{metric}{{")));
        let value =
            |name: &String| Some(name.split_once(&format!("{label}=\""))?.1.split_once('"')?.0.to_owned());
        of_metric.filter_map(value).collect()
    };
    assert_eq!(values("decisions_total", "sender").len(), 101, "a hundred, and `other`");
    assert_eq!(values("campaign_decisions_total", "campaign").len(), 201, "two hundred, and `other`");
    assert_eq!(values("events_total", "type"), BTreeSet::from(["x".to_owned()]));
    assert!(values("events_total", "sender").is_subset(&BTreeSet::from(["other".to_owned(), String::new()])));
    let paths = values("http_requests_total", "path");
    assert!(paths.contains("/v1/customers/{customer}") && paths.contains("other"), "{paths:?}");
    assert!(paths.iter().all(|path| !path.contains("c-1") && !path.contains("nowhere")), "{paths:?}");
    assert_eq!(
        values("http_requests_total", "method"),
        BTreeSet::from(["GET", "POST", "other"].map(str::to_owned))
    );
}

#[test]
fn every_metric_is_on_the_page_about_them_and_the_other_way_round() {
    let governor = Governor::start();
    governor.caller.ask(&with(question("c-1", "email"), &json!({"campaign": "autumn"})));
    let text = governor.caller.get("/metrics").body;
    let shown: BTreeSet<&str> = text
        .as_str()
        .expect("text")
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE contact_governor_")?.split(' ').next())
        .collect();
    let page = include_str!("../docs/metrics.md");
    let told: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next())
        .filter(|name| !name.starts_with("process_"))
        .collect();
    let untold: Vec<_> = shown.difference(&told).collect();
    assert!(untold.is_empty(), "not on the page: {untold:?}");
    // Those with labels show themselves once there is something to count.
    let source = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics")).expect("a folder");
    let source: String = source
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"))
        .chain([
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics.rs")).expect("text")
        ])
        .collect();
    let unknown: Vec<_> = told
        .iter()
        .filter(|name| {
            !source.contains(&format!("\"{name}\""))
                && !source.contains(&format!("\"contact_governor_{name}\""))
        })
        .collect();
    assert!(unknown.is_empty(), "on the page, and nowhere else: {unknown:?}");
}
