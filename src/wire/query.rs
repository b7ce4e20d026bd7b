//! What follows the question mark of an address, collecting everything that is wrong.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::domain::words::nearest;

use super::problem::{FieldError, Problem};
use super::question::not_among;

/// The parameters of one query. Asking for one marks it as known; [`Query::finish`] objects to the rest: what is
/// misspelt would otherwise go unnoticed, and a `dry_rum` reserve what it should not.
pub struct Query<'q> {
    given: Vec<(Cow<'q, str>, Cow<'q, str>)>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'q> Query<'q> {
    #[must_use]
    pub fn of(text: &'q str) -> Self {
        let given = form_urlencoded::parse(text.as_bytes()).collect();
        Self { given, known: Vec::new(), errors: Vec::new() }
    }

    fn error(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError { pointer: format!("?{name}"), detail: detail.into() });
    }

    fn get(&mut self, name: &'static str) -> Option<Cow<'q, str>> {
        self.known.push(name);
        let mut given = self.given.iter().filter(|(given, _)| given == name);
        let (first, another) = (given.next().map(|(_, value)| value.clone()), given.next().is_some());
        if another {
            self.error(name, "is given more than once");
        }
        first
    }

    /// A parameter that `read` makes something of, or says what would be right.
    pub fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match read(&self.get(name)?) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.error(name, detail);
                None
            }
        }
    }

    /// `true` or `false`; `false` where it is left out.
    pub fn switch(&mut self, name: &'static str) -> bool {
        let read = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        };
        self.read(name, read).unwrap_or_default()
    }

    /// A whole number, written in digits.
    pub fn whole(&mut self, name: &'static str, range: RangeInclusive<usize>) -> Option<usize> {
        self.read(name, |text| {
            let number = digits(text).and_then(|digits| digits.parse().ok());
            number
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// One of the known words.
    pub fn word<'k>(
        &mut self,
        name: &'static str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Option<&'k str> {
        self.read(name, |text| known.clone().find(|word| *word == text).ok_or_else(|| not_among(text, known)))
    }

    /// # Errors
    /// A problem that names every parameter that is wrong.
    pub fn finish(mut self) -> Result<(), Problem> {
        let unknown: Vec<_> =
            self.given.iter().filter(|(name, _)| !self.known.contains(&&**name)).cloned().collect();
        for (name, _) in unknown {
            let shown: String = name.chars().take(40).collect();
            let hint = nearest(&shown, self.known.iter().copied())
                .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
            self.error(&shown, format!("is not known here{hint}"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::fields(self.errors)) }
    }
}

/// The text, if it is digits and nothing else: what Rust reads as a number may also begin with a plus.
#[must_use]
pub fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}
