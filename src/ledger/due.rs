//! Who is owed something, by when it is due: an index in memory, for ledgers of one process.

use std::collections::{BTreeSet, HashMap};

use crate::domain::moment::Moment;
use crate::domain::words::Name;

use super::{Due, DueNote};

/// When somebody is owed something first; `None`: not any more.
pub type Note = (Name, Option<Moment>);

impl DueNote {
    /// What is to be noted of a customer, if anything is.
    pub fn of(self, customer: &Name) -> Option<Note> {
        match self {
            Self::Unchanged => None,
            Self::At(at) => Some((customer.clone(), Some(at))),
            Self::Gone => Some((customer.clone(), None)),
        }
    }
}

#[derive(Debug, Default)]
pub struct DueIndex {
    ordered: BTreeSet<Due>,
    moments: HashMap<Name, Moment>,
}

impl DueIndex {
    pub fn set(&mut self, customer: &str, due_at: Option<Moment>) {
        if let Some((customer, at)) = self.moments.remove_entry(customer) {
            self.ordered.remove(&Due { at, customer });
        }
        if let Some(at) = due_at {
            let customer = Name::from(customer);
            self.moments.insert(customer.clone(), at);
            self.ordered.insert(Due { at, customer });
        }
    }

    #[must_use]
    pub fn page(&self, skip: usize, limit: usize) -> Vec<Due> {
        self.ordered.iter().skip(skip).take(limit).cloned().collect()
    }
}

impl FromIterator<(Name, Moment)> for DueIndex {
    fn from_iter<I: IntoIterator<Item = (Name, Moment)>>(due: I) -> Self {
        let mut index = Self::default();
        for (customer, at) in due {
            index.set(&customer, Some(at));
        }
        index
    }
}
