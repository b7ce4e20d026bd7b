//! The files under `deploy/` are sound, and say what `docs/runbooks` explains.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use crate::harness::prometheus::{Prometheus, Watched, deployed};
use crate::harness::time_until;

const HEADINGS: [&str; 4] = ["What it means", "What customers feel", "What to look at", "What to do"];

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref())
        .unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(deployed().join("prometheus").join(folder)).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yml"));
    files.sort();
    files
}

fn runbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks")
}

fn promtool(words: &[&str], files: &[PathBuf]) {
    let output = Command::new("promtool").args(words).args(files).output().expect("promtool runs");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_takes_the_scrape_config_and_the_rules() {
    promtool(&["check", "config"], &[deployed().join("prometheus/prometheus.yml")]);
    promtool(&["check", "rules"], &yaml_files("rules"));
}

#[test]
fn every_alert_fires_when_it_should_and_not_otherwise() {
    promtool(&["test", "rules"], &yaml_files("tests"));
}

#[test]
fn every_alert_is_tried_both_ways_and_has_its_page() {
    let prometheus = Prometheus::watching(&Watched::default());
    let cases: String = yaml_files("tests").iter().map(text).collect();
    let mut pages = BTreeSet::new();
    for rule in prometheus.rules().iter().filter(|rule| rule["type"] == "alerting") {
        let name = rule["name"].as_str().expect("a name");
        assert!(
            ["critical", "warning"].iter().any(|severity| rule["labels"]["severity"] == *severity),
            "{rule}"
        );
        for annotation in ["summary", "description"] {
            let said = rule["annotations"][annotation].as_str().unwrap_or("");
            assert!(said.ends_with('.'), "{name}: its {annotation} is `{said}`");
        }
        let url = rule["annotations"]["runbook_url"].as_str().unwrap_or("");
        let page = url.rsplit('/').next().expect("a page").to_owned();
        let written = text(runbooks().join(&page));
        assert!(written.starts_with(&format!("# {name}\n")), "{page} is not about {name}");
        for heading in HEADINGS {
            assert!(written.contains(&format!("\n## {heading}\n")), "{page} does not say: {heading}");
        }
        pages.insert(page);

        let tried: Vec<_> = cases.split(&format!("alertname: {name}\n")).skip(1).collect();
        let quiet = tried.iter().filter(|case| case.trim_start().starts_with("exp_alerts: []")).count();
        assert!(0 < quiet && quiet < tried.len(), "{name} is silent in {quiet} of its {} cases", tried.len());
    }
    let written = std::fs::read_dir(runbooks()).expect("a folder");
    let written: BTreeSet<_> = written
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(written, pages, "pages without an alert");
    let index = text(runbooks().join("README.md"));
    for page in pages {
        assert!(index.contains(&format!("]({page})")), "the index lacks {page}");
    }
}

#[test]
fn every_rule_is_worked_out_without_error() {
    let prometheus = Prometheus::watching(&Watched::default());
    time_until(|| prometheus.rules().iter().all(|rule| rule["health"] != "unknown"));
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

/// The names of metrics used in these texts, and those of recorded series.
pub fn names_used() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut texts = String::new();
    let grafana = deployed().join("grafana/dashboards");
    let dashboards = ["service.json", "customers-eyes.json"].map(|name| grafana.join(name));
    let pages = std::fs::read_dir(runbooks()).expect("a folder").map(|entry| entry.expect("an entry").path());
    for file in yaml_files("rules").into_iter().chain(yaml_files("tests")).chain(dashboards).chain(pages) {
        texts.push_str(&text(file));
        texts.push('\n');
    }
    let name = Regex::new(r"[a-z_]*:?\b(?:contact_governor|process)_[a-z0-9_]+(?::[a-z0-9_]+)?")
        .expect("an expression");
    let names = name.find_iter(&texts).map(|found| found.as_str().to_owned());
    let (recorded, measured): (BTreeSet<_>, BTreeSet<_>) = names.partition(|name| name.contains(':'));
    (measured, recorded)
}

#[test]
fn what_dashboards_and_pages_call_by_a_recorded_name_is_recorded() {
    let rules = text(deployed().join("prometheus/rules/recording.yml"));
    for name in names_used().1 {
        assert!(rules.contains(&format!("- record: {name}\n")), "nothing records {name}");
    }
}
