//! What an operator asks: the policies, and how the program is.

use serde_json::{Value, json};

use super::super::shape::{
    Members, Shape, any, boolean, every, map, moment, named, or_null, text, whole_from, words,
};
use super::super::vocabulary::{channel, purpose, verdict};

pub fn policy() -> Shape {
    Members::of("The policy in force.")
        .must("version", "As it calls itself.", text())
        .must("hash", "A digest of it.", text())
        .must("since", "Since when it is in force here.", moment())
        .must(
            "shadow",
            "The policy that is only tried beside it, if there is one.",
            or_null(named("PolicyMark")),
        )
        .must("extends", "The presets it begins with.", every(text()))
        .must("time_zone", "The company's.", text())
        .must("channels", "The channels it knows.", every(text()))
        .must("purposes", "The purposes it knows.", every(text()))
        .must("rules", "Every rule, in order.", every(named("PolicyRule")))
        .open()
}

pub fn policy_rule() -> Shape {
    Members::of("A rule.")
        .must("id", "Its id.", text())
        .must("kind", "Its kind.", words(["cap", "hold", "contact_hours", "requirement"]))
        .must("verdict", "What it says when it does not pass.", super::answers::rule_verdict())
        .must("mode", "Whether it binds.", words(["enforce", "shadow"]))
        .must("preset", "The preset it comes from.", or_null(text()))
        .must("sentence", "The rule as a sentence.", text())
        .must("because", "Why there is such a rule.", text())
        .open()
}

pub fn policy_put() -> Shape {
    Members::of("A policy that was sent.")
        .must("version", "As it calls itself.", text())
        .must("hash", "A digest of it.", text())
        .must("in_force", "`false`: it was only to be said what would change.", boolean())
        .must("changes", "What it changes, a sentence each.", every(text()))
        .must("warnings", "What it may mean, but its owner may not have meant.", every(text()))
        .open()
}

pub fn policy_put_example() -> Value {
    json!({
        "version": "2026-12-01", "hash": "9f0c1d2e3a4b5c6d", "in_force": true,
        "changes": ["Rule `three-a-week`: `limit` is `2` instead of `3`."], "warnings": [],
    })
}

pub fn shadow_report() -> Shape {
    let counts = || map(map(whole_from(0)));
    Members::of("What the policy that is only tried would change.")
        .must("in_force", "The policy in force.", named("PolicyMark"))
        .must("in_shadow", "The policy that is only tried.", named("PolicyMark"))
        .must("changes", "What it says and the one in force does not, a sentence each.", every(text()))
        .must("since", "When the first question was judged by both.", or_null(moment()))
        .must("until", "When the last was.", or_null(moment()))
        .must("asks", "The questions that were judged by both.", whole_from(0))
        .must("differing", "Those that would be answered otherwise.", whole_from(0))
        .must("not_judged", "Those it has no words for.", whole_from(0))
        .must("verdicts", "By the verdict that was given, and the one that would have been.", counts())
        .must("by_channel", "The same by channel.", map(counts()))
        .must("by_purpose", "The same by purpose.", map(counts()))
        .must("by_rule", "How often each rule refused, `in_force` and `in_shadow`.", map(any()))
        .must("examples", "The latest that would be answered otherwise.", every(named("ShadowDifference")))
        .open()
}

pub fn shadow_difference() -> Shape {
    Members::of("A question that would be answered otherwise.")
        .must("at", "When it was asked.", moment())
        .must("customer", "Whom it is about.", text())
        .must("contact_id", "The contact.", text())
        .must("channel", "By which way.", channel())
        .must("purpose", "What for.", purpose())
        .must("verdict", "What was answered.", verdict())
        .must("rules", "Which rules refused.", every(text()))
        .must("in_shadow", "What would have been answered.", verdict())
        .must("shadow_rules", "Which rules would have refused.", every(text()))
        .open()
}

pub fn live() -> Shape {
    Members::of("The process answers.").must("live", "`true`.", boolean()).open()
}

pub fn ready() -> Shape {
    Members::of("The process can do its work.")
        .must("ready", "`true`.", boolean())
        .must("ledger", "`ok`, or what is wrong with it.", text())
        .must("journal", "What was allowed without the ledger.", named("JournalStanding"))
        .must("policy", "The policy in force.", named("PolicyStanding"))
        .open()
}

pub fn journal_standing() -> Shape {
    Members::of("Contacts allowed without the ledger.")
        .must("waiting", "Of which the ledger was not told yet, by this process.", whole_from(0))
        .must("since", "Since when there always are some.", or_null(moment()))
        .open()
}

pub fn policy_standing() -> Shape {
    Members::of("The policy in force, and its file.")
        .must("version", "As it calls itself.", text())
        .must("hash", "A digest of it.", text())
        .must("since", "Since when it is in force here.", moment())
        .must("age_seconds", "For how long.", whole_from(0))
        .must("refused", "Why a policy file says something else.", or_null(text()))
        .open()
}

pub fn ready_example() -> Value {
    json!({
        "ready": true, "ledger": "ok", "journal": {"waiting": 0, "since": null},
        "policy": {
            "version": "2026-11-21", "hash": "2181804adafae4ee", "since": "2026-11-21T08:00:00Z",
            "age_seconds": 86_400, "refused": null,
        },
    })
}
