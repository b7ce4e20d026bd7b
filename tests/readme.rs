//! The README's question gets the README's answer.

use serde_json::Value;

use crate::harness::Governor;

const README: &str = include_str!("../README.md");

/// What stands between two marks, the first time they do.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no `{from}`"));
    rest.split_once(to).unwrap_or_else(|| panic!("no `{to}` after `{from}`")).0
}

#[test]
fn the_first_question_gets_the_answer_that_stands_beside_it() {
    let question: Value = serde_json::from_str(between(README, "-d '", "'\n```")).expect("a question");
    let expected: Value = serde_json::from_str(between(README, "```json\n", "\n```")).expect("an answer");
    let governor = Governor::start();
    assert_eq!(governor.caller.ask(&question).body, expected);

    let facts: Value =
        serde_json::from_str(between(README, "/facts -H 'content-type: application/json' -d '", "'"))
            .expect("facts");
    assert_eq!(governor.caller.put("/v1/customers/c-1001/facts", &facts).status, 204);
    assert_eq!(governor.caller.ask(&question).verdict(), "allow");
}

#[test]
fn the_policy_in_the_readme_is_sound() {
    let policy = between(README, "```toml\n", "```");
    contact_governor::policy::compile::compile("README.md", policy)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
}

#[test]
fn the_documents_policies_are_sound() {
    for folder in ["docs", "examples/bank-campaign"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).expect("text");
                contact_governor::policy::compile::compile("p.toml", &text)
                    .unwrap_or_else(|mistakes| panic!("{mistakes}"));
            }
        }
    }
}
