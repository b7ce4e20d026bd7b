//! The document of the HTTP interface, held against what really goes over the wire: every answer that any test gets.
//!
//! Answers are read strictly: a member that nobody described is a mistake of the document, though callers are told to
//! pass over members they do not know. Channels and purposes are any here, since tests make up policies of their own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;

use boon::{Compiler, Format, SchemaIndex, Schemas};
use contact_governor::domain::condition::Condition;
use contact_governor::domain::moment::Moment;
use contact_governor::domain::opening_hours::OpenRange;
use contact_governor::domain::wall_clock::{Day, Zone};
use contact_governor::domain::window::Window;
use serde_json::{Value, json};

use super::Response;

pub const DOCUMENT: &str = include_str!("../../docs/openapi.json");

/// Where the document stands for the validator.
const PLACE: &str = "http://governor/openapi.json";

/// A document whose shapes can be asked whether they allow something.
pub struct Contract {
    pub document: Value,
    inner: RefCell<Inner>,
}

struct Inner {
    compiler: Compiler,
    schemas: Schemas,
    compiled: HashMap<String, SchemaIndex>,
}

type Judged = Result<(), Box<dyn Error>>;

fn judged(value: &Value, is_so: impl Fn(&str) -> bool) -> Judged {
    match value.as_str() {
        Some(text) if !is_so(text) => Err(format!("`{text}` is not of this format").into()),
        _ => Ok(()),
    }
}

/// What this program means by the formats.
fn formats() -> [Format; 6] {
    [
        Format { name: "date-time", func: |value| judged(value, |text| Moment::parse(text).is_some()) },
        Format {
            name: "date-or-date-time",
            func: |value| judged(value, |text| Moment::parse(text).is_some() || Day::parse(text).is_some()),
        },
        Format { name: "time-zone", func: |value| judged(value, |text| Zone::get(text).is_some()) },
        Format {
            name: "cel",
            func: |value| judged(value, |text| text.trim().is_empty() || Condition::compile(text).is_ok()),
        },
        Format { name: "window", func: |value| judged(value, |text| Window::parse(text).is_ok()) },
        Format { name: "open-range", func: |value| judged(value, |text| OpenRange::parse(text).is_ok()) },
    ]
}

impl Contract {
    pub fn of(document: Value) -> Self {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        for format in formats() {
            compiler.register_format(format);
        }
        compiler.add_resource(PLACE, document.clone()).expect("a document");
        let inner = Inner { compiler, schemas: Schemas::new(), compiled: HashMap::new() };
        Self { document, inner: RefCell::new(inner) }
    }

    /// The document as it is kept.
    pub fn kept() -> Self {
        Self::of(serde_json::from_str(DOCUMENT).expect("JSON"))
    }

    /// Whether the shape at `pointer` of the document allows `value`; else what is wrong with it.
    pub fn allows(&self, pointer: &str, value: &Value) -> Result<(), String> {
        let mut inner = self.inner.borrow_mut();
        let Inner { compiler, schemas, compiled } = &mut *inner;
        let index = *compiled.entry(pointer.to_owned()).or_insert_with(|| {
            let place = format!("{PLACE}#{pointer}");
            compiler.compile(&place, schemas).unwrap_or_else(|error| panic!("{place}: {error:#}"))
        });
        schemas.validate(value, index).map_err(|error| format!("{error:#}"))
    }

    pub fn shape_allows(&self, shape: &str, value: &Value) -> Result<(), String> {
        self.allows(&format!("/components/schemas/{shape}"), value)
    }

    /// The template that `path` fits, those without a parameter first.
    fn template_of(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().expect("a path");
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let steps: Vec<&str> = template.split('/').collect();
            steps.len() == parts.len()
                && steps
                    .iter()
                    .zip(&parts)
                    .all(|(step, part)| if step.starts_with('{') { !part.is_empty() } else { step == part })
        };
        let templates = self.document["paths"].as_object().expect("paths").keys();
        let fitting = templates.filter(|template| fits(template));
        fitting.min_by_key(|template| template.matches('{').count()).map(String::as_str)
    }
}

