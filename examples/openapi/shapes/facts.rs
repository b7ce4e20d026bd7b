//! Facts about a customer.

use contact_governor::wire::fact::{DEEPEST, LONGEST_TEXT, MOST_FACTS};
use contact_governor::wire::fields::LONGEST_LIST;

use super::super::shape::{
    Members, Shape, about, boolean, bounded_list, bounded_text, format, list, map_named, named, never, null,
    number, one_of, or_null, spoken_label, text,
};
use super::question::{region, time_zone};

/// Their names among the shapes, the outermost first.
pub fn levels() -> impl Iterator<Item = (String, Shape)> {
    (1..=DEEPEST).map(|depth| (level_name(depth), level(depth)))
}

fn level_name(depth: usize) -> String {
    if depth == DEEPEST { "FactValue".to_owned() } else { format!("FactValue{depth}") }
}

/// A value that may nest so deep.
fn level(depth: usize) -> Shape {
    let scalars = [boolean(), number(), bounded_text(LONGEST_TEXT)];
    let nested = if depth > 1 {
        let inner = || named(&level_name(depth - 1));
        [bounded_list(inner(), LONGEST_LIST), map_named(text(), inner(), LONGEST_LIST)]
    } else {
        [bounded_list(null(), 0), map_named(text(), null(), 0)]
    };
    let said = format!("A value that may nest {depth} deep.");
    about(one_of(scalars.into_iter().chain(nested)), &said)
}

fn dated(value: Shape) -> Shape {
    Members::of("A fact, and of when it is.")
        .must("value", "What is so; `null` forgets it.", or_null(value))
        .may(
            "as_of",
            "Since when that is known; it ages from here. Now if left out.",
            format(format::DAY_OR_MOMENT),
        )
        .closed()
}

pub fn dated_fact() -> Shape {
    dated(named("FactValue"))
}

/// An object that is no dated fact.
pub fn plain_object() -> Shape {
    Members::of("An object as a value.")
        .maybe("value", "An object with this member is a fact with its date.", never())
        .others(text(), named(&level_name(DEEPEST - 1)), LONGEST_LIST)
}

pub fn fact() -> Shape {
    let list = bounded_list(named(&level_name(DEEPEST - 1)), LONGEST_LIST);
    let plain = [boolean(), number(), bounded_text(LONGEST_TEXT), list, null()];
    let shapes = plain.into_iter().chain([named("FactObject"), named("DatedFact")]);
    about(one_of(shapes), "A value, or a value with its date; `null` is a fact said to be unknown.")
}

/// Those facts that the governor itself reads, each with its date.
pub fn dated_time_zone() -> Shape {
    dated(one_of([time_zone(), list(time_zone())]))
}

pub fn dated_regions() -> Shape {
    dated(one_of([region(), list(region())]))
}

pub fn facts() -> Shape {
    let read = |one: fn() -> Shape, dated: &str| one_of([one(), list(one()), null(), named(dated)]);
    let zones = "Where the customer lives; serves where a question says nothing.";
    let regions = "Whose rules bind; serves where a question says nothing.";
    Members::of("Facts about the customer, by names of your choice.")
        .maybe("time_zone", zones, read(time_zone, "DatedTimeZone"))
        .maybe("regions", regions, read(region, "DatedRegions"))
        .others(spoken_label(), named("Fact"), MOST_FACTS)
}
