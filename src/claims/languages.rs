//! The phrases that come with the program, one file a language.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fold::Folding;
use super::lexicon::Lexicon;
use super::phrases::{Binding, Says, fold_word, spellings};
use super::syntax::Sets;
use crate::domain::words::Claim;

const FILES: [(&str, &str); 4] = [
    ("en", include_str!("languages/en.toml")),
    ("es", include_str!("languages/es.toml")),
    ("fr", include_str!("languages/fr.toml")),
    ("de", include_str!("languages/de.toml")),
];

/// Words that mean the same in any of the languages.
const CONCEPTS: &str = include_str!("languages/concepts.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Named sets of words.
    #[serde(default)]
    words: Sets,
    /// Other spellings, and the words they are read as.
    #[serde(default)]
    spellings: BTreeMap<String, String>,
    /// Words in no phrase that disguised words may turn out to be.
    #[serde(default)]
    ordinary: String,
    claims: BTreeMap<String, Lists>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    #[serde(default)]
    makes: Vec<String>,
    #[serde(default)]
    hints: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
}

/// Adds all languages; each mistake as `language, claim, list, phrase: what`.
pub(super) fn add_all(binding: &mut Binding<'_>, lexicon: &mut Lexicon, folding: &Folding) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (language, text) in FILES {
        match toml::from_str::<File>(text) {
            Ok(file) => add(language, &file, binding, lexicon, folding, &mut mistakes),
            Err(error) => mistakes.push(format!("{language}: {error}")),
        }
    }
    match toml::from_str::<BTreeMap<String, String>>(CONCEPTS) {
        Ok(concepts) => add_concepts(&concepts, lexicon, folding),
        Err(error) => mistakes.push(format!("concepts: {error}")),
    }
    mistakes
}

fn add_concepts(concepts: &BTreeMap<String, String>, lexicon: &mut Lexicon, folding: &Folding) {
    for (number, words) in (1..).zip(concepts.values()) {
        for word in words.split_whitespace() {
            let bare = word.trim_end_matches('*');
            for letters in spellings(bare, folding) {
                lexicon.add_concept(&letters, bare.len() < word.len(), number);
            }
        }
    }
}

fn add(
    language: &str,
    file: &File,
    binding: &mut Binding<'_>,
    lexicon: &mut Lexicon,
    folding: &Folding,
    mistakes: &mut Vec<String>,
) {
    for (spelling, words) in &file.spellings {
        let words = words.split_whitespace().map(|word| fold_word(word, folding)).collect();
        lexicon.add_alias(&fold_word(spelling, folding), words);
    }
    for word in file.ordinary.split_whitespace() {
        lexicon.add_ordinary(super::lexicon::hash_word(&fold_word(word, folding)));
    }
    for (name, lists) in &file.claims {
        let Some(claim) = Claim::parse(name) else {
            mistakes.push(format!("{language}: `{name}` is no claim"));
            continue;
        };
        for (says, list) in
            [(Says::Makes, &lists.makes), (Says::Hints, &lists.hints), (Says::Not, &lists.not)]
        {
            for phrase in list {
                if let Err(what) = binding.add(claim, says, false, phrase, &file.words) {
                    mistakes.push(format!("{language}, {name}, {says:?}, `{phrase}`: {what}"));
                }
            }
        }
    }
}
