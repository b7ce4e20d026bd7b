use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Governor, Response, question, with};

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

const OURS: &str =
    "version = \"one\"\ntime_zone = \"UTC\"\n\n[[caps]]\nid = \"few\"\nlimit = 3\nwindow = \"rolling 7d\"\n";

/// A governor with a policy file of its own, and a policy that is tried beside it if there is one.
struct Owner {
    governor: Governor,
    file: PathBuf,
    _folder: TempDir,
}

impl Owner {
    fn new(policy: &str, shadow: Option<&str>) -> Self {
        Self::with(policy, shadow, &[])
    }

    fn with(policy: &str, shadow: Option<&str>, others: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).expect("a file");
            file
        };
        let file = path("policy.toml", policy);
        let mut settings = vec![("POLICY__FILE", file.display().to_string())];
        settings.extend(shadow.map(|text| ("SHADOW__POLICY", path("next.toml", text).display().to_string())));
        let mut settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        settings.extend(others);
        Self { governor: Governor::start_with(&settings), file, _folder: folder }
    }

    fn tag(&self) -> String {
        self.governor.caller.get("/v1/policy").header("etag").to_owned()
    }

    fn put_with(&self, query: &str, headers: &[(&str, &str)], text: &str) -> Response {
        let headers = [&[("content-type", "application/toml")], headers].concat();
        let path = format!("/v1/policy{query}");
        self.governor.caller.try_send_with("PUT", &path, &headers, text.as_bytes()).expect("an answer")
    }

    fn put(&self, tag: &str, text: &str) -> Response {
        self.put_with("", &[("if-match", tag)], text)
    }

    /// How many contacts a customer may have at once.
    fn limit(&self, customer: &str) -> usize {
        let asks = (0..).map(|_| self.governor.caller.ask(&question(customer, "email")));
        asks.take_while(|answer| answer.verdict() == "allow").count()
    }
}

#[test]
fn a_policy_that_is_put_is_in_force_and_in_its_file() {
    let owner = Owner::new(OURS, None);
    assert_eq!(owner.limit("before"), 3);
    let tighter = OURS.replace("limit = 3", "limit = 1").replace("\"one\"", "\"two\"");
    let put = owner.put(&owner.tag(), &tighter);
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(put.body["in_force"], true);
    assert_eq!(
        put.body["changes"],
        json!(["`version` is `\"two\"` instead of `\"one\"`.", "Rule `few`: `limit` is `1` instead of `3`."])
    );
    assert_eq!(put.header("etag"), owner.tag());
    assert_eq!(owner.limit("after"), 1);
    let refused = owner.governor.caller.ask(&question("after", "email"));
    assert_eq!(
        refused.body["policy"]["hash"], put.body["hash"],
        "answers carry the hash they were made under"
    );
    assert_eq!(std::fs::read_to_string(&owner.file).expect("the file"), tighter);
    let headers = [("accept", "application/toml")];
    let text = owner.governor.caller.try_send_with("GET", "/v1/policy", &headers, b"").expect("an answer");
    assert_eq!((text.content_type.as_str(), &text.body), ("application/toml", &json!(tighter)));
}

#[test]
fn what_is_tried_dry_is_told_and_not_done() {
    let owner = Owner::new(OURS, None);
    let tag = owner.tag();
    let tried =
        owner.put_with("?dry_run=true", &[("if-match", &tag)], &OURS.replace("limit = 3", "limit = 1"));
    assert_eq!(tried.body["changes"], json!(["Rule `few`: `limit` is `1` instead of `3`."]));
    assert_eq!((tried.body["in_force"].clone(), tried.header("etag")), (json!(false), tag.as_str()));
    assert_eq!(owner.tag(), tag);
    assert_eq!(std::fs::read_to_string(&owner.file).expect("the file"), OURS);
    let same = owner.put(&tag, &format!("{OURS}\n"));
    assert_eq!(same.body["changes"], json!(["Nothing is judged otherwise."]));
}

