//! The document of the HTTP interface, held against what really goes over the wire: every answer that any test gets.
//!
//! Answers are read strictly: a member that nobody described is a mistake of the document, though callers are told to
//! pass over members they do not know. Channels and purposes are any here, since tests make up policies of their own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{LazyLock, mpsc};

use boon::{Compiler, Format, SchemaIndex, Schemas};
use contact_governor::domain::condition::Condition;
use contact_governor::domain::moment::Moment;
use contact_governor::domain::opening_hours::OpenRange;
use contact_governor::domain::wall_clock::{Day, Zone};
use contact_governor::domain::window::Window;
use serde_json::{Value, json};

use super::Response;

pub const DOCUMENT: &str = include_str!("../../docs/openapi.json");

const LINES: &str = "application/x-ndjson";

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

/// What was sent and what came back, on its way to be held against the document.
struct Exchange {
    method: String,
    path: String,
    sent: Vec<u8>,
    response: Response,
    judged: mpsc::Sender<Result<(), String>>,
}

/// The validator cannot be shared, and is not made for each of the many threads of a race: it has a thread of its own.
static JUDGE: LazyLock<mpsc::Sender<Exchange>> = LazyLock::new(|| {
    let (exchanges, arriving) = mpsc::channel::<Exchange>();
    std::thread::spawn(move || {
        let held = Held::new();
        for exchange in arriving {
            let judged = held.judge(&exchange);
            // Whoever asked may have gone.
            let _ = exchange.judged.send(judged);
        }
    });
    exchanges
});

/// Holds what was sent and what came back against the document.
pub fn check(method: &str, path: &str, sent: &[u8], response: &Response) {
    let (judged, verdict) = mpsc::channel();
    let (method, path) = (method.to_owned(), path.to_owned());
    let exchange = Exchange { method, path, sent: sent.to_vec(), response: response.clone(), judged };
    JUDGE.send(exchange).expect("a judge");
    if let Err(wrong) = verdict.recv().expect("a judge who judges") {
        panic!("{wrong}");
    }
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

fn ensure(holds: bool, else_wrong: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(else_wrong()) }
}

impl Held {
    fn new() -> Self {
        let sent = with_any_vocabulary(Contract::kept().document);
        let mut answered = sent.clone();
        for part in ["/components/schemas", "/components/responses", "/paths"] {
            close(answered.pointer_mut(part).expect("a part of the document"));
        }
        Self { sent: Contract::of(sent), answered: Contract::of(answered) }
    }

    fn judge(&self, exchange: &Exchange) -> Result<(), String> {
        let Exchange { method, path, sent, response, .. } = exchange;
        let status = response.status;
        self.judge_ids(response).map_err(|wrong| format!("{method} {path}: {wrong}\n{response:?}"))?;
        let Some(template) = self.answered.template_of(path) else {
            return ensure(status == 404, || format!("{method} {path} is in no document: {response:?}"));
        };
        let operation = format!("/paths/{}/{}", step(template), method.to_ascii_lowercase());
        let Some(described) = self.answered.document.pointer(&operation) else {
            return ensure(status == 405, || format!("{method} {path} is in no document: {response:?}"));
        };
        let place = format!("{operation}/responses/{status}");
        let place = match described["responses"][status.to_string()]["$ref"].as_str() {
            Some(shared) => shared.trim_start_matches('#').to_owned(),
            None => place,
        };
        // What answers HEAD has the headers of a body, and none.
        let judged = if method == "HEAD" { Ok(()) } else { self.judge_answer(&place, response) };
        judged.map_err(|wrong| format!("{method} {path}: {wrong}\n{response:?}"))?;
        if (200..300).contains(&status) && !sent.is_empty() {
            self.judge_sent(&operation, sent).map_err(|wrong| format!("{method} {path}: {wrong}"))?;
        }
        Ok(())
    }

    /// Whether an answer says by what it is followed, in documented and undocumented places alike.
    fn judge_ids(&self, response: &Response) -> Result<(), String> {
        let described =
            self.answered.document["components"]["headers"].as_object().ok_or("no headers are described")?;
        for name in described.keys() {
            let value = response.header(name);
            let is_optional = name != "X-Request-Id";
            if !(value.is_empty() && is_optional) {
                let schema = format!("/components/headers/{name}/schema");
                self.answered.allows(&schema, &value.into()).map_err(|wrong| format!("{name}: {wrong}"))?;
            }
        }
        Ok(())
    }

    /// Whether an answer is as it is described at `place`.
    fn judge_answer(&self, place: &str, response: &Response) -> Result<(), String> {
        let described = self.answered.document.pointer(place).ok_or("this status is not described")?;
        let headers = described["headers"].as_object();
        let has_id = headers.is_some_and(|headers| headers.contains_key("X-Request-Id"));
        ensure(has_id, || "no X-Request-Id is described".to_owned())?;
        let essence = response.content_type.split(';').next().unwrap_or("").trim();
        let Some(contents) = described["content"].as_object() else {
            return ensure(essence.is_empty(), || "an answer without content is described".to_owned());
        };
        ensure(contents.contains_key(essence), || format!("`{essence}` is not described"))?;
        let inside = if essence == LINES { "/contentSchema" } else { "" };
        let schema = format!("{place}/content/{}/schema{inside}", step(essence));
        values(essence, &response.body).iter().try_for_each(|value| self.answered.allows(&schema, value))
    }

    /// Whether what was taken is what is described.
    fn judge_sent(&self, operation: &str, sent: &[u8]) -> Result<(), String> {
        let schema = format!("{operation}/requestBody/content/application~1json/schema");
        match (self.sent.document.pointer(&schema), serde_json::from_slice(sent)) {
            (Some(_), Ok(sent)) => self.sent.allows(&schema, &sent),
            _ => Ok(()),
        }
    }
}

/// The JSON in a body.
fn values(essence: &str, body: &Value) -> Vec<Value> {
    match body {
        Value::String(text) if essence == LINES => {
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        }
        // The harness has read a single line as the JSON it is.
        value => vec![value.clone()],
    }
}
