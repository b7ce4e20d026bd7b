//! A governor a test can start, on a clock a test can set, spoken to in verbs.

pub mod batch;
pub mod browser;
pub mod certificates;
pub mod contract;
pub mod gateway;
pub mod keys;
pub mod prometheus;
pub mod proxy;
pub mod raw;
pub mod receiver;
pub mod redis;
pub mod spellings;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use contact_governor::api_key::ApiKey;
use contact_governor::app::App;
use contact_governor::clock::Clock;
use contact_governor::domain::moment::Moment;
use contact_governor::domain::record::Record;
use contact_governor::ledger::{Commit, DueNote, Keep, Revision};
use contact_governor::settings::{Flags, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A record to be kept for ever, of somebody who is owed nothing new.
pub fn commit(customer: &str, revision: Revision, record: Arc<Record>) -> Commit {
    Commit { customer: customer.into(), revision, record, keep: Keep::Forever, due: DueNote::Unchanged }
}

pub fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap_or_else(|| panic!("{text} is no moment"))
}

/// A question with nothing but what is required, to be added to.
pub fn question(customer: &str, channel: &str) -> Value {
    json!({"customer": customer, "channel": channel, "purpose": "marketing", "delivery": "template"})
}

/// The same with more members.
pub fn with(mut value: Value, members: &Value) -> Value {
    if let (Some(value), Some(members)) = (value.as_object_mut(), members.as_object()) {
        value.extend(members.clone());
    }
    value
}

/// How long something takes; a promise about time cannot be tested without a clock.
#[expect(clippy::disallowed_methods, reason = "the promise is one of time")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let outcome = work();
    (outcome, start.elapsed())
}

/// Whether something comes to hold within two minutes: a machine may have much else to do.
pub fn is_soon(holds: impl FnMut() -> bool) -> bool {
    time_until_or_never(holds).is_some()
}

/// How long it takes until something holds; at most two minutes.
pub fn time_until(holds: impl FnMut() -> bool) -> Duration {
    time_until_or_never(holds).expect("it never came to that")
}

#[expect(clippy::disallowed_methods, reason = "the promise is one of time")]
fn time_until_or_never(mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() >= Duration::from_mins(2) {
            return None;
        }
    }
    Some(start.elapsed())
}

/// An answer from over the wire.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: String,
    pub headers: ureq::http::HeaderMap,
    pub body: Value,
}

impl Response {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub fn verdict(&self) -> &str {
        self.body["verdict"].as_str().unwrap_or_else(|| panic!("no verdict in {self:?}"))
    }

    /// The pointers of a problem's bad fields.
    pub fn pointers(&self) -> Vec<&str> {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let errors = self.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// Somebody who speaks HTTP to a governor.
#[derive(Clone, Debug)]
pub struct Caller {
    agent: ureq::Agent,
    address: SocketAddr,
    /// What stands in `Authorization`, if anything does.
    authorization: Option<String>,
}

impl Caller {
    pub fn new(address: SocketAddr) -> Self {
        let settings = ureq::Agent::config_builder().http_status_as_error(false);
        // A redirection is an answer as any other.
        let agent = settings.max_redirects(0).max_redirects_will_error(false).build().new_agent();
        Self { agent, address, authorization: None }
    }

    /// The same, showing something of who they are.
    pub fn showing(&self, authorization: &str) -> Self {
        Self { authorization: Some(authorization.to_owned()), ..self.clone() }
    }

    /// The same, with a key.
    pub fn with_key(&self, key: &ApiKey) -> Self {
        self.showing(&format!("Bearer {}", key.expose()))
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Response {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn try_send(&self, method: &str, path: &str, body: &[u8]) -> Result<Response, ureq::Error> {
        self.try_send_as("application/json", method, path, body)
    }

    pub fn try_send_as(
        &self,
        content_type: &str,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Response, ureq::Error> {
        self.try_send_with(method, path, &[("content-type", content_type)], body)
    }

    pub fn try_send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        sent: &[u8],
    ) -> Result<Response, ureq::Error> {
        let request =
            ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        let request = request.body(sent).expect("a request");
        let mut response = self.agent.run(request)?;
        let headers = response.headers().clone();
        let header = headers.get("content-type").and_then(|value| value.to_str().ok());
        let content_type = header.unwrap_or("").to_owned();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        let response = Response { status, content_type, headers, body };
        contract::check(method, path, sent, &response);
        Ok(response)
    }

    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, b"")
    }

    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.send("PUT", path, body.to_string().as_bytes())
    }

    pub fn ask(&self, question: &Value) -> Response {
        self.send("POST", "/v1/preflight", question.to_string().as_bytes())
    }

    pub fn explain(&self, question: &Value) -> Response {
        self.send("POST", "/v1/explain", question.to_string().as_bytes())
    }

    pub fn tell(&self, events: &Value) -> Response {
        self.send("POST", "/v1/events", events.to_string().as_bytes())
    }
}

/// A CloudEvent with what is required.
pub fn event(id: &str, kind: &str, customer: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "tests", "type": kind, "subject": customer, "data": data})
}

