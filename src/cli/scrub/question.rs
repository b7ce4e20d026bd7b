//! The question that a row asks, as the JSON in which anybody else would ask it.

use csv::StringRecord;
use serde_json::{Map, Value, json};

use crate::cli::cells::typed;
use crate::cli::columns::{CUSTOMER, Columns, Others, Vocabulary, steps};
use crate::wire::problem::FieldError;

/// What the names of columns that are facts begin with.
const FACT: &str = "fact.";
/// The columns that are members of a question as they stand.
const TEXTS: [&str; 12] = [
    CUSTOMER,
    "channel",
    "purpose",
    "delivery",
    "contact_id",
    "campaign",
    "category",
    "brand",
    "subject",
    "sender",
    "send_at",
    "deadline",
];
/// Those that are members of its content.
const CONTENT: [&str; 3] = ["body", "language", "addressee"];
/// Those that may hold several values.
const LISTS: [&str; 2] = ["time_zone", "regions"];

pub const QUESTIONS: Vocabulary = Vocabulary {
    holds: "questions",
    known: &[
        CUSTOMER,
        "channel",
        "purpose",
        "delivery",
        "contact_id",
        "campaign",
        "category",
        "brand",
        "subject",
        "sender",
        "send_at",
        "deadline",
        "body",
        "language",
        "addressee",
        "time_zone",
        "regions",
        "claims",
        "audience",
    ],
    required: &[CUSTOMER, "channel", "purpose", "delivery"],
    others: Others::FactsCalled(FACT),
};

/// A row's question.
#[derive(Debug)]
pub struct Asked {
    pub line: u64,
    pub customer: String,
    pub channel: String,
    pub body: Value,
}

/// How rows become questions.
#[derive(Debug)]
pub struct Questions {
    pub columns: Columns,
    /// What the ids of contacts begin with that are made here; `None` where nothing is reserved, so that
    /// nobody will ask for one again.
    pub ids: Option<String>,
}

impl Questions {
    /// # Errors
    /// What is wrong with the row, where nobody else would see it.
    pub fn asked(&self, line: u64, fields: &StringRecord) -> Result<Asked, String> {
        let columns = &self.columns;
        let Some(customer) = columns.get(CUSTOMER, fields) else {
            return Err(format!("{}: is blank", columns.called(CUSTOMER)));
        };
        let mut body: Map<String, Value> = self.texts(&TEXTS, fields).collect();
        if let Some(ids) = self.ids.as_ref().filter(|_| !body.contains_key("contact_id")) {
            body.insert("contact_id".to_owned(), Value::from(format!("{ids}-{line}")));
        }
        for name in LISTS {
            if let Some(values) = columns.get(name, fields) {
                body.insert(name.to_owned(), list(values));
            }
        }
        if let Some(audience) = columns.get("audience", fields) {
            body.insert("audience".to_owned(), Value::from(audience));
        }
        let mut content: Map<String, Value> = self.texts(&CONTENT, fields).collect();
        if let Some(claims) = columns.get("claims", fields) {
            content.insert("claims".to_owned(), list(claims));
        }
        if !content.is_empty() {
            body.insert("content".to_owned(), Value::Object(content));
        }
        let facts: Map<String, Value> = columns
            .facts(fields)
            .map(|(name, text, as_text)| {
                let value = if as_text { Value::from(text) } else { typed(text) };
                (name.strip_prefix(FACT).unwrap_or(name).to_owned(), value)
            })
            .collect();
        if !facts.is_empty() {
            body.insert("facts".to_owned(), json!(facts));
        }
        let channel = columns.get("channel", fields).unwrap_or_default().to_owned();
        Ok(Asked { line, customer: customer.to_owned(), channel, body: Value::Object(body) })
    }

    fn texts<'a>(
        &'a self,
        names: &'a [&str],
        fields: &'a StringRecord,
    ) -> impl Iterator<Item = (String, Value)> + 'a {
        let given = |name: &&str| Some(((*name).to_owned(), Value::from(self.columns.get(name, fields)?)));
        names.iter().filter_map(given)
    }

    /// What is wrong with a row, by the names of its columns.
    pub fn reason(&self, errors: &[FieldError]) -> String {
        self.columns.reason(errors, |pointer| {
            let mut steps = steps(pointer);
            let first = steps.next().filter(|first| !first.is_empty())?;
            match first.as_str() {
                "content" => steps.next(),
                "facts" => steps.next().map(|name| format!("{FACT}{name}")),
                _ => Some(first),
            }
        })
    }
}

/// Several values with spaces, commas or semicolons between them.
fn list(values: &str) -> Value {
    values.split([' ', ',', ';']).filter(|value| !value.is_empty()).collect()
}
