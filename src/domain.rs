//! The words of the trade: customer, channel, contact, event, record, question, verdict.
//!
//! Everything here is a plain value. This module knows no clock, no store, no wire format and no
//! rule; whoever needs the time gets it as a [`moment::Moment`] argument.

pub mod account;
pub mod answer;
pub mod caller;
pub mod condition;
pub mod consent;
pub mod contact;
pub mod event;
pub mod fact;
pub mod follow_up;
pub mod halts;
pub mod moment;
pub mod note;
pub mod opening_hours;
pub mod question;
pub mod record;
pub mod refusal;
pub mod suppression;
pub mod timeline;
pub mod tombstone;
pub mod wall_clock;
pub mod window;
pub mod wishes;
pub mod words;
