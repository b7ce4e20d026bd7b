//! A real Chromium, spoken to over `WebDriver`, gone when the test is.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::time_until;

/// Ends the driver when the other end of its standard input is closed, by whatever end the test comes to.
const UNTIL_INPUT_ENDS: &str = "\"$@\" & driver=$!; cat >/dev/null; kill $driver";

/// The name `WebDriver` gives to an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    agent: ureq::Agent,
    session: String,
    driver: Child,
    _folder: TempDir,
}

/// What somebody looks through.
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub scripts: bool,
}

impl Browser {
    /// With a window as wide as a telephone's, and scripts off.
    pub fn start() -> Self {
        Self::with(&Window { width: 360, height: 1000, scripts: false })
    }

    pub fn with(window: &Window) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut driver = Command::new("sh")
            .args(["-c", UNTIL_INPUT_ENDS, "sh", "chromedriver", "--port=0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let said = BufReader::new(driver.stdout.take().expect("a pipe"));
        // It chooses a free port and says so.
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("chromedriver runs; it is in the package chromium-driver");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let profile = format!("--user-data-dir={}", folder.path().display());
        let options = json!({
            "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars", profile],
            "prefs": {"profile.managed_default_content_settings.javascript": if window.scripts { 1 } else { 2 }},
            "mobileEmulation": {"deviceMetrics": {"width": window.width, "height": window.height, "pixelRatio": 1.0, "mobile": false, "touch": false}},
        });
        let capabilities = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": {"implicit": 10_000}}}});
        let mut browser =
            Self { agent, session: format!("http://127.0.0.1:{port}/session"), driver, _folder: folder };
        let begun = browser.call("POST", "", &capabilities);
        let id = begun["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {begun}")).to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .body(body)
            .expect("a request");
        let mut answer = self.agent.run(request).expect("the driver answers");
        let status = answer.status();
        let answer: Value = answer.body_mut().read_json().expect("JSON");
        if status.is_success() { Ok(answer["value"].clone()) } else { Err(answer) }
    }

    pub fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
    }

    pub fn url(&self) -> String {
        self.call("GET", "/url", &Value::Null).as_str().expect("a text").to_owned()
    }

    pub fn title(&self) -> String {
        self.call("GET", "/title", &Value::Null).as_str().expect("a text").to_owned()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": selector}));
        format!("/element/{}", found[ELEMENT].as_str().expect("an element"))
    }

    pub fn click(&self, selector: &str) {
        self.call("POST", &format!("{}/click", self.element(selector)), &json!({}));
    }

    /// Clicks on what leads to another page, and waits for that: the old one's elements are gone then.
    pub fn submit(&self, selector: &str) {
        let old = format!("{}/name", self.element("html"));
        self.click(selector);
        time_until(|| self.try_call("GET", &old, &Value::Null).is_err());
    }

    pub fn type_into(&self, selector: &str, text: &str) {
        self.call("POST", &format!("{}/value", self.element(selector)), &json!({"text": text}));
    }

    pub fn text(&self, selector: &str) -> String {
        let text = self.call("GET", &format!("{}/text", self.element(selector)), &Value::Null);
        text.as_str().expect("a text").to_owned()
    }

    pub fn is_ticked(&self, selector: &str) -> bool {
        self.call("GET", &format!("{}/selected", self.element(selector)), &Value::Null) == json!(true)
    }

    pub fn property(&self, selector: &str, name: &str) -> Value {
        self.call("GET", &format!("{}/property/{name}", self.element(selector)), &Value::Null)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session takes its Chromium with it.
        let _ = self.agent.delete(&self.session).call();
        drop(self.driver.stdin.take());
        let _ = self.driver.wait();
    }
}
