//! The page under `/docs`, in a real browser.

use serde_json::json;

use crate::harness::browser::{Browser, Window};
use crate::harness::{Governor, time_until};

#[test]
fn a_question_is_tried_on_the_page() {
    let governor = Governor::start();
    let browser = Browser::with(&Window { width: 1280, height: 900, scripts: true });
    browser.open(&format!("http://{}/docs#preflight", governor.caller.address()));
    assert_eq!(browser.title(), "Contact Governor: the HTTP interface");
    assert!(browser.text("#nav").contains("May this customer be contacted?"), "{}", browser.text("#nav"));
    // The body is filled in from the example.
    browser.click("#preflight button");
    let mut said = String::new();
    time_until(|| {
        said = browser.text("#preflight .result");
        !said.starts_with("Waiting")
    });
    assert!(said.contains("\"contact_id\": \"msg-8812\""), "{said}");
    let kept = governor.caller.get("/v1/customers/c-1001").body;
    assert_eq!(kept["contacts"], json!(1), "what the page sends is real");
}

/// Nothing may be loaded, run or sent to, but what the page itself brings, and this governor.
#[test]
fn the_page_is_sealed_against_everything_else() {
    let governor = Governor::start();
    let agent = ureq::Agent::new_with_defaults();
    let mut answer =
        agent.get(format!("http://{}/docs", governor.caller.address())).call().expect("the page");
    let policy = answer.headers()["content-security-policy"].to_str().expect("a text").to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("connect-src 'self'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
    let page = answer.body_mut().read_to_string().expect("text");
    assert!(page.len() < 40_000, "{} bytes", page.len());
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
}
