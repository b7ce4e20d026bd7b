//! Reading JSON objects member by member, collecting everything that is wrong.

use serde_json::{Map, Value};

use crate::domain::moment::Moment;
use crate::domain::words::{Name, nearest};

use super::problem::FieldError;

/// The longest customer or contact id, in characters.
pub const LONGEST_ID: usize = 256;
/// The longest name of a campaign, sender and the like, in characters.
pub const LONGEST_NAME: usize = 128;
/// The most members of any list a caller may give.
pub const LONGEST_LIST: usize = 64;

/// The members of one object. Asking for a member marks it as known; [`Fields::finish`] objects to the
/// rest.
pub struct Fields<'v, 'e> {
    members: &'v Map<String, Value>,
    pointer: String,
    known: Vec<&'static str>,
    errors: &'e mut Vec<FieldError>,
}

impl<'v, 'e> Fields<'v, 'e> {
    /// The members of `value`, which stands at `pointer`; an error if it is no object.
    pub fn of(value: &'v Value, pointer: &str, errors: &'e mut Vec<FieldError>) -> Option<Self> {
        match value {
            Value::Object(members) => {
                Some(Self { members, pointer: pointer.to_owned(), known: Vec::new(), errors })
            }
            other => {
                let detail = format!("expected an object, found {}", described(other));
                errors.push(FieldError { pointer: pointer.to_owned(), detail });
                None
            }
        }
    }

    #[must_use]
    pub fn pointer_to(&self, member: &str) -> String {
        format!("{}/{}", self.pointer, escaped(member))
    }

    pub fn error(&mut self, member: &str, detail: impl Into<String>) {
        let pointer = self.pointer_to(member);
        self.errors.push(FieldError { pointer, detail: detail.into() });
    }

    /// An error about one entry of a member that is a list.
    pub fn entry_error(&mut self, member: &str, index: usize, detail: impl Into<String>) {
        let pointer = format!("{}/{index}", self.pointer_to(member));
        self.errors.push(FieldError { pointer, detail: detail.into() });
    }

    pub fn errors(&mut self) -> &mut Vec<FieldError> {
        self.errors
    }

    /// A member, `null` counting as absent.
    pub fn get(&mut self, member: &'static str) -> Option<&'v Value> {
        self.known.push(member);
        self.members.get(member).filter(|value| !value.is_null())
    }

    /// A member that must be there.
    pub fn required(&mut self, member: &'static str) -> Option<&'v Value> {
        let value = self.get(member);
        if value.is_none() {
            self.error(member, "is required");
        }
        value
    }

    /// A member whether `null` or not.
    pub fn get_or_null(&mut self, member: &'static str) -> Option<&'v Value> {
        self.known.push(member);
        self.members.get(member)
    }

    pub fn text(&mut self, member: &'static str) -> Option<&'v str> {
        let value = self.get(member)?;
        self.as_text(member, value)
    }

    pub fn as_text(&mut self, member: &str, value: &'v Value) -> Option<&'v str> {
        if let Value::String(text) = value {
            return Some(text);
        }
        self.error(member, format!("expected a string, found {}", described(value)));
        None
    }

    /// A short printable text; the empty one counts as not given.
    pub fn name(&mut self, member: &'static str) -> Option<Name> {
        let text = self.text(member)?;
        self.as_name(member, text, LONGEST_NAME)
    }

    /// A customer's or contact's id: not empty.
    pub fn id(&mut self, member: &'static str) -> Option<Name> {
        let text = self.text(member)?;
        if text.is_empty() {
            self.error(member, "may not be empty");
            return None;
        }
        self.as_name(member, text, LONGEST_ID)
    }

    fn as_name(&mut self, member: &str, text: &str, longest: usize) -> Option<Name> {
        match name_error(text, longest) {
            Some(detail) => {
                self.error(member, detail);
                None
            }
            None => (!text.is_empty()).then(|| text.into()),
        }
    }

    /// An RFC 3339 date-time.
    pub fn moment(&mut self, member: &'static str) -> Option<Moment> {
        let text = self.text(member)?;
        let moment = Moment::parse(text);
        if moment.is_none() {
            self.error(member, not_a_moment(text));
        }
        moment
    }

    pub fn boolean(&mut self, member: &'static str) -> Option<bool> {
        let value = self.get(member)?;
        if let Value::Bool(truth) = value {
            return Some(*truth);
        }
        self.error(member, format!("expected true or false, found {}", described(value)));
        None
    }

    /// A list, or one value standing for a list of one.
    pub fn one_or_many(&mut self, member: &'static str) -> &'v [Value] {
        match self.get(member) {
            None => &[],
            Some(Value::Array(values)) => self.bounded(member, values),
            Some(value) => std::slice::from_ref(value),
        }
    }

    pub fn list(&mut self, member: &'static str) -> Option<&'v [Value]> {
        match self.get(member)? {
            Value::Array(values) => Some(self.bounded(member, values)),
            other => {
                self.error(member, format!("expected a list, found {}", described(other)));
                None
            }
        }
    }

    fn bounded(&mut self, member: &str, values: &'v [Value]) -> &'v [Value] {
        if values.len() > LONGEST_LIST {
            self.error(member, format!("a list may have at most {LONGEST_LIST} members"));
            return &[];
        }
        values
    }

    /// Objects to every member nobody asked for.
    pub fn finish(self) {
        for member in self.members.keys() {
            if !self.known.contains(&member.as_str()) {
                let hint = nearest(member, self.known.iter().copied())
                    .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
                let pointer = format!("{}/{}", self.pointer, escaped(member));
                self.errors.push(FieldError { pointer, detail: format!("is not known here{hint}") });
            }
        }
    }
}

/// A whole number; `1.0` is one, as it is to JSON Schema and to a question's fingerprint.
#[must_use]
pub fn whole(value: &Value) -> Option<i64> {
    let exact = |float: &f64| float.fract() == 0.0 && float.abs() < 9.0e15;
    value.as_i64().or_else(|| value.as_f64().filter(exact).map(|float| float as i64))
}

/// What is wrong with a name, if anything is.
#[must_use]
pub fn name_error(text: &str, longest: usize) -> Option<String> {
    if text.chars().count() > longest {
        return Some(format!("may have at most {longest} characters"));
    }
    text.chars().any(char::is_control).then(|| "may not contain control characters".to_owned())
}

#[must_use]
pub fn not_a_moment(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("`{shown}` is not an RFC 3339 date-time with an offset, such as `2026-11-21T18:00:00Z`")
}

/// A member's name as a step of a JSON pointer.
#[must_use]
pub fn escaped(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}

/// What a value is, in a word or two.
#[must_use]
pub const fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
