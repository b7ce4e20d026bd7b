//! The page as customers, mail programs and people who try their luck meet it.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::redis::free_port;
use crate::harness::{Governor, PROGRAM, question};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const FORMER: &str = "fedcba9876543210fedcba9876543210";
const SET: [(&str, &str); 1] = [("WISHES_PAGE__SECRET", SECRET)];
/// Longer than any clock here and the machine's are apart.
const LONG: &str = "20000d";

fn key_wishes_link(settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(["key", "wishes-link"])
        .args(arguments)
        .env_remove("CONTACT_GOVERNOR__WISHES_PAGE__SECRET")
        .envs(settings.iter().map(|(name, value)| (format!("CONTACT_GOVERNOR__{name}"), value)))
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program runs")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// What the command prints for this customer, with this secret.
fn link(governor: &Governor, secret: &str, customer: &str, life: &str) -> String {
    let base = format!("http://{}/", governor.caller.address());
    let arguments = ["--customer", customer, "--base", &base, "--for", life];
    let output = key_wishes_link(&[("WISHES_PAGE__SECRET", secret)], &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    said(&output.stdout).trim_end().to_owned()
}

/// A page, as it comes, redirections not followed.
#[derive(Debug)]
struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The parts of a form as it stands on the page, for sending it back: hidden ones, ticked ones, typed ones.
    fn fields(&self) -> Vec<(String, String)> {
        let attribute = |tag: &str, name: &str| {
            let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
            Some(unescaped(value))
        };
        let inputs = self.text.split("<input ").skip(1).filter_map(|rest| {
            let tag = format!(" {}", rest.split('>').next()?);
            if tag.contains("type=\"checkbox\"") && !tag.ends_with(" checked") {
                return None;
            }
            Some((attribute(&tag, "name")?, attribute(&tag, "value")?))
        });
        let per = self
            .text
            .split(" selected>")
            .next()
            .and_then(|before| attribute(before.rsplit("<option").next()?, "value"));
        inputs
            .chain(per.map(|per| ("per".to_owned(), per)))
            .chain([("do".to_owned(), "save".to_owned())])
            .collect()
    }
}

/// What askama writes instead of a character.
fn unescaped(text: &str) -> String {
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

fn send(method: &str, url: &str, content_type: &str, body: &[u8]) -> Page {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .new_agent();
    let request = ureq::http::Request::builder().method(method).uri(url).header("content-type", content_type);
    let mut answer = agent.run(request.body(body).expect("a request")).expect("an answer");
    let headers = answer.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), said(value.as_bytes()))).collect();
    Page {
        status: answer.status().as_u16(),
        headers,
        text: answer.body_mut().read_to_string().expect("text"),
    }
}

fn get(url: &str) -> Page {
    send("GET", url, "", b"")
}

const FORM: &str = "application/x-www-form-urlencoded";

fn post(url: &str, fields: &[(&str, &str)]) -> Page {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    send("POST", url, FORM, body.as_bytes())
}

fn wishes(governor: &Governor, customer: &str) -> Value {
    governor.caller.get(&format!("/v1/customers/{customer}")).body["wishes"].clone()
}

fn is_stopped(governor: &Governor, customer: &str) -> bool {
    governor.caller.get(&format!("/v1/customers/{customer}")).body["suppressions"]["all"] == json!(true)
}

/// The headers every answer has, and nothing that could run or be fetched.
fn assert_is_safe(page: &Page, customer: &str) {
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "style-src 'sha256-",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let expected = [
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
    ];
    for (name, value) in expected {
        assert_eq!(page.header(name), value, "{name}");
    }
    for forbidden in
        ["<script", "javascript:", "http://", "https://", " onclick", "<img", "<link", "@import", customer]
    {
        assert!(!page.text.contains(forbidden), "{forbidden} in {}", page.text);
    }
    assert!(!format!("{:?}", page.headers).contains(customer), "{:?}", page.headers);
}

