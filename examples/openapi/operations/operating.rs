//! For whoever runs it.

use serde_json::json;

use super::super::operation::{Described, JSON, OPERATE, Scope, get};
use super::super::shape::{any, map, text};

pub fn all() -> Vec<Described> {
    vec![policy(), metrics(), livez(), readyz(), openapi(), docs()]
}

fn policy() -> Described {
    get("/v1/policy", "policy")
        .said(OPERATE, "The policy in force", "Every rule, as a sentence.")
        .needs(Scope::Read)
        .answers_json("The policy.", "Policy", None)
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
        .answers_json("It can.", "Ready", Some(json!({"ready": true, "policy": "2181804adafae4ee"})))
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
