//! JSON as callers write and read it: questions, events and settings in, answers and problems out.
//!
//! Everything is checked here, at the edge, and comes out as a domain value that cannot be wrong; every
//! bad field is found at once and named by its JSON pointer.

pub mod answer;
pub mod answered;
pub mod batch;
pub mod claims;
pub mod customer;
pub mod event;
pub mod explanation;
pub mod export;
pub mod fact;
pub mod fields;
pub mod follow_up;
pub mod one_click;
pub mod outlook;
pub mod policy;
pub mod problem;
pub mod put;
pub mod query;
pub mod question;
pub mod shadow;
pub mod story;
pub mod suppression;
pub mod timeline;
pub mod wishes_form;
pub mod wishes_link;