#[test]
fn a_policy_that_cannot_be_put_leaves_the_old_one_and_says_why() {
    let owner = Owner::new(OURS, None);
    let tag = owner.tag();
    let looser = OURS.replace("limit = 3", "limit = 9");
    let wrong = OURS.replace("rolling 7d", "rolling 7x").replace("limit", "limt");
    let lost = OURS.replace("time_zone = \"UTC\"\n", "");
    for (headers, text, status, kind) in [
        (vec![], &looser, 428, "precondition-required"),
        (vec![("if-match", "\"of-another\"")], &looser, 412, "policy-changed"),
        (vec![("if-match", "not a tag")], &looser, 428, "precondition-required"),
        (vec![("if-match", tag.as_str())], &wrong, 422, "policy-refused"),
        (vec![("if-match", "*")], &lost, 422, "policy-refused"),
    ] {
        let refused = owner.put_with("", &headers, text);
        assert_eq!(refused.status, status, "{refused:?}");
        assert_eq!(refused.body["type"], format!("urn:contact-governor:problem:{kind}"));
    }
    let refused = owner.put(&tag, &wrong);
    let details: Vec<&str> = refused.body["errors"]
        .as_array()
        .expect("all")
        .iter()
        .filter_map(|one| one["detail"].as_str())
        .collect();
    assert!(details.iter().any(|detail| detail.starts_with("line 6, column 1: ")), "{details:?}");
    assert!(details.iter().any(|detail| detail.starts_with("line 7, column 10: ")), "{details:?}");
    let as_json = owner.governor.caller.put("/v1/policy", &json!({}));
    assert_eq!(as_json.status, 415);
    let binary = [("content-type", "application/toml"), ("if-match", "*")];
    let binary = owner.governor.caller.try_send_with("PUT", "/v1/policy", &binary, b"version = \"\xff\"");
    assert_eq!(binary.expect("an answer").body["detail"], "a policy is UTF-8; byte 11 is not");
    assert_eq!(owner.tag(), tag);
    assert_eq!(std::fs::read_to_string(&owner.file).expect("the file"), OURS);
}

#[test]
fn what_somebody_else_has_written_to_the_file_is_not_written_over() {
    let owner = Owner::new(OURS, None);
    std::fs::write(&owner.file, "limit = oops").expect("a file");
    let refused = owner.put(&owner.tag(), &OURS.replace("limit = 3", "limit = 1"));
    assert_eq!((refused.status, &refused.body["title"]), (412, &json!("Another policy is in force")));
    assert_eq!(std::fs::read_to_string(&owner.file).expect("the file"), "limit = oops");
}

#[test]
fn what_cannot_be_written_is_not_in_force_and_the_audit_log_says_so() {
    let audit = tempfile::tempdir().expect("a folder");
    let directory = audit.path().display().to_string();
    let owner = Owner::with(OURS, None, &[("AUDIT__DIRECTORY", &directory), AUDIT_SECRET]);
    let tag = owner.tag();
    std::fs::remove_file(&owner.file).expect("a file");
    let refused = owner.put(&tag, &OURS.replace("limit = 3", "limit = 1"));
    assert_eq!((refused.status, &refused.body["title"]), (500, &json!("The policy file cannot be written")));
    assert_eq!(owner.tag(), tag);
    let files = std::fs::read_dir(audit.path()).expect("a folder").flatten();
    let log: String = files.map(|file| std::fs::read_to_string(file.path()).expect("text")).collect();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let what: Vec<&str> = lines.iter().filter_map(|line| line["what"].as_str()).collect();
    assert_eq!(what, ["policy.in_force", "policy.in_force", "not_done"]);
    assert_eq!(lines[2]["lines"], json!([2]));
}

const AUDIT_SECRET: (&str, &str) = ("AUDIT__SECRETS", "a-secret-of-more-than-thirty-two-characters");

#[test]
fn without_a_policy_file_none_can_be_put() {
    let governor = Governor::start();
    let headers = [("content-type", "application/toml"), ("if-match", "*")];
    let refused = governor.caller.try_send_with("PUT", "/v1/policy", &headers, OURS.as_bytes());
    let refused = refused.expect("an answer");
    assert_eq!((refused.status, &refused.body["title"]), (409, &json!("There is no policy file to change")));
}

