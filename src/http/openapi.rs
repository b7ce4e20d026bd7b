//! `GET /openapi.json`: the document of this interface, with the words of the policy in force and the need for keys.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::domain::words::Name;
use crate::policy::Policy;

use super::Shared;
use super::answering::json;

/// As `make openapi` wrote it. It is read anew whenever somebody asks, so that it costs no memory while nobody does.
const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub async fn get(shared: web::Data<Shared>) -> HttpResponse {
    match serde_json::from_str(DOCUMENT) {
        Ok(document) => {
            let document = with_words_of(document, &shared.gate.policy());
            json(&if shared.callers.need_keys() { where_keys_are_needed(document) } else { document })
        }
        Err(error) => {
            tracing::error!(%error, "the document could not be read");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// The document without the leave to call with no key, which is for instances that know none.
fn where_keys_are_needed(mut document: Value) -> Value {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operations in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in operations.as_object_mut().into_iter().flat_map(|each| each.values_mut()) {
            if let Some(ways) = operation.get_mut("security").and_then(Value::as_array_mut) {
                ways.retain(|way| *way != json!({}));
            }
        }
    }
    document
}

/// The document with the channels and purposes that this policy knows.
fn with_words_of(mut document: Value, policy: &Policy) -> Value {
    let channels = policy.company.channels.iter().map(|channel| &channel.name).collect();
    let purposes = policy.company.purposes.iter().map(|purpose| &purpose.name).collect();
    let words: [(&str, Vec<&Name>); 2] = [("Channel", channels), ("Purpose", purposes)];
    for (shape, words) in words {
        if let Some(listed) = document.pointer_mut(&format!("/components/schemas/{shape}/enum")) {
            *listed = json!(words);
        }
    }
    document
}
