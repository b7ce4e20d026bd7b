use serde_json::json;

use crate::harness::{Governor, question, with};

#[test]
fn a_halted_campaign_is_denied_until_the_halt_is_lifted() {
    let governor = Governor::start();
    let asked = with(question("c-1", "email"), &json!({"campaign": "autumn", "contact_id": "m-1"}));
    assert_eq!(governor.caller.ask(&asked).verdict(), "allow");
    assert_eq!(governor.caller.put("/v1/campaigns/autumn/halt", &json!({})).status, 204);

    let halted = governor.caller.ask(&asked);
    assert_eq!((halted.verdict(), &halted.body["reasons"][0]["rule"]), ("deny", &json!("halt")));
    let other = with(question("c-1", "email"), &json!({"campaign": "winter"}));
    assert_eq!(governor.caller.ask(&other).verdict(), "allow", "the halted one gave its slot back");

    governor.caller.send("DELETE", "/v1/campaigns/autumn/halt", b"");
    let someone_else = with(question("c-2", "email"), &json!({"campaign": "autumn"}));
    assert_eq!(governor.caller.ask(&someone_else).verdict(), "allow");
}
