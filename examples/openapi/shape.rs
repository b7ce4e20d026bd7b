//! Schemas, said in the words of this program: ids, labels, moments, members that may be left out.
//!
//! Bounds come from where the readers have theirs.

use contact_governor::wire::fields::{LONGEST_ID, LONGEST_LIST, LONGEST_NAME};
use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema, SchemaFormat};

pub type Shape = RefOr<Schema>;

/// No control characters anywhere.
pub const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// The formats that JSON Schema does not know and this document uses.
pub mod format {
    /// A name of the IANA time zone database.
    pub const TIME_ZONE: &str = "time-zone";
    /// A condition in the Common Expression Language; blank is none.
    pub const CEL: &str = "cel";
    /// `rolling 7d`, `calendar week`, `local 30 days`, `lifetime`.
    pub const WINDOW: &str = "window";
    /// `09:00-20:00`: within one day, ending later than it begins.
    pub const OPEN_RANGE: &str = "open-range";
    /// An RFC 3339 date-time, or a date.
    pub const DAY_OR_MOMENT: &str = "date-or-date-time";
}

fn of(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

/// Any text.
pub fn text() -> Shape {
    of(Type::String).into()
}

/// Any text that says something.
pub fn spoken_text() -> Shape {
    of(Type::String).min_length(Some(1)).into()
}

/// A short printable text, as [`contact_governor::wire::fields::Fields::name`] reads it; empty is as if left out.
pub fn label() -> Shape {
    of(Type::String).max_length(Some(LONGEST_NAME)).pattern(Some(PRINTABLE)).into()
}

/// The same where it must say something.
pub fn spoken_label() -> Shape {
    let label = of(Type::String).min_length(Some(1)).max_length(Some(LONGEST_NAME));
    label.pattern(Some(PRINTABLE)).into()
}

/// A customer's or contact's id, as [`contact_governor::wire::fields::Fields::id`] reads it.
pub fn id() -> Shape {
    of(Type::String).min_length(Some(1)).max_length(Some(LONGEST_ID)).pattern(Some(PRINTABLE)).into()
}

pub fn pattern(pattern: &str) -> Shape {
    of(Type::String).pattern(Some(pattern)).into()
}

pub fn bounded_pattern(pattern: &str, longest: usize) -> Shape {
    of(Type::String).max_length(Some(longest)).pattern(Some(pattern)).into()
}

pub fn bounded_text(longest: usize) -> Shape {
    of(Type::String).max_length(Some(longest)).into()
}

/// What no value is.
pub fn never() -> Shape {
    of(Type::String).min_length(Some(1)).max_length(Some(0)).into()
}

fn formatted(format: &str) -> ObjectBuilder {
    of(Type::String).format(Some(SchemaFormat::Custom(format.to_owned())))
}

pub fn format(format: &str) -> Shape {
    formatted(format).into()
}

/// RFC 3339 with an offset.
pub fn moment() -> Shape {
    formatted("date-time").min_length(Some("2026-11-21T18:00:00Z".len())).into()
}

/// What is no JSON, but has lines or parts that are.
pub fn lines_of(media_type: &str, one: Shape) -> Shape {
    let lines = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
    lines.content_media_type(media_type).content_schema(Some(one)).into()
}

/// Anything that is JSON.
pub fn any() -> Shape {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

pub fn boolean() -> Shape {
    of(Type::Boolean).into()
}

pub fn number() -> Shape {
    of(Type::Number).into()
}

pub fn whole_from(least: i64) -> Shape {
    of(Type::Integer).minimum(Some(least as isize)).into()
}

pub fn whole_within(least: i64, most: i64) -> Shape {
    of(Type::Integer).minimum(Some(least as isize)).maximum(Some(most as isize)).into()
}

pub fn null() -> Shape {
    of(Type::Null).into()
}

pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Shape {
    of(Type::String).enum_values(Some(words)).into()
}

/// The shape of that name, which stands once for all.
pub fn named(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

/// At most as many as a caller may give.
pub fn list(one: Shape) -> Shape {
    bounded_list(one, LONGEST_LIST)
}

pub fn bounded_list(one: Shape, most: usize) -> Shape {
    ArrayBuilder::new().items(ArrayItems::RefOrSchema(Box::new(one))).max_items(Some(most)).into()
}

/// As many as there are.
pub fn every(one: Shape) -> Shape {
    ArrayBuilder::new().items(ArrayItems::RefOrSchema(Box::new(one))).into()
}

/// At least one.
pub fn some(one: Shape) -> Shape {
    let list = ArrayBuilder::new().items(ArrayItems::RefOrSchema(Box::new(one)));
    list.min_items(Some(1)).max_items(Some(LONGEST_LIST)).into()
}

pub fn one_of(shapes: impl IntoIterator<Item = Shape>) -> Shape {
    shapes.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// An object whose members have names of anybody's choice.
pub fn map(of_each: Shape) -> Shape {
    of(Type::Object).additional_properties(Some(of_each)).into()
}

/// The same with names of a pattern, and no more than so many.
pub fn map_named(names: Shape, of_each: Shape, most: usize) -> Shape {
    let RefOr::T(names) = names else { return map(of_each) };
    let map = of(Type::Object).property_names(Some(names)).additional_properties(Some(of_each));
    map.max_properties(Some(most)).into()
}

/// The shape, or `null`.
pub fn or_null(shape: Shape) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = with_null(object.schema_type);
            if let Some(values) = &mut object.enum_values {
                values.push(Value::Null);
            }
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = with_null(array.schema_type);
            RefOr::T(Schema::Array(array))
        }
        RefOr::T(Schema::OneOf(mut choice)) => {
            choice.items.push(null());
            RefOr::T(Schema::OneOf(choice))
        }
        other => one_of([other, null()]),
    }
}

fn with_null(kind: SchemaType) -> SchemaType {
    match kind {
        SchemaType::Type(Type::Null) => SchemaType::Type(Type::Null),
        SchemaType::Type(kind) => SchemaType::Array(vec![kind, Type::Null]),
        SchemaType::Array(kinds) => SchemaType::Array(kinds.into_iter().chain([Type::Null]).collect()),
        SchemaType::AnyValue => SchemaType::AnyValue,
    }
}

/// The object, or one of these.
pub fn or(shape: Shape, kinds: impl IntoIterator<Item = Type>) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = SchemaType::Array([Type::Object].into_iter().chain(kinds).collect());
            RefOr::T(Schema::Object(object))
        }
        other => other,
    }
}

