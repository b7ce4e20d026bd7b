//! The document tells of every route, and of nothing else.

use std::collections::BTreeSet;

use contact_governor::http::{Access, endpoints};
use serde_json::{Value, json};

use crate::harness::Process;
use crate::harness::contract::Contract;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Paths and methods as the document has them.
fn described() -> BTreeSet<(String, String)> {
    let contract = Contract::kept();
    let paths = contract.document["paths"].as_object().expect("paths").clone();
    let methods = |(path, item): (String, Value)| {
        let methods: Vec<String> = item.as_object().expect("operations").keys().cloned().collect();
        methods.into_iter().map(move |method| (path.clone(), method.to_uppercase()))
    };
    paths.into_iter().flat_map(methods).collect()
}

#[test]
fn the_document_is_what_the_code_writes() {
    let kept = crate::harness::contract::DOCUMENT;
    assert!(
        super::document::text().expect("a text") == kept,
        "docs/openapi.json is not in step: run `make openapi`"
    );
}

#[test]
fn every_endpoint_of_the_program_is_in_the_document() {
    let described = described();
    let endpoints = endpoints();
    assert!(endpoints.len() > 20, "{}", endpoints.len());
    let document = Contract::kept().document;
    for (method, path, access) in endpoints {
        assert!(described.contains(&(path.to_owned(), method.clone())), "{method} {path} is in no document");
        let security = &document["paths"][path][method.to_lowercase()]["security"];
        let scopes = match access {
            Access::Open => json!([]),
            Access::Needs(scope, _) => json!([{"key": [scope.name()]}, {}]),
        };
        assert_eq!(*security, scopes, "who may {method} {path}");
    }
}

/// Asks with every method for every path: one that is described is known, any other refused, and the refusal names those
/// that are.
#[test]
fn every_method_of_a_path_is_in_the_document_and_no_other_is_taken() {
    let governor = Process::start(&["--ledger", "memory:"]);
    let described = described();
    let paths: BTreeSet<&String> = described.iter().map(|(path, _)| path).collect();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    for path in paths {
        let known: BTreeSet<&str> =
            described.iter().filter(|(known, _)| known == path).map(|(_, method)| method.as_str()).collect();
        let filled = path.replace("{channel}", "email").replace(['{', '}'], "");
        for method in METHODS {
            let request = ureq::http::Request::builder()
                .method(method)
                .uri(format!("http://{}{filled}", governor.caller.address()))
                .body(())
                .expect("a request");
            let answer = agent.run(request).expect("an answer");
            let status = answer.status().as_u16();
            assert_eq!(status != 405, known.contains(method), "{method} {path}: {status}");
            if status == 405 {
                let allow = answer.headers().get("allow").and_then(|allow| allow.to_str().ok()).unwrap_or("");
                assert_eq!(allow.split(", ").collect::<BTreeSet<_>>(), known, "{method} {path}");
            }
        }
    }
}
