//! From a policy file to a [`Policy`], or every mistake at once.
//!
//! The file is parsed, checked for shape, read into [`Document`] and then for meaning: names against
//! vocabularies, numbers against one another, expressions compiled. A part that is wrong is reported
//! and left out, so that the rest is checked all the same.

mod company;
mod follow_ups;
mod hours;
mod names;
mod phrases;
pub use names::{LONGEST_REGION, region};
mod rules;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use crate::domain::answer::{PolicyMark, RESERVED_RULE_IDS};
use crate::domain::words::Name;
use crate::rules::Rule;

use super::Policy;
use super::document::Document;
use super::mistakes::{Collector, Mistakes};
use super::placed::Placed;
use super::presets::Preset;
use super::{presets, shape};

/// The largest policy file, in bytes: a thousand rules of a kilobyte.
pub const LARGEST_FILE_BYTES: usize = 1024 * 1024;
/// The most rules a policy may have, presets included: each is judged on every question.
pub const MOST_RULES: usize = 500;

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(|| schemars::schema_for!(Document).to_value());

/// The JSON Schema of policy files.
#[must_use]
pub fn schema() -> &'static serde_json::Value {
    &SCHEMA
}

/// Compiles a policy file; `file` is what it is called in mistakes.
///
/// # Errors
/// Every mistake found, in the order of the file.
pub fn compile(file: &str, text: &str) -> Result<Policy, Mistakes> {
    let mut mistakes = Collector::new(text);
    if text.len() > LARGEST_FILE_BYTES {
        mistakes.add(&(0..0), format!("a policy may have at most {LARGEST_FILE_BYTES} bytes"));
        return Err(mistakes.into_mistakes(file));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        mistakes.add(&error.span().unwrap_or(0..0), error.message().trim().replace('\n', "; "));
    }
    if !mistakes.is_empty() {
        return Err(mistakes.into_mistakes(file));
    }
    compile_table(file, text, table, text.as_bytes())
}

/// Compiles a policy that is a table within `text`; `identity` is what its hash is made of.
///
/// # Errors
/// Every mistake found, in the order of the file.
pub fn compile_table(
    file: &str,
    text: &str,
    mut table: Spanned<DeTable<'_>>,
    identity: &[u8],
) -> Result<Policy, Mistakes> {
    let mut mistakes = Collector::new(text);
    shape::check(&mut table, schema(), &mut mistakes);
    let document = match Document::deserialize(toml::de::Deserializer::from(table)) {
        Ok(document) => document,
        Err(error) => {
            mistakes.add(&error.span().unwrap_or(0..0), error.message());
            return Err(mistakes.into_mistakes(file));
        }
    };
    let presets = extended(&document, &mut mistakes);
    let policy = put_together(&document, &presets, identity, &mut mistakes);
    if mistakes.is_empty() { Ok(policy) } else { Err(mistakes.into_mistakes(file)) }
}

/// The presets a document names.
fn extended(document: &Document, mistakes: &mut Collector<'_>) -> Vec<&'static Preset> {
    let mut extended: Vec<&'static Preset> = Vec::new();
    for name in document.extends.iter().flatten() {
        match presets::find(name) {
            Some(preset) if extended.iter().any(|known| known.name == preset.name) => {
                mistakes.add(&name.place, format!("preset `{}` is named twice", name.value));
            }
            Some(preset) => extended.push(preset),
            None => {
                let hint = shape::did_you_mean(name, presets::names());
                let known = presets::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                mistakes.add(
                    &name.place,
                    format!("no preset is called `{}`{hint}; there are {known}", name.value),
                );
            }
        }
    }
    extended
}

fn put_together(
    document: &Document,
    presets: &[&'static Preset],
    identity: &[u8],
    mistakes: &mut Collector<'_>,
) -> Policy {
    let layers: Vec<&Document> =
        presets.iter().map(|preset| preset.document()).chain(std::iter::once(document)).collect();
    let mut company = company::compile(document, &layers, mistakes);
    company.duties = follow_ups::compile(document, &layers, mistakes);
    check_ids(document, mistakes);

    let mut rules: Vec<Rule> = Vec::new();
    let mut silent = Collector::new("");
    for kind in rules::KINDS {
        for (index, preset) in presets.iter().enumerate() {
            let overlaid: BTreeSet<&str> =
                layers.iter().skip(index + 1).flat_map(|layer| rules::ids(layer)).collect();
            let origin = Some(Name::from(preset.name));
            let preset_rules = kind(preset.document(), &company, &mut silent);
            rules.extend(preset_rules.into_iter().filter(|rule| !overlaid.contains(&*rule.id)).map(
                |mut rule| {
                    rule.preset.clone_from(&origin);
                    rule
                },
            ));
        }
        rules.extend(kind(document, &company, mistakes));
    }
    if rules.len() > MOST_RULES {
        mistakes.add(
            &(0..0),
            format!("a policy may have at most {MOST_RULES} rules; this one has {}", rules.len()),
        );
    }
    Policy {
        mark: mark(document, presets, identity),
        company,
        rules,
        reader: phrases::compile(document, &layers, mistakes),
        extends: presets.iter().map(|preset| Name::from(preset.name)).collect(),
    }
}

/// No id twice in one file, nor one that reasons use for what is no rule.
fn check_ids(document: &Document, mistakes: &mut Collector<'_>) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for id in rules::placed_ids(document) {
        if RESERVED_RULE_IDS.contains(&id.value.as_str()) {
            mistakes
                .add(&id.place, format!("a rule may not be called `{}`: reasons use that word", id.value));
        }
        if id.value.is_empty()
            || id.value.chars().count() > names::LONGEST_NAME
            || id.value.chars().any(char::is_control)
        {
            mistakes.add(&id.place, format!("an id has 1 to {} printable characters", names::LONGEST_NAME));
        }
        if !seen.insert(&id.value) {
            mistakes.add(&id.place, format!("another rule is already called `{}`", id.value));
        }
    }
}

/// The policy's name and the digest of everything it is made of.
fn mark(document: &Document, presets: &[&'static Preset], identity: &[u8]) -> PolicyMark {
    let mut hasher = blake3::Hasher::new();
    hasher.update(identity);
    for preset in presets {
        hasher.update(preset.text.as_bytes());
    }
    let hash: String = hasher.finalize().to_hex().chars().take(16).collect();
    let version = document.version.as_ref().map_or("unversioned", |version| version.value.as_str());
    PolicyMark { version: version.into(), hash: hash.into() }
}

/// A text shared with the policy.
fn shared(text: &Placed<String>) -> Arc<str> {
    text.value.as_str().into()
}