/// Tests share their machine with other tests, and wait for each other; that is no overload.
const UNHURRIED: (&str, &str) = ("OVERLOAD__TARGET_DELAY", "1h");

/// A governor in this process, on a clock of its own.
pub struct Governor {
    pub caller: Caller,
    pub clock: Clock,
    stop: Option<actix_web::dev::ServerHandle>,
    thread: Option<JoinHandle<()>>,
}

impl Governor {
    /// In memory, at noon UTC of Monday, 16 November 2026, under the policy that ships.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings, by their names in the environment without the prefix.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        // Looks through all follow-ups would come at moments of their own.
        let usual = [
            ("HTTP__LISTEN", "127.0.0.1:0"),
            ("HTTP__WORKERS", "2"),
            ("LEDGER__URL", "memory:"),
            ("FOLLOW_UPS__LOOK_EVERY", "300d"),
            UNHURRIED,
        ];
        let named = usual.iter().chain(settings);
        let environment =
            named.map(|(name, value)| (format!("CONTACT_GOVERNOR__{name}"), (*value).to_owned())).collect();
        let settings = Settings::load(&Flags::default(), Some(environment)).expect("settings");
        let clock = Clock::manual(at("2026-11-16T12:00:00Z"));
        let (started, address) = mpsc::channel();
        let thread = std::thread::spawn({
            let clock = clock.clone();
            move || {
                actix_web::rt::System::new().block_on(async move {
                    let app = App::start_with(&settings, clock).expect("an app");
                    started.send((app.address(), app.handle())).expect("the test waits");
                    app.run_until_stopped().await.expect("a clean end");
                });
            }
        });
        let (address, handle) = address.recv().expect("the governor starts");
        Self { caller: Caller::new(address), clock, stop: Some(handle), thread: Some(thread) }
    }

    pub fn set(&self, moment: &str) {
        self.clock.set(at(moment));
    }
}

impl Drop for Governor {
    fn drop(&mut self) {
        if let Some(handle) = self.stop.take() {
            drop(handle.stop(true));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_contact-governor");

/// The program itself, as a process of its own.
pub struct Process {
    pub caller: Caller,
    child: Child,
    /// Read to its end, so that the process never waits for somebody to read its log.
    log: Option<JoinHandle<String>>,
    _journal: TempDir,
}

/// How to start the program.
#[derive(Default)]
pub struct Launch<'a> {
    /// Another program to start it through: a shell that sets limits.
    pub wrapper: &'a [&'a str],
    /// Settings by their names in the environment, without the prefix.
    pub settings: &'a [(&'a str, &'a str)],
    pub arguments: &'a [&'a str],
}

impl Process {
    /// Starts `serve` on a free port and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::launch(&Launch { arguments, ..Launch::default() })
            .unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    /// The same with settings.
    pub fn start_with(settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        Self::launch(&Launch { settings, arguments, ..Launch::default() })
            .unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    /// What it said if it does not start.
    pub fn launch(launch: &Launch<'_>) -> Result<Self, String> {
        let journal = tempfile::tempdir().expect("a folder");
        let mut words = launch.wrapper.to_vec();
        words.extend([PROGRAM, "serve", "--listen", "127.0.0.1:0"]);
        words.extend(launch.arguments);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env("CONTACT_GOVERNOR__JOURNAL__DIRECTORY", journal.path())
            .env(format!("CONTACT_GOVERNOR__{}", UNHURRIED.0), UNHURRIED.1)
            .envs(launch.settings.iter().map(|(name, value)| (format!("CONTACT_GOVERNOR__{name}"), value)))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            if log.read_line(&mut line).expect("text") == 0 {
                let _ = child.wait();
                return Err(said);
            }
            said.push_str(&line);
            // In either format of the log.
            let rest = line.split("address=").nth(1).or_else(|| line.split("\"address\":\"").nth(1));
            if let Some(address) = rest.and_then(|rest| rest.split([' ', '"', '\n']).next()) {
                break address.parse().expect("an address");
            }
        };
        let log = std::thread::spawn(move || {
            let mut rest = String::new();
            for line in log.lines().map_while(Result::ok) {
                rest.push_str(&line);
                rest.push('\n');
            }
            rest
        });
        Ok(Self { caller: Caller::new(address), child, log: Some(log), _journal: journal })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The memory it holds, in kilobytes.
    pub fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a live process");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a size");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// Lets no file grow beyond so many bytes, or any, from now on.
    pub fn limit_files_to(&self, bytes: &str) {
        let pid = self.pid().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().expect("prlimit");
        assert!(status.success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("a live process");
        self.child.wait().expect("its end");
    }

    /// SIGTERM; the exit status and what was logged.
    pub fn terminate(&mut self) -> (Option<i32>, String) {
        let status = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().expect("kill");
        assert!(status.success());
        let code = self.child.wait().expect("its end").code();
        let log = self.log.take().map(|log| log.join().expect("the log")).unwrap_or_default();
        (code, log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