#[test]
fn the_link_that_the_command_prints_opens_the_page_and_names_nobody() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1001", LONG);
    assert!(!link.contains("c-1001"), "{link}");
    for url in [link.clone(), format!("{link}?saved=1")] {
        let page = get(&url);
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_is_safe(&page, "c-1001");
        for words in
            ["<html lang=\"en\">", "E-mail", "Text message", "Telephone call", "Letter", "never more"]
        {
            assert!(page.text.contains(words), "{words}");
        }
        assert_eq!(page.text.matches("<h1").count(), 1);
        assert_eq!(page.text.contains("role=\"status\">Saved."), url.ends_with("saved=1"));
    }
    assert_eq!(send("HEAD", &link, "", b"").status, 200);
    assert_eq!(send("PUT", &link, FORM, b"").status, 405);
}

#[test]
fn a_link_to_where_the_governor_listens_is_printed_and_many_at_once() {
    let output = key_wishes_link(&[SET[0], ("HTTP__LISTEN", "127.0.0.1:9000")], &["--customer", "c-1001"]);
    assert!(said(&output.stdout).starts_with("http://127.0.0.1:9000/wishes/"), "{output:?}");
    let wrong = [
        vec!["--customer", ""],
        vec!["--customer", "c-1", "--for", "a while"],
        vec!["--customer", "c-1", "--base", "contact.example.com"],
    ];
    for arguments in wrong {
        let output = key_wishes_link(&SET, &arguments);
        assert_eq!((output.status.code(), said(&output.stdout)), (Some(2), String::new()), "{arguments:?}");
    }
}

#[test]
fn without_a_secret_there_is_no_page_and_the_command_says_how_to_set_one() {
    let governor = Governor::start();
    let nowhere = get(&link(&governor, SECRET, "c-1", LONG));
    assert_eq!((nowhere.status, nowhere.header("content-type")), (404, "application/problem+json"));

    let output = key_wishes_link(&[], &["--customer", "c-1"]);
    assert_eq!((output.status.code(), said(&output.stdout)), (Some(2), String::new()));
    let explained = said(&output.stderr);
    let fresh = explained.split("CONTACT_GOVERNOR__WISHES_PAGE__SECRET=").nth(1).expect("what to set");
    let fresh = fresh.lines().next().expect("a secret").to_owned();
    assert_eq!(
        key_wishes_link(&[("WISHES_PAGE__SECRET", &fresh)], &["--customer", "c-1"]).status.code(),
        Some(0)
    );
    let short = key_wishes_link(&[("WISHES_PAGE__SECRET", "too short")], &["--customer", "c-1"]);
    assert_eq!(short.status.code(), Some(2));
    assert!(said(&short.stderr).contains("wishes_page.secret"), "{short:?}");
}

#[test]
fn what_is_saved_is_wished_for_and_shown() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1001", LONG);
    let zone = json!({"time_zone": "America/New_York"});
    assert_eq!(governor.caller.put("/v1/customers/c-1001/facts", &zone).status, 204);
    let fields = [
        ("channel", "email"),
        ("channel", "mail"),
        ("limit", " 2 "),
        ("per", "week"),
        ("hours", "weekdays-morning"),
        ("hours", "weekdays-afternoon"),
        ("hours", "sunday-evening"),
        ("pause_until", "2026-12-24"),
        ("do", "save"),
    ];
    for _ in 0..2 {
        let saved = post(&link, &fields);
        assert_eq!((saved.status, saved.header("location")), (303, "?saved=1"));
        assert_is_safe(&saved, "c-1001");
        let weekdays = json!(["08:00-17:00"]);
        assert_eq!(
            wishes(&governor, "c-1001"),
            json!({
                "at_most": [{"limit": 2, "window": "local 7 days"}],
                "channels": ["email", "mail"],
                "hours": {"mon": weekdays, "tue": weekdays, "wed": weekdays, "thu": weekdays, "fri": weekdays, "sun": ["17:00-21:00"]},
                "pause_until": "2026-12-24T05:00:00Z",
            }),
            "sent twice, the same"
        );
    }
    let shown = get(&link);
    let mut again = shown.fields();
    let mut sent: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.trim().to_owned())).collect();
    again.sort();
    sent.sort();
    assert_eq!(again, sent, "the page shows what was sent");
    assert!(shown.text.contains("Times are those of New York."));
}

