//! Reading the settings one by one: each says what is wrong with it, and the others are read all the same.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::domain::moment::Span;
use crate::domain::words::nearest;

use super::{LedgerUrl, Secret};

/// The settings as they are layered, and what is wrong with them.
pub struct Reading<'v> {
    pub layered: &'v Value,
    pub mistakes: Vec<String>,
}

impl<'v> Reading<'v> {
    /// Every name there is must be one of the default file's, `defaults`.
    pub fn begin(layered: &'v Value, defaults: &str) -> Self {
        let mut reading = Self { layered, mistakes: Vec::new() };
        reading.check_names(defaults);
        reading
    }

    fn check_names(&mut self, defaults: &str) {
        let defaults: Value = toml::from_str(defaults).unwrap_or_default();
        let known = leaves(&defaults, "");
        for name in leaves(self.layered, "") {
            // Whoever writes a key names it; what stands in its line is looked at there.
            if !known.contains(&name) && !name.starts_with("keys.") {
                let hint = nearest(&name, known.iter().map(String::as_str))
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                self.mistakes.push(format!("setting {name}: there is no such setting{hint}"));
            }
        }
    }

    pub fn text(&self, name: &str) -> String {
        let mut value = self.layered;
        for part in name.split('.') {
            value = value.get(part).unwrap_or(&Value::Null);
        }
        match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// A value, or its type's default after noting what is wrong.
    pub fn parsed<T: Placeholder>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        parse(&self.text(name)).unwrap_or_else(|mistake| {
            self.mistakes.push(format!("setting {name}: {mistake}"));
            T::placeholder()
        })
    }

    /// What is given, if it is not empty.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.given(name).map(PathBuf::from)
    }

    pub fn number(&mut self, name: &str, least: usize, most: usize) -> usize {
        self.parsed(name, |text| match text.parse::<usize>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            Ok(_) | Err(_) => Err(format!("`{text}` is not a whole number from {least} to {most}")),
        })
    }

    /// A duration that the HTTP library measures, to half a second.
    pub fn seconds(&mut self, name: &str) -> Duration {
        let duration = self.duration(name);
        if duration < Duration::from_secs(1) && !duration.is_zero() {
            self.mistakes.push(format!("setting {name}: at least `1s`"));
        }
        duration
    }

    /// A duration that may be nought.
    pub fn duration_or_none(&mut self, name: &str) -> Duration {
        if self.text(name) == "0s" { Duration::ZERO } else { self.duration(name) }
    }

    pub fn duration(&mut self, name: &str) -> Duration {
        self.parsed(name, |text| {
            let millis = text.strip_suffix("ms").and_then(|number| number.parse().ok()).filter(|ms| *ms > 0);
            millis
                .or_else(|| Span::parse(text).map(|span| span.millis().unsigned_abs()))
                .map(Duration::from_millis)
                .ok_or_else(|| format!("`{text}` is not a duration; write `10s` or `250ms`"))
        })
    }
}

/// What stands in for a value that could not be read, so that the others still are.
pub trait Placeholder {
    fn placeholder() -> Self;
}

macro_rules! placeholder {
    ($($type:ty => $value:expr),* $(,)?) => {
        $(impl Placeholder for $type {
            fn placeholder() -> Self {
                $value
            }
        })*
    };
}

placeholder! {
    SocketAddr => SocketAddr::from(([127, 0, 0, 1], 0)),
    usize => 0,
    Duration => Duration::ZERO,
    LedgerUrl => LedgerUrl::Memory,
    Option<Span> => None,
    Vec<Secret> => Vec::new(),
    Vec<Vec<u8>> => Vec::new(),
    Option<Secret> => None,
    String => String::new(),
    bool => false,
}

/// The dotted names of all values.
fn leaves(value: &Value, prefix: &str) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                leaves(value, &name)
            })
            .collect(),
        _ => vec![prefix.to_owned()],
    }
}