/// Closes every object whose members are described.
fn close(shape: &mut Value) {
    match shape {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object)
                && members.get("type").is_some_and(|kind| kind == "object" || kind.is_array())
                && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

/// Any text for what is the policy's to name.
fn with_any_vocabulary(mut document: Value) -> Value {
    for shape in ["Channel", "Purpose"] {
        document["components"]["schemas"][shape] = json!({"type": "string"});
    }
    document
}

thread_local! {
    // The validator cannot be shared.
    static HELD: Held = Held {
        sent: Contract::of(with_any_vocabulary(Contract::kept().document)),
        answered: {
            let mut document = with_any_vocabulary(Contract::kept().document);
            close(&mut document["components"]["schemas"]);
            close(&mut document["components"]["responses"]);
            close(&mut document["paths"]);
            Contract::of(document)
        },
    };
}

/// What is held against requests, and against answers.
struct Held {
    sent: Contract,
    answered: Contract,
}

/// A step of a JSON pointer.
pub fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Holds what was sent and what came back against the document.
pub fn check(method: &str, path: &str, body: &[u8], response: &Response) {
    HELD.with(|held| held.check(method, path, body, response));
}

impl Held {
    fn check(&self, method: &str, path: &str, body: &[u8], response: &Response) {
        let Some(template) = self.answered.template_of(path) else {
            assert_eq!(response.status, 404, "{method} {path} is in no document: {response:?}");
            return;
        };
        let operation = format!("/paths/{}/{}", step(template), method.to_ascii_lowercase());
        let Some(described) = self.answered.document.pointer(&operation) else {
            assert_eq!(response.status, 405, "{method} {template} is in no document: {response:?}");
            return;
        };
        let status = response.status.to_string();
        let mut answer = &described["responses"][&status];
        let mut place = format!("{operation}/responses/{status}");
        if let Some(shared) = answer["$ref"].as_str().and_then(|place| place.strip_prefix('#')) {
            shared.clone_into(&mut place);
            answer = self.answered.document.pointer(shared).expect("what is referred to");
        }
        assert!(answer.is_object(), "{method} {template} is not said to answer {status}: {response:?}");
        let essence = response.content_type.split(';').next().expect("a text").trim();
        let contents = answer["content"].as_object();
        if essence.is_empty() {
            assert!(contents.is_none() || response.body.is_null(), "{method} {template}: {response:?}");
        } else {
            let known = contents.is_some_and(|contents| contents.contains_key(essence));
            assert!(known, "{method} {template} is not said to answer {status} as {essence}: {response:?}");
            let schema = format!("{place}/content/{}/schema", step(essence));
            for value in values(essence, &response.body) {
                // What answers HEAD has the headers of a body, and none.
                if method == "HEAD" {
                    break;
                }
                let schema = if essence == "application/x-ndjson" {
                    format!("{schema}/contentSchema")
                } else {
                    schema.clone()
                };
                if let Err(wrong) = self.answered.allows(&schema, &value) {
                    panic!("{method} {path} answers what its document does not allow: {wrong}\n{value:#}");
                }
            }
        }
        let json_body = "/requestBody/content/application~1json/schema";
        if (200..300).contains(&response.status)
            && !body.is_empty()
            && self.sent.document.pointer(&format!("{operation}{json_body}")).is_some()
            && let Ok(sent) = serde_json::from_slice::<Value>(body)
            && let Err(wrong) = self.sent.allows(&format!("{operation}{json_body}"), &sent)
        {
            panic!("{method} {path} takes what its document does not allow: {wrong}\n{sent:#}");
        }
    }
}

/// The JSON in a body.
fn values(essence: &str, body: &Value) -> Vec<Value> {
    match body {
        Value::String(text) if essence == "application/x-ndjson" => {
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        }
        value => vec![value.clone()],
    }
}