#[test]
fn what_the_form_has_no_field_for_is_said_and_kept_until_it_is_unticked() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1", LONG);
    let set = json!({
        "at_most": [{"limit": 1, "window": "rolling 36h", "channels": ["sms"]}, {"limit": 3, "window": "rolling 7d"}],
        "hours": {"mon": ["18:00-20:00"]},
        "pause_until": "2026-12-24T17:30:00Z",
    });
    assert_eq!(governor.caller.put("/v1/customers/c-1/wishes", &set).status, 204);
    let page = get(&link);
    for sentence in
        ["At most 1 contact in any 36 hours: Text message", "Only at these hours: Mon 18:00–20:00"]
    {
        assert!(page.text.contains(sentence), "{}", page.text);
    }
    let fields = page.fields();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(post(&link, &fields).status, 303);
    assert_eq!(wishes(&governor, "c-1"), set);

    let unticked: Vec<_> = fields.iter().filter(|(name, _)| *name != "keep").copied().collect();
    assert_eq!(post(&link, &unticked).status, 303);
    let left =
        json!({"at_most": [{"limit": 3, "window": "rolling 7d"}], "pause_until": "2026-12-24T17:30:00Z"});
    assert_eq!(wishes(&governor, "c-1"), left);
}

#[test]
fn every_mistake_is_shown_beside_what_was_typed_and_nothing_is_saved() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1", LONG);
    let attack = "\"><script>alert(1)</script>";
    let fields = [
        ("channel", "sms"),
        ("channel", attack),
        ("limit", attack),
        ("per", "day"),
        ("pause_until", "2026-01-01"),
        ("hours", "sunday-morning"),
        (attack, attack),
        ("seen", attack),
        ("do", "save"),
    ];
    let page = post(&link, &fields);
    assert_eq!(page.status, 422);
    assert_is_safe(&page, "c-1001");
    for part in [
        "channels-mistake",
        "id=\"limit-mistake\"",
        "id=\"pause-until-mistake\"",
        "aria-invalid=\"true\"",
        "role=\"alert\"",
        "value=\"sms\" checked",
        "value=\"sunday-morning\" checked",
        "value=\"day\" selected",
        "value=\"2026-01-01\"",
        "value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\"",
    ] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
    }
    assert_eq!(wishes(&governor, "c-1"), json!({}));
    for body in ["", "{\"limit\": 2}", "do=save&do=save", "List-Unsubscribe=One-Click&do=save&x=1"] {
        let page = send("POST", &link, FORM, body.as_bytes());
        assert_eq!(page.status, 422, "{body}");
        assert_is_safe(&page, "c-1001");
    }
    assert_eq!((wishes(&governor, "c-1"), is_stopped(&governor, "c-1")), (json!({}), false));
}

#[test]
fn names_that_a_policy_gives_its_channels_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    let policy = "version = \"t\"\ntime_zone = \"UTC\"\n[channels]\n\"<b>\\\"&'\" = {}\n";
    std::fs::write(&file, policy).expect("written");
    let file = file.to_str().expect("a path");
    let governor = Governor::start_with(&[SET[0], ("POLICY__FILE", file)]);
    let link = link(&governor, SECRET, "c-1", LONG);
    let page = get(&link);
    assert!(page.text.contains("value=\"&#60;b&#62;&#34;&#38;&#39;\""), "{}", page.text);
    assert!(!page.text.contains("<b>"), "{}", page.text);
    let fields = [("channel", "<b>\"&'"), ("limit", ""), ("do", "save")];
    assert_eq!(post(&link, &fields).status, 303);
    assert_eq!(wishes(&governor, "c-1")["channels"], json!(["<b>\"&'"]));
}

