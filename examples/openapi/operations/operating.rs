//! For whoever runs it.

use contact_governor::wire::problem::ProblemKind;
use serde_json::json;

use super::super::operation::{Described, JSON, OPERATE, Scope, content, get, in_header, put};
use super::super::shape::{any, boolean, map, named, pattern, text, words};
use super::super::shapes::operating::{policy_put_example, ready_example};

const TOML: &str = "application/toml";

pub fn all() -> Vec<Described> {
    vec![policy(), put_policy(), shadow(), metrics(), livez(), readyz(), openapi(), docs()]
}

fn policy() -> Described {
    get("/v1/policy", "policy")
        .said(
            OPERATE,
            "The policy in force",
            "Every rule, as a sentence; or, with `Accept: application/toml`, the policy as it was written.",
        )
        .needs(Scope::Read)
        .answers_tagged("The policy.", content(named("Policy"), None), Some(content(text(), None)))
        .may_be_too_busy()
}

fn put_policy() -> Described {
    put("/v1/policy", "putPolicy")
        .said(
            OPERATE,
            "Put another policy in force",
            "On this instance alone, and in its policy file. All that can fail is done first; where anything does, the \
             old policy stays.",
        )
        .needs(Scope::Admin)
        .parameter(in_header("If-Match", "The `ETag` of the policy that this one is to replace, or `*`.", pattern(r#"^("[^"]*"|\*)$"#)))
        .query("dry_run", "`true`: only say what would change.", boolean())
        .body("The policy.", TOML, text(), None)
        .answers_tagged("It is in force.", content(named("PolicyPut"), Some(policy_put_example())), None)
        .bad_request()
        .refuses(ProblemKind::NoPolicyFile, "There is no policy file.", "this program runs on the policy that ships with it: start it with a policy file of yours")
        .refuses(ProblemKind::PolicyChanged, "Another policy is in force.", "another policy is in force: 2181804adafae4ee")
        .refuses(ProblemKind::PolicyRefused, "It cannot mean what it says.", "line 1, column 8: no preset is called `courtesi`; did you mean `courtesy`?")
        .refuses(ProblemKind::PreconditionRequired, "It does not say what it changes.", "say in `If-Match` which policy this one is to replace: the `ETag` of `GET /v1/policy`")
        .refuses(ProblemKind::PolicyUnwritable, "Its file cannot be written.", "the policy file cannot be written: Read-only file system (os error 30)")
        .takes_no_other_type()
        .needs_the_ledger()
}

fn shadow() -> Described {
    get("/v1/policy/shadow", "shadow")
        .said(
            OPERATE,
            "What would a policy change that is only tried?",
            "Every question is judged by it too, without effect, and its answers are held against those given.",
        )
        .needs(Scope::Read)
        .answers_json("What was seen since both policies are there.", "ShadowReport", None)
        .refuses(ProblemKind::NotFound, "None is tried.", "no policy is tried beside the one in force; set `shadow.policy`")
        .may_be_too_busy()
}

fn metrics() -> Described {
    get("/metrics", "metrics")
        .said(OPERATE, "Figures for Prometheus", "In its text format.")
        .needs(Scope::Read)
        .answers(200, "The figures.", "text/plain", text(), None)
}

fn livez() -> Described {
    get("/livez", "livez")
        .said(OPERATE, "Does the process answer?", "For whoever would restart it.")
        .needs_nothing()
        .answers_json("It does.", "Live", Some(json!({"live": true})))
}

fn readyz() -> Described {
    get("/readyz", "readyz")
        .said(OPERATE, "Can it do its work?", "For whoever sends it requests.")
        .needs_nothing()
        .query("exclude", "What may be wrong without counting.", words(["ledger"]))
        .answers_json("It can.", "Ready", Some(ready_example()))
        .bad_request()
        .needs_the_ledger()
}

fn openapi() -> Described {
    get("/openapi.json", "openapi")
        .said(OPERATE, "This document", "With the channels and purposes of the policy in force.")
        .needs_nothing()
        .answers(200, "The document.", JSON, map(any()), None)
}

fn docs() -> Described {
    get("/docs", "docs")
        .said(OPERATE, "This document for people", "A page to read it and to try it.")
        .needs_nothing()
        .answers(200, "The page.", "text/html", text(), None)
}
