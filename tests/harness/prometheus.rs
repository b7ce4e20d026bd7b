//! A real Prometheus with the scrape config and the rules that ship, gone when the test is.
//!
//! Its time is an hour in a minute: every duration in those files (intervals, `for`, ranges, offsets) is divided by
//! [`HURRY`], but it looks only twice a second; nothing else about them is changed. Thresholds in seconds stay what they are.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use regex::{Captures, Regex};
use serde_json::Value;
use tempfile::TempDir;

/// So many times faster than in life.
const HURRY: u64 = 60;

/// Ends the server when the other end of its standard input is closed, by whatever end the test comes to. The shell lets
/// go of the server's log, so that it ends with the server.
const UNTIL_INPUT_ENDS: &str = "\"$@\" & server=$!; exec 2>&-; cat >/dev/null; kill -9 $server";

/// What Grafana puts in place of its variables, for a dashboard that shows a minute.
const VARIABLES: [(&str, &str); 4] =
    [("$__rate_interval", "15s"), ("$__range", "60s"), ("$job", "contact-governor"), ("$instance", ".*")];

/// The folder that ships.
pub fn deployed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

/// A text with every duration in it hurried.
fn hurried(text: &str) -> String {
    let duration = Regex::new(r"\b(\d+)(s|m|h|d|w)\b").expect("an expression");
    let shorter = |found: &Captures<'_>| {
        let count: u64 = found[1].parse().expect("a number");
        let unit_ms = match &found[2] {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 604_800_000,
        };
        format!("{}ms", (count * unit_ms / HURRY).max(1))
    };
    duration.replace_all(text, shorter).into_owned()
}

/// Whom it watches.
#[derive(Default)]
pub struct Watched {
    pub plain: Vec<SocketAddr>,
    pub behind_tls: Option<BehindTls>,
}

/// A governor with TLS and keys; the commented lines of the scrape config are for such.
pub struct BehindTls {
    pub address: SocketAddr,
    pub authority_pem: String,
    pub key: String,
}

pub struct Prometheus {
    agent: ureq::Agent,
    url: String,
    guard: Child,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it and waits until it answers.
    pub fn watching(watched: &Watched) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        lay_out(folder.path(), watched);
        let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
        let mut guard = Command::new("sh")
            .args(["-c", UNTIL_INPUT_ENDS, "sh", "prometheus", "--web.listen-address=127.0.0.1:0"])
            .arg(format!("--config.file={}", path("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", path("data")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut log = BufReader::new(guard.stderr.take().expect("a pipe"));
        let (mut said, mut url) = (String::new(), None);
        loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).expect("text"), 0, "Prometheus does not start: {said}");
            said.push_str(&line);
            if line.contains("Listening on") {
                let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next());
                url = address.map(|address| format!("http://{address}"));
            }
            if line.contains("ready to receive web requests") {
                break;
            }
        }
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { agent, url: url.expect("it says where"), guard, _folder: folder }
    }

    fn get(&self, path: &str, query: &str) -> Value {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if !query.is_empty() {
            request = request.query("query", query);
        }
        let mut answer = request.call().expect("Prometheus answers");
        let answer: Value = answer.body_mut().read_json().expect("JSON");
        assert_eq!(answer["status"], "success", "{path} {query}: {answer}");
        answer["data"].clone()
    }

    /// The values of a query, with Grafana's variables in it, now; those that are no number are left out.
    pub fn values(&self, query: &str) -> Vec<f64> {
        let filled =
            VARIABLES.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value));
        let found = self.get("/api/v1/query", &filled);
        let samples = found["result"].as_array().unwrap_or_else(|| panic!("no vector: {found}"));
        let numbers = samples.iter().map(|sample| {
            sample["value"][1].as_str().and_then(|text| text.parse::<f64>().ok()).expect("a number")
        });
        numbers.filter(|number| !number.is_nan()).collect()
    }

    /// Every rule, as it stands.
    pub fn rules(&self) -> Vec<Value> {
        let found = self.get("/api/v1/rules", "");
        let groups = found["groups"].as_array().expect("groups");
        groups.iter().flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
    }

    /// The alerts that fire, each with the instance it is about, if it is about one.
    pub fn firing(&self) -> Vec<(String, String)> {
        let found = self.get("/api/v1/alerts", "");
        let alerts = found["alerts"].as_array().expect("alerts");
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or("").to_owned();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| (label(alert, "alertname"), label(alert, "instance"))).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The folder that ships, hurried, with these as what it watches.
fn lay_out(folder: &Path, watched: &Watched) {
    let shipped = deployed().join("prometheus");
    let read = |path: &Path| std::fs::read_to_string(path).expect("text");
    let mut config = hurried(&read(&shipped.join("prometheus.yml")));
    // Looking less often leaves more of the machine to what is looked at; and one that is slow here, among other tests,
    // is not down yet.
    for interval in ["scrape_interval: 250ms", "evaluation_interval: 250ms", "scrape_timeout: 166ms"] {
        let name = interval.split(':').next().expect("a name");
        assert!(config.contains(interval), "another {name} ships than this thinks");
        config = config.replace(interval, &format!("{name}: 500ms"));
    }
    let mut targets: Vec<String> =
        watched.plain.iter().map(|address| format!("- targets: ['{address}']\n")).collect();
    if let Some(tls) = &watched.behind_tls {
        let (authority, key) = (folder.join("authority.pem"), folder.join("key"));
        std::fs::write(&authority, &tls.authority_pem).expect("written");
        std::fs::write(&key, &tls.key).expect("written");
        config = config
            .replace("# authorization:", "authorization:")
            .replace(
                "#   credentials_file: /etc/prometheus/contact-governor.key",
                &format!("  credentials_file: {}", key.display()),
            )
            .replace("# tls_config:", "tls_config:")
            .replace(
                "#   ca_file: /etc/prometheus/contact-governor-authority.pem",
                &format!("  ca_file: {}", authority.display()),
            );
        targets.push(format!("- targets: ['{}']\n  labels: {{__scheme__: https}}\n", tls.address));
    }
    std::fs::write(folder.join("prometheus.yml"), config).expect("written");
    std::fs::write(folder.join("targets.yml"), targets.concat()).expect("written");
    std::fs::create_dir(folder.join("rules")).expect("a folder");
    for rules in ["recording.yml", "alerts.yml"] {
        let text = hurried(&read(&shipped.join("rules").join(rules)));
        std::fs::write(folder.join("rules").join(rules), text).expect("written");
    }
}
