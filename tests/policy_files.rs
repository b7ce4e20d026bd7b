//! A policy that cannot mean what it says is refused with every mistake at once, each in its place.

use contact_governor::policy::compile::compile;

/// A line of a policy that is wrong, and what is said of it.
const MISTAKES: [(&str, &str); 34] = [
    ("[suppressions]\nlet_through = {}", "lets everything through"),
    ("version = 3", "expected a string, found the number 3"),
    ("extends = [\"courtesie\"]", "did you mean `courtesy`?"),
    ("time_zone = \"America/New_Yrok\"", "did you mean `America/New_York`?"),
    ("lapse_afer = \"2d\"", "did you mean `lapse_after`?"),
    ("week_starts = \"mon\"", "is none of `monday`"),
    ("[channels]\nemail = { attention = -1 }", "out of range"),
    ("[purposes]\nmarketing = { exempt = [\"cap\"] }", "did you mean `caps`?"),
    ("[claims.cares]\nphrases = [\"x y\"]", "did you mean `care`?"),
    ("[claims.care]\nphrases = [\"our (big family\"]", "3:12: the phrase has a `(`"),
    ("[claims.care]\nphrase = [\"x y\"]", "did you mean `phrases`?"),
    ("[facts]\nlast_visit = { max_age = \"old\" }", "is not a duration"),
    ("[facts]\nlast_visit = { }", "missing key `max_age`"),
    ("[campaigns]\nautumn = { audience = \"facts.kind = 'x'\" }", "does not parse"),
    ("[[caps]]\nid = \"a\"\nwindow = \"rolling 7d\"", "missing key `limit`"),
    ("[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"rolling 401d\"", "longer than 400 days"),
    ("[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"weekly\"", "is not a window"),
    (
        "[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"lifetime\"\nchannels = [\"emial\"]",
        "did you mean `email`?",
    ),
    ("[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"lifetime\"\nchannels = []", "could never match"),
    ("[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"lifetime\"\nwhen = \"false\"", "never match"),
    (
        "[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"lifetime\"\nreserve = { slots = 2, purposes = [\"service\"] }",
        "2 slots are kept of a limit of 1",
    ),
    (
        "[[caps]]\nid = \"a\"\nlimit = 1\nwindow = \"lifetime\"\nper = [\"custmer\"]",
        "did you mean `customer`?",
    ),
    ("[[caps]]\nid = \"halt\"\nlimit = 1\nwindow = \"lifetime\"", "may not be called `halt`"),
    ("[[holds]]\nid = \"h\"\nafter = \"conversation.opend\"", "did you mean `conversation.opened`?"),
    ("[[holds]]\nid = \"h\"\nafter = \"contact\"\ncount = 2", "`count` needs `within`"),
    ("[[holds]]\nid = \"h\"\nafter = \"contact\"\nfor = \"2d\"\npause = \"3d\"", "not both"),
    ("[[contact_hours]]\nid = \"c\"\nopen = { mon-fri = [\"20:00-09:00\"] }", "may not cross midnight"),
    (
        "[[contact_hours]]\nid = \"c\"\nopen = { mon-fri = [\"09:00-20:00\"], wed = [] }",
        "`wed` has hours twice",
    ),
    ("[[contact_hours]]\nid = \"c\"\nclosed = [\"Christmas\"]", "neither a local date"),
    ("[[contact_hours]]\nid = \"c\"\nclosed = [2026-12-25]", "write it in quotes"),
    ("[[contact_hours]]\nid = \"c\"", "need `open`, `closed` or both"),
    ("[[requirements]]\nid = \"r\"\nrequires = \"fact.x > 3\"", "did you mean `facts`?"),
    ("[[requirements]]\nid = \"r\"\nrequires = \"true\"\nclaims = [\"cares\"]", "did you mean `care`?"),
    ("[[requirements]]\nid = \"r\"\nrequires = \"true\"\ndeliveries = [\"robot\"]", "is no delivery"),
];

#[test]
fn each_mistake_is_found_in_its_place() {
    for (text, expected) in MISTAKES {
        let zone = if text.contains("time_zone") { "" } else { "time_zone = \"UTC\"\n" };
        let text = format!("{zone}{text}\n");
        let found = compile("p.toml", &text).expect_err(&text).to_string();
        assert!(
            found.lines().any(|line| line.starts_with("p.toml:") && line.contains(expected)),
            "{text}\n→ {found}"
        );
    }
}

#[test]
fn twenty_mistakes_are_found_at_once_in_the_order_of_the_file() {
    let tables: Vec<&str> =
        MISTAKES.iter().map(|(text, _)| *text).filter(|text| text.starts_with("[[")).collect();
    let text = format!("time_zone = \"UTC\"\n{}\n", tables.join("\n"));
    let mistakes = compile("p.toml", &text).expect_err("many mistakes");
    // Each table's own, and an id that is taken from the second of each name on.
    assert!(mistakes.list.len() >= tables.len(), "{mistakes}");
    assert!(mistakes.list.is_sorted_by_key(|mistake| (mistake.line, mistake.column)), "{mistakes}");
    for (text, expected) in MISTAKES.iter().filter(|(text, _)| text.starts_with("[[")) {
        assert!(mistakes.to_string().contains(expected), "{text}: {expected}");
    }
}

#[test]
fn what_is_no_toml_is_said_to_be_none_with_its_place() {
    for text in ["time_zone = ", "time_zone = \"UTC\"\n[[caps]\n", "\u{0}", "[a\n[b"] {
        let mistakes = compile("p.toml", text).expect_err(text);
        assert!(mistakes.list.iter().all(|mistake| mistake.line >= 1 && mistake.column >= 1));
    }
    let large = format!("# {}", "x".repeat(2 * 1024 * 1024));
    assert!(compile("p.toml", &large).expect_err("too large").to_string().contains("at most"));
}

#[test]
fn a_rule_here_replaces_the_presets_rule_of_its_name() {
    let text = "extends = [\"courtesy\"]\ntime_zone = \"UTC\"\n[[caps]]\nid = \"three-a-week\"\nlimit = 5\nwindow = \"calendar week\"\n";
    let policy = compile("p.toml", text).expect("a policy");
    let named: Vec<_> = policy.rules.iter().filter(|rule| &*rule.id == "three-a-week").collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (&named[0].preset, &*named[0].because),
        (&None, "At most 5 contacts in a calendar week, whatever the channel.")
    );
}

#[test]
fn the_hash_follows_the_text_and_nothing_else() {
    let hash = |text: &str| compile("p.toml", text).expect("a policy").mark.hash;
    let text = "time_zone = \"UTC\"\n";
    assert_eq!(hash(text), hash(text));
    assert_ne!(hash(text), hash("time_zone = \"UTC\" \n"));
    assert_ne!(hash(text), hash("time_zone = \"UTC\"\nextends = [\"courtesy\"]\n"));
}