/// The shape, said what it is.
pub fn about(shape: Shape, said: &str) -> Shape {
    match shape {
        RefOr::Ref(mut named) => {
            said.clone_into(&mut named.description);
            RefOr::Ref(named)
        }
        RefOr::T(schema) => RefOr::T(match schema {
            Schema::Object(mut object) => {
                object.description = Some(said.to_owned());
                Schema::Object(object)
            }
            Schema::Array(mut array) => {
                array.description = Some(said.to_owned());
                Schema::Array(array)
            }
            Schema::OneOf(mut choice) => {
                choice.description = Some(said.to_owned());
                Schema::OneOf(choice)
            }
            other => other,
        }),
    }
}

/// An example of it.
pub fn like(shape: Shape, example: impl Into<Value>) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            object.examples.push(example.into());
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::OneOf(mut choice)) => {
            choice.examples.push(example.into());
            RefOr::T(Schema::OneOf(choice))
        }
        other => other,
    }
}

/// What stands for it where it is left out.
pub fn usually(shape: Shape, value: impl Into<Value>) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) => {
            object.default = Some(value.into());
            RefOr::T(Schema::Object(object))
        }
        other => other,
    }
}

/// An object, member by member.
pub struct Members(ObjectBuilder);

impl Members {
    pub fn of(said: &str) -> Self {
        Self(of(Type::Object).description(Some(said)))
    }

    /// A member that is always there.
    pub fn must(self, name: &str, said: &str, shape: Shape) -> Self {
        Self(self.0.property(name, about(shape, said)).required(name))
    }

    /// A member that a caller may leave out, or give as `null`, which is the same.
    pub fn may(self, name: &str, said: &str, shape: Shape) -> Self {
        self.maybe(name, said, or_null(shape))
    }

    /// A member that is there or is not, and never `null`.
    pub fn maybe(self, name: &str, said: &str, shape: Shape) -> Self {
        Self(self.0.property(name, about(shape, said)))
    }

    /// A member that is always there, and `null` where there is nothing to say.
    pub fn known(self, name: &str, said: &str, shape: Shape) -> Self {
        self.must(name, said, or_null(shape))
    }

    /// Members nobody described are refused.
    pub fn closed(self) -> Shape {
        self.0.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))).into()
    }

    /// Members nobody described are passed over. What is answered is open in this sense: members may be added.
    pub fn open(self) -> Shape {
        self.0.into()
    }

    /// Members nobody described are of one shape, their names of a pattern, no more than so many.
    pub fn others(self, names: Shape, of_each: Shape, most: usize) -> Shape {
        let RefOr::T(names) = names else { return self.open() };
        let object = self.0.property_names(Some(names)).additional_properties(Some(of_each));
        object.max_properties(Some(most)).into()
    }
}
