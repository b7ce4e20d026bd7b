//! What a message asserts: read from its words, and declared by its sender.
//!
//! Text in, claims out, each with the place it was read at. Two readers share the work: phrases with slots,
//! one data file a language, and a small linear model over the words of each sentence and the phrases found
//! in it. Both read what a person would see: markup, disguises, placeholders and quoted words are dealt
//! with first. See `docs/claims.md`.
//!
//! The module knows nothing of policies, customers or time; the same text always gives the same reading.

mod disguise;
mod features;
mod fold;
mod languages;
mod lexicon;
mod markup;
#[doc(hidden)]
pub mod model;
mod phrases;
mod placeholders;
mod quotes;
mod reader;
mod search;
mod shelf;
mod syntax;
mod tags;
mod tokens;
mod transfer;

pub use reader::{Message, OwnPhrases, Part, PhraseList, PhraseMistake, Reader, Reading, Span};
pub use shelf::{Shelf, built_in};
