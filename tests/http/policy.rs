use serde_json::json;

use crate::harness::Governor;

#[test]
fn the_policy_in_force_is_shown_in_sentences() {
    let governor = Governor::start();
    let policy = governor.caller.get("/v1/policy").body;
    assert_eq!((&policy["version"], &policy["extends"]), (&json!("default"), &json!(["courtesy"])));
    let rules = policy["rules"].as_array().expect("rules");
    let week = rules.iter().find(|rule| rule["id"] == "three-a-week").expect("the rule");
    assert_eq!(week["preset"], "courtesy");
    assert_eq!(
        week["sentence"],
        "At most 3 contacts in any 7 days for marketing or relationship. Otherwise the contact waits until it fits."
    );
}
