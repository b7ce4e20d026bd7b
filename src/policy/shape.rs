//! The first check of a file: does it have the shape the schema describes?
//!
//! One walk over the parsed TOML beside the JSON Schema of the document types finds every unknown key
//! (with what was probably meant), every missing one and every value of the wrong type, and takes what
//! is wrong out, so that the rest can still be read and judged.

use std::ops::Range;

use serde_json::Value as Schema;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::words::nearest;

use super::mistakes::Collector;

/// Checks `table` against `schema` and prunes what does not fit.
pub fn check(table: &mut Spanned<DeTable<'_>>, schema: &Schema, mistakes: &mut Collector<'_>) {
    let place = table.span();
    Checker { root: schema, mistakes }.check_table(table.get_mut(), &place, schema);
}

struct Checker<'s, 'c, 't> {
    root: &'s Schema,
    mistakes: &'c mut Collector<'t>,
}

impl<'s> Checker<'s, '_, '_> {
    /// Follows `$ref`, and looks past the `null` that an optional member may also be.
    fn resolve(&self, mut schema: &'s Schema) -> &'s Schema {
        loop {
            if let Some(reference) = schema.get("$ref").and_then(Schema::as_str) {
                let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
                else {
                    return schema;
                };
                schema = target;
            } else if let Some(options) = schema.get("anyOf").and_then(Schema::as_array) {
                let Some(real) =
                    options.iter().find(|option| option.get("type").is_none_or(|kind| kind != "null"))
                else {
                    return schema;
                };
                schema = real;
            } else {
                return schema;
            }
        }
    }

    /// Whether `value` can be read as the schema says.
    fn check(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'s Schema) -> bool {
        let schema = self.resolve(schema);
        let place = value.span();
        let choices = choices(schema);
        if !choices.is_empty() {
            return self.check_choice(value.get_ref(), &place, &choices);
        }
        match (value.get_mut(), kind(schema)) {
            (DeValue::Table(table), Some("object")) => {
                self.check_table(table, &place, schema);
                true
            }
            (DeValue::Array(array), Some("array")) => {
                let Some(items) = schema.get("items") else { return true };
                let mut sound = Vec::with_capacity(array.len());
                for item in array.iter_mut() {
                    sound.push(self.check(item, items));
                }
                let mut sound = sound.into_iter();
                let kept: Vec<_> = array.iter().filter(|_| sound.next().unwrap_or(false)).cloned().collect();
                *array = kept.into_iter().collect();
                true
            }
            (DeValue::String(_), Some("string")) | (DeValue::Boolean(_), Some("boolean")) => true,
            (DeValue::Integer(number), Some("integer")) => {
                let fits = i64::from_str_radix(number.as_str(), number.radix())
                    .is_ok_and(|number| (0..=i64::from(u32::MAX)).contains(&number));
                if !fits {
                    self.mistakes
                        .add(&place, format!("`{number}` is out of range; a whole number from 0 is wanted"));
                }
                fits
            }
            (other, wanted) => {
                let message = format!("expected {}, found {}", article(wanted), described(other));
                self.mistakes.add(&place, message);
                false
            }
        }
    }

    fn check_choice(&mut self, value: &DeValue<'_>, place: &Range<usize>, choices: &[&str]) -> bool {
        let listed = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
        match value.as_str() {
            Some(text) if choices.contains(&text) => true,
            Some(text) => {
                let hint = did_you_mean(text, choices.iter().copied());
                self.mistakes.add(place, format!("`{text}` is none of {listed}{hint}"));
                false
            }
            None => {
                self.mistakes.add(place, format!("expected one of {listed}, found {}", described(value)));
                false
            }
        }
    }

    fn check_table(&mut self, table: &mut DeTable<'_>, place: &Range<usize>, schema: &'s Schema) {
        let properties = schema.get("properties").and_then(Schema::as_object);
        let any_key = schema.get("additionalProperties").filter(|schema| schema.is_object());
        let mut unsound = Vec::new();
        let mut mistyped = Vec::new();
        for (key, value) in table.iter_mut() {
            let known = properties.and_then(|properties| properties.get(key.get_ref().as_ref())).or(any_key);
            let sound = match known {
                Some(schema) => self.check(value, schema),
                None => {
                    let known =
                        properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str));
                    mistyped.extend(nearest(key.get_ref(), known.clone()));
                    let hint = did_you_mean(key.get_ref(), known.clone());
                    let hint = if hint.is_empty() {
                        format!(
                            "; known here: {}",
                            known.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
                        )
                    } else {
                        hint
                    };
                    self.mistakes.add(&key.span(), format!("unknown key `{}`{hint}", key.get_ref()));
                    false
                }
            };
            if !sound {
                unsound.push(key.clone());
            }
        }
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for key in required.filter_map(Schema::as_str) {
            if !mistyped.contains(&key) && !table.keys().any(|present| present.get_ref() == key) {
                self.mistakes.add(place, format!("missing key `{key}`{}", about(schema, key)));
            }
        }
        for key in unsound {
            table.remove(&key);
        }
    }
}

/// `; did you mean …?`, if anything is near.
#[must_use]
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// What the schema says of a member, for the mistake that it is missing.
fn about(schema: &Schema, key: &str) -> String {
    schema
        .pointer(&format!("/properties/{key}/description"))
        .and_then(Schema::as_str)
        .map_or_else(String::new, |about| format!(" ({})", about.trim_end_matches('.')))
}

fn kind(schema: &Schema) -> Option<&str> {
    match schema.get("type")? {
        Schema::String(kind) => Some(kind),
        Schema::Array(kinds) => kinds.iter().filter_map(Schema::as_str).find(|kind| *kind != "null"),
        Schema::Null | Schema::Bool(_) | Schema::Number(_) | Schema::Object(_) => None,
    }
}

/// The words an enumeration allows, whether written as `enum` or as `oneOf` constants.
fn choices(schema: &Schema) -> Vec<&str> {
    let plain =
        schema.get("enum").and_then(Schema::as_array).into_iter().flatten().filter_map(Schema::as_str);
    let documented =
        schema.get("oneOf").and_then(Schema::as_array).into_iter().flatten().flat_map(|option| {
            match (option.get("const"), option.get("enum")) {
                (Some(constant), _) => constant.as_str().into_iter().collect::<Vec<_>>(),
                (None, Some(Schema::Array(values))) => values.iter().filter_map(Schema::as_str).collect(),
                (None, _) => Vec::new(),
            }
        });
    plain.chain(documented).collect()
}

fn article(kind: Option<&str>) -> String {
    match kind {
        Some("object") => "a table".to_owned(),
        Some("array") => "a list".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some(kind) => format!("a {kind}"),
        None => "something else".to_owned(),
    }
}

fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string `{text}`"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        DeValue::Datetime(datetime) => format!("the date `{datetime}` (write it in quotes)"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
