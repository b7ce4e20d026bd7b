//! Examples are what they are examples of, and a running governor speaks of its own policy.

use serde_json::{Value, json};

use crate::harness::Governor;
use crate::harness::contract::{Contract, step};
use crate::harness::keys::with_one;

/// Every example beside a schema, by the pointer to that schema.
fn examples(at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            if let (Some(example), Some(_)) = (members.get("example"), members.get("schema")) {
                found.push((format!("{at}/schema"), example.clone()));
            }
            if let Some(Value::Array(given)) = members.get("examples") {
                found.extend(given.iter().map(|example| (at.to_owned(), example.clone())));
            }
            for (name, value) in members {
                examples(&format!("{at}/{}", step(name)), value, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                examples(&format!("{at}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_example_is_what_its_shape_allows() {
    let mut contract = Contract::kept();
    // Problems that no part of this program makes yet are documented with the others.
    let mut document = contract.document.take();
    let kinds =
        document["components"]["schemas"]["Problem"]["properties"]["type"].as_object_mut().expect("a type");
    kinds.remove("enum");
    contract = Contract::of(document);
    let mut found = Vec::new();
    examples("", &contract.document, &mut found);
    assert!(found.len() > 100, "{} examples", found.len());
    let wrong: Vec<String> = found
        .iter()
        .filter_map(|(pointer, example)| {
            contract.allows(pointer, example).err().map(|wrong| format!("{pointer}: {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_has_words_answers_and_a_name_of_its_own() {
    let contract = Contract::kept();
    let mut names = Vec::new();
    for (path, item) in contract.document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            for member in ["summary", "description", "operationId", "tags", "responses", "security"] {
                assert!(!operation[member].is_null(), "{method} {path} has no {member}");
            }
            for parameter in operation["parameters"].as_array().map_or(&[][..], Vec::as_slice) {
                assert!(parameter["description"].is_string(), "{method} {path}: {parameter}");
            }
            names.push(operation["operationId"].as_str().expect("a text").to_owned());
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}

#[test]
fn the_document_of_an_instance_names_the_channels_of_its_policy() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.toml");
    let text = "version = \"1\"\ntime_zone = \"UTC\"\n[channels]\npush = { attention = 1 }\n[purposes]\ndebt_collection = {}\n";
    std::fs::write(&policy, text).expect("a file");
    let policy = policy.display().to_string();
    let governor = Governor::start_with(&[("POLICY__FILE", &policy)]);
    let served = governor.caller.get("/openapi.json").body;
    let words =
        |shape: &str| served["components"]["schemas"][shape]["enum"].as_array().cloned().expect("words");
    assert!(words("Channel").contains(&json!("push")), "{:?}", words("Channel"));
    assert!(words("Purpose").contains(&json!("debt_collection")), "{:?}", words("Purpose"));
    assert_eq!(served["openapi"], "3.1.0");
}

#[test]
fn the_document_of_an_instance_asks_for_a_key_where_it_does() {
    let (governor, _) = with_one(&[("scopes", "read")]);
    let ways = |document: &Value, pointer: &str| document.pointer(pointer).cloned().expect("there");
    let with_keys = governor.caller.get("/openapi.json").body;
    assert_eq!(ways(&with_keys, "/paths/~1v1~1policy/get/security"), json!([{"key": ["read"]}]));
    assert_eq!(ways(&with_keys, "/paths/~1livez/get/security"), json!([]), "nobody needs one for that");
    let without = Governor::start().caller.get("/openapi.json").body;
    assert_eq!(ways(&without, "/paths/~1v1~1policy/get/security"), json!([{"key": ["read"]}, {}]));
}
