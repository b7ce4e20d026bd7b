//! What is known about a customer, and how old that knowledge is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::moment::Moment;
use super::words::Name;

/// The kept fact that serves as time zone where a question brings none.
pub const TIME_ZONE_FACT: &str = "time_zone";
/// The kept fact that serves as regions where a question brings none.
pub const REGIONS_FACT: &str = "regions";

/// A fact's value: what JSON can say, short of `null` (which forgets).
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(Arc<str>),
    List(Vec<Self>),
    Object(BTreeMap<Name, Self>),
}

impl FactValue {
    /// The texts in it: itself, or the members of a list of texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let one = if let Self::Text(text) = self { Some(&**text) } else { None };
        let many = if let Self::List(values) = self { values.as_slice() } else { &[] };
        one.into_iter().chain(many.iter().filter_map(|value| match value {
            Self::Text(text) => Some(&**text),
            Self::Bool(_) | Self::Whole(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }))
    }
}

/// A fact, and the moment it was true.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub value: FactValue,
    /// The moment the fact is of. A fact in a question that names none is of the moment of asking.
    pub as_of: Option<Moment>,
}

/// A customer's facts by name. `None` is a fact said to be unknown.
pub type Facts = BTreeMap<Name, Option<Fact>>;