#[test]
fn everything_can_be_stopped_and_that_taken_back() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1", LONG);
    assert!(get(&link).text.contains("Stop all messages"));
    assert_eq!(post(&link, &[("do", "stop")]).status, 303);
    assert!(is_stopped(&governor, "c-1"));
    assert_eq!(governor.caller.ask(&question("c-1", "email")).verdict(), "deny");
    governor.set("2026-11-17T12:00:00Z");
    let page = get(&link);
    assert!(
        page.text.contains("Since 16 November 2026 we send you nothing; only what you ordered"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("Take that back") && !page.text.contains("Stop all messages"),
        "{}",
        page.text
    );
    assert_eq!(post(&link, &[("do", "take-back")]).status, 303);
    assert!(!is_stopped(&governor, "c-1"));

    governor.caller.put("/v1/customers/c-1/suppressions/sms", &json!({}));
    let page = get(&link);
    assert!(page.text.contains("you unsubscribed"), "{}", page.text);
    governor.set("2026-11-18T12:00:00Z");
    let mut fields = page.fields();
    fields.push(("channel".to_owned(), "sms".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(post(&link, &fields).status, 303);
    let suppressions = governor.caller.get("/v1/customers/c-1").body["suppressions"].clone();
    assert_eq!(suppressions, json!({"channels": {}, "all": false, "list": []}));
    let story = governor.caller.get("/v1/customers/c-1/timeline?as=text").body;
    let story: Vec<&str> = story.as_str().expect("text").lines().skip(1).collect();
    assert_eq!(
        story,
        [
            "Wednesday, 18 November 2026, 12:00: The customer asked for messages by sms again on the wishes page.",
            "Tuesday, 17 November 2026, 12:00: The customer asked for messages again on the wishes page.",
            "Tuesday, 17 November 2026, 12:00: Somebody noted that the customer wants no more messages by sms.",
            "Monday, 16 November 2026, 12:00: The customer asked for no more messages on the wishes page.",
            "Monday, 16 November 2026, 12:00: An e-mail (marketing) was not allowed. The customer asked not to be contacted.",
        ]
    );
}

#[test]
fn mail_programs_unsubscribe_with_one_click() {
    let governor = Governor::start_with(&SET);
    let multipart =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let ways = [(FORM, "List-Unsubscribe=One-Click"), ("multipart/form-data; boundary=x", multipart)];
    for (index, (content_type, body)) in ways.into_iter().enumerate() {
        let customer = format!("c-{index}");
        let link = link(&governor, SECRET, &customer, LONG);
        for _ in 0..2 {
            let done = send("POST", &link, content_type, body.as_bytes());
            assert_eq!((done.status, done.header("content-type")), (200, "text/plain; charset=utf-8"));
            assert_is_safe(&done, &customer);
            assert!(is_stopped(&governor, &customer));
        }
    }
}

#[test]
fn a_link_opens_one_customer_s_page_for_as_long_as_it_says() {
    let governor = Governor::start_with(&[SET[0], ("WISHES_PAGE__FORMER_SECRETS", FORMER)]);
    let ours = link(&governor, SECRET, "c-1001", LONG);
    let (base, token) = ours.rsplit_once('/').expect("a token");
    let (head, tail) = token.split_at(30);
    let changed =
        format!("{head}{}{}", if tail.starts_with('A') { 'B' } else { 'A' }, tail.get(1..).expect("more"));
    let of_another_secret =
        link(&governor, "another secret that nobody set here".replace(' ', "-").as_str(), "c-1001", LONG);
    let unreadable = [
        format!("{base}/{head}"),
        format!("{base}/{changed}"),
        format!("{base}/c-1001"),
        format!("{base}/%ff%00"),
        format!("{ours}A"),
        format!("{base}/{}", "A".repeat(8_000)),
        of_another_secret,
    ];
    for url in unreadable {
        for page in [
            get(&url),
            post(&url, &[("do", "stop")]),
            send("POST", &url, FORM, b"List-Unsubscribe=One-Click"),
        ] {
            assert_eq!(
                (page.status, page.header("content-type")),
                (404, "text/html; charset=utf-8"),
                "{url}"
            );
            assert_is_safe(&page, "c-1001");
            assert!(
                page.text.contains("This link does not work") && !page.text.contains("<form"),
                "{}",
                page.text
            );
        }
    }
    assert_eq!(get(&link(&governor, FORMER, "c-1001", LONG)).status, 200, "of a former secret");

    let other = link(&governor, SECRET, "c-1002", LONG);
    assert_eq!(post(&other, &[("limit", "1"), ("do", "save")]).status, 303);
    assert_eq!((wishes(&governor, "c-1001"), is_stopped(&governor, "c-1001")), (json!({}), false));
    assert_ne!(wishes(&governor, "c-1002"), json!({}));

    let short = link(&governor, SECRET, "c-1001", "1d");
    governor.set("2100-01-01T00:00:00Z");
    for page in [get(&short), post(&short, &[("do", "stop")])] {
        assert_eq!(page.status, 410);
        assert_is_safe(&page, "c-1001");
        assert!(page.text.contains("has expired"), "{}", page.text);
    }
}

#[test]
fn a_body_too_large_is_refused_on_a_page() {
    let governor = Governor::start_with(&[SET[0], ("HTTP__MAX_BODY_BYTES", "1024")]);
    let link = link(&governor, SECRET, "c-1", LONG);
    let page = send("POST", &link, FORM, "seen=x&".repeat(1_000).as_bytes());
    assert_eq!((page.status, page.header("content-type")), (413, "text/html; charset=utf-8"));
    assert_is_safe(&page, "c-1001");
}

#[test]
fn without_the_ledger_the_page_says_to_try_again() {
    let away = format!("redis://127.0.0.1:{}", free_port());
    let governor = Governor::start_with(&[SET[0], ("LEDGER__URL", &away), ("JOURNAL__DIRECTORY", "")]);
    let link = link(&governor, SECRET, "c-1", LONG);
    let tries = [get(&link), post(&link, &[("do", "stop")]), post(&link, &[("limit", "1"), ("do", "save")])];
    for page in tries {
        assert_eq!((page.status, page.header("retry-after")), (503, "5"));
        assert_is_safe(&page, "c-1001");
        assert!(page.text.contains("try again"), "{}", page.text);
    }
}

#[test]
fn in_a_browser_without_scripts_the_form_is_filled_in_saved_and_everything_stopped() {
    let governor = Governor::start_with(&SET);
    let link = link(&governor, SECRET, "c-1001", LONG);
    let browser = Browser::start();
    browser.open("data:text/html,<title>off</title><script>document.title='on'</script>");
    assert_eq!(browser.title(), "off", "scripts are off");

    browser.open(&link);
    assert_eq!(browser.title(), "How may we contact you?");
    let width = |name| browser.property("html", name).as_u64().expect("a width");
    assert!(width("scrollWidth") <= width("clientWidth"), "nothing hangs over at the side");
    browser.click("input[value=voice]");
    browser.type_into("#limit", "two");
    browser.submit("button[value=save]");
    assert_eq!(browser.property("#limit", "value"), "two");
    assert!(browser.text("#limit-mistake").contains("“two” is not a whole number"));
    assert!(!browser.is_ticked("input[value=voice]"));
    browser.type_into("#limit", "\u{E003}\u{E003}\u{E003}2");
    browser.type_into("#per", "month");
    browser.click("input[value=weekdays-evening]");
    browser.type_into("#pause-until", "12242026");
    browser.submit("button[value=save]");
    assert_eq!(browser.text("[role=status]"), "Saved.");
    assert_eq!(browser.url(), format!("{link}?saved=1"));
    assert!(browser.is_ticked("input[value=weekdays-evening]") && !browser.is_ticked("input[value=voice]"));
    let evening = json!(["17:00-21:00"]);
    assert_eq!(
        wishes(&governor, "c-1001"),
        json!({
            "at_most": [{"limit": 2, "window": "local 30 days"}],
            "channels": ["email", "sms", "mail"],
            "hours": {"mon": evening, "tue": evening, "wed": evening, "thu": evening, "fri": evening},
            "pause_until": "2026-12-24T00:00:00Z",
        })
    );

    browser.submit("button[value=stop]");
    assert!(browser.text("main").contains("All messages are stopped"));
    assert!(is_stopped(&governor, "c-1001"));
    governor.set("2026-11-16T12:00:01Z");
    browser.submit("button[value=take-back]");
    assert!(!is_stopped(&governor, "c-1001"));
}