#[test]
fn a_policy_that_is_only_tried_judges_without_effect_and_reports_what_it_would_change() {
    let owner =
        Owner::new(OURS, Some(&OURS.replace("limit = 3", "limit = 1").replace("\"one\"", "\"next\"")));
    let caller = &owner.governor.caller;
    let before = caller.get("/v1/policy/shadow").body;
    assert_eq!((&before["asks"], &before["since"]), (&json!(0), &json!(null)));
    assert_eq!(owner.limit("c-1"), 3, "what is tried has no effect");
    let batch = (0..2).map(|_| question("c-2", "sms").to_string() + "\n").collect::<String>();
    crate::harness::batch::batch(caller, "", batch.as_bytes());
    crate::harness::batch::batch(caller, "?dry_run=true", batch.as_bytes());
    caller.explain(&question("c-1", "email"));
    let report = caller.get("/v1/policy/shadow").body;
    assert_eq!(report["in_shadow"]["version"], "next");
    assert_eq!(report["asks"], 6, "four by one customer, two of a batch; neither dry runs nor explanations");
    assert_eq!(report["differing"], 3);
    assert_eq!(report["verdicts"], json!({"allow": {"allow": 2, "defer": 3}, "defer": {"defer": 1}}));
    assert_eq!(report["by_channel"]["sms"], json!({"allow": {"allow": 1, "defer": 1}}));
    assert_eq!(report["by_rule"]["few"], json!({"in_force": 1, "in_shadow": 4}));
    assert!(
        report["changes"]
            .as_array()
            .expect("sentences")
            .contains(&json!("Rule `few`: `limit` is `1` instead of `3`."))
    );
    let example = &report["examples"][0];
    assert_eq!(
        (&example["customer"], &example["verdict"], &example["in_shadow"]),
        (&json!("c-2"), &json!("allow"), &json!("defer"))
    );
    assert_eq!((&example["rules"], &example["shadow_rules"]), (&json!([]), &json!(["few"])));
    let metrics = caller.get("/metrics").body;
    let line = "contact_governor_shadow_decisions_total{in_force=\"allow\",shadow=\"defer\"} 3";
    assert!(metrics.as_str().expect("text").contains(line), "{metrics}");

    caller.send("DELETE", "/v1/customers/c-2", b"");
    let examples = caller.get("/v1/policy/shadow").body["examples"].clone();
    assert!(
        examples.as_array().expect("some").iter().all(|example| example["customer"] == "c-1"),
        "{examples}"
    );
    owner.put("*", &OURS.replace("limit = 3", "limit = 2"));
    let anew = caller.get("/v1/policy/shadow").body;
    assert_eq!(
        (&anew["asks"], &anew["examples"]),
        (&json!(0), &json!([])),
        "of another pair nothing was seen"
    );
}

#[test]
fn what_another_policy_has_no_words_for_it_does_not_judge() {
    let more = format!("{OURS}\n[channels]\npush = {{ attention = 1 }}\n");
    let owner = Owner::new(&more, Some(OURS));
    assert_eq!(owner.governor.caller.ask(&question("c-1", "push")).verdict(), "allow");
    let report = owner.governor.caller.get("/v1/policy/shadow").body;
    assert_eq!((&report["asks"], &report["not_judged"]), (&json!(0), &json!(1)));
}

#[test]
fn words_claim_to_each_policy_what_its_own_phrases_say() {
    let phrases = "\n[claims.care]\nphrases = [\"our big family\"]\n\n[[requirements]]\nid = \"care\"\nclaims = [\"care\"]\nrequires = \"delivery == 'human'\"\n";
    let owner = Owner::new(OURS, Some(&format!("{OURS}{phrases}")));
    let members = json!({"content": {"body": "News from our big family of shops."}});
    assert_eq!(owner.governor.caller.ask(&with(question("c-1", "email"), &members)).verdict(), "allow");
    let report = owner.governor.caller.get("/v1/policy/shadow").body;
    assert_eq!(report["verdicts"], json!({"allow": {"deny": 1}}), "{report}");
}

#[test]
fn without_a_policy_that_is_tried_there_is_no_report() {
    let refused = Governor::start().caller.get("/v1/policy/shadow");
    assert_eq!(refused.status, 404);
}
