//! The presets that ship with the program: policies without a time zone, to be extended.

use std::sync::OnceLock;

use serde::Deserialize;

use super::document::Document;

/// A preset and its text, which is part of every hash made from it.
pub struct Preset {
    pub name: &'static str,
    pub text: &'static str,
    document: OnceLock<Document>,
}

static PRESETS: [Preset; 2] = [
    Preset { name: "courtesy", text: include_str!("presets/courtesy.toml"), document: OnceLock::new() },
    Preset {
        name: "us-telemarketing",
        text: include_str!("presets/us-telemarketing.toml"),
        document: OnceLock::new(),
    },
];

impl Preset {
    /// The preset as written. Presets are part of the program and tested with it; one that cannot be
    /// read counts as empty.
    pub fn document(&self) -> &Document {
        self.document.get_or_init(|| {
            toml::de::Deserializer::parse(self.text)
                .ok()
                .and_then(|deserializer| Document::deserialize(deserializer).ok())
                .unwrap_or_default()
        })
    }
}

#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_compiles_on_its_own_and_has_a_kind_word_for_each_refusal() {
        for preset in &PRESETS {
            let text = format!("time_zone = \"UTC\"\n{}", preset.text);
            let policy = crate::policy::compile::compile(preset.name, &text).expect("a preset that compiles");
            assert!(!policy.rules.is_empty(), "{}", preset.name);
            for rule in &policy.rules {
                assert!(
                    rule.because.ends_with('.') && rule.because.len() > 30,
                    "{}: {}",
                    rule.id,
                    rule.because
                );
            }
        }
    }
}
