//! Over HTTP: this tree mirrors the routes.

mod bad_input;
mod batch;
mod campaigns;
mod claims;
mod customers;
mod events;
mod explain;
mod follow_ups;
mod health;
mod keys;
mod policy;
mod preflight;
mod rate_limit;
mod timeline;
mod wishes_page;
mod year;
