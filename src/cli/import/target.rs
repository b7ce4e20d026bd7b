//! Where rows are stored: in a ledger of our own, or by a governor that is running.
//!
//! Rows of one customer are stored in their order, those of different customers at once: they are dealt to
//! lanes by customer, and the lanes run side by side.

use futures_util::future::join_all;

use crate::cli::columns::CUSTOMER;
use crate::cli::lanes::{self, Stop};
use crate::clock::Clock;
use crate::gate::Gate;
use crate::gate::put::PutError;
use crate::gate::tell::Told;
use crate::wire::event;
use crate::wire::fields::{LONGEST_ID, name_error};
use crate::wire::problem::{FieldError, Problem};
use crate::wire::put::read_facts_body;

use super::entry::Entry;
use super::governor::Governor;
use super::kind::Kind;

/// Lanes into our own ledger. It makes one write to the disk of all that are under way.
const LANES_INTO_LEDGER: usize = 256;
/// Requests under way at once. A governor stores the customers of one batch one after the other, and makes
/// one write to its disk of all batches that are under way: many short batches need few writes.
const LANES_TO_GOVERNOR: usize = 64;

/// Where rows are stored.
pub enum Target {
    Ledger { gate: Box<Gate>, clock: Clock },
    Governor(Governor),
}

/// A row that was not stored: its place among those given, and what is wrong with it.
#[derive(Debug)]
pub struct Refused {
    pub place: usize,
    pub errors: Vec<FieldError>,
}

impl Target {
    /// Stores rows, and returns once they are; which of them were refused is told in no order.
    ///
    /// # Errors
    /// When the ledger or the governor is not there, or fails.
    pub async fn store(&self, kind: Kind, entries: &[Entry]) -> Result<Vec<Refused>, Stop> {
        let stored = match (self, kind) {
            (Self::Ledger { gate, clock }, Kind::Facts) => {
                let lanes = lanes::of(entries, LANES_INTO_LEDGER, |entry| &entry.customer);
                join_all(lanes.iter().map(|lane| put(gate, clock, lane))).await
            }
            (Self::Ledger { gate, clock }, Kind::Consents | Kind::Suppressions) => {
                let lanes = lanes::of(entries, LANES_INTO_LEDGER, |entry| &entry.customer);
                join_all(lanes.iter().map(|lane| tell(gate, clock, lane))).await
            }
            (Self::Governor(governor), Kind::Facts) => {
                let lanes = lanes::of(entries, LANES_TO_GOVERNOR, |entry| &entry.customer);
                join_all(lanes.iter().map(|lane| governor.put(lane))).await
            }
            (Self::Governor(governor), Kind::Consents | Kind::Suppressions) => {
                let lanes = lanes::of(entries, LANES_TO_GOVERNOR, |entry| &entry.customer);
                join_all(lanes.iter().map(|lane| governor.tell(lane))).await
            }
        };
        lanes::merged(stored)
    }
}

/// What is wrong with a customer's id.
pub fn customer_error(customer: &str) -> Option<FieldError> {
    name_error(customer, LONGEST_ID).map(|detail| FieldError { pointer: format!("/{CUSTOMER}"), detail })
}

async fn tell(gate: &Gate, clock: &Clock, lane: &[(usize, &Entry)]) -> Result<Vec<Refused>, Stop> {
    let now = clock.now();
    let mut refused = Vec::new();
    let mut told: Vec<Told> = Vec::with_capacity(lane.len());
    let mut first_line = None;
    for (place, entry) in lane {
        let mut errors = Vec::new();
        match event::read(&entry.body, "", &gate.policy(), now, None, &mut errors) {
            Some(one) => {
                first_line = first_line.or(Some(entry.line));
                told.push(one);
            }
            None => refused.push(Refused { place: *place, errors }),
        }
    }
    match gate.tell(&told, now).await {
        Ok(()) => Ok(refused),
        Err(error) => Err(Stop::of(first_line.unwrap_or_default(), &error)),
    }
}

async fn put(gate: &Gate, clock: &Clock, lane: &[(usize, &Entry)]) -> Result<Vec<Refused>, Stop> {
    let mut refused = Vec::new();
    for (place, entry) in lane {
        let put = match (customer_error(&entry.customer), read_facts_body(&entry.body)) {
            (None, Ok(put)) => put,
            (customer, read) => {
                let errors = read.err().map(|problem| problem.errors).unwrap_or_default();
                let errors = customer.into_iter().chain(errors).collect();
                refused.push(Refused { place: *place, errors });
                continue;
            }
        };
        // What says nothing of a customer makes no record of one.
        if put.facts.is_empty() {
            continue;
        }
        match gate.put(&entry.customer, &put, clock.now()).await {
            Ok(()) => {}
            Err(PutError::Ledger(error)) => return Err(Stop::of(entry.line, &error)),
            Err(error @ PutError::TooManyFacts) => {
                refused.push(Refused { place: *place, errors: Problem::put(&error).errors });
            }
        }
    }
    Ok(refused)
}
