//! The latest state of some customers' records: what is on its way to disk, and what was looked at lately.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::record::Record;
use crate::domain::words::Name;

use super::{Loaded, Revision};

/// The most records kept that are on disk already, and the most entries of one worth keeping: together
/// they bound what all shards hold to some tens of megabytes.
const MOST_ON_DISK: usize = 256;
const LONGEST_KEPT: usize = 64;

/// The latest state of one record.
#[derive(Clone, Debug)]
pub struct Latest {
    pub revision: Revision,
    pub record: Arc<Record>,
}

#[derive(Debug, Default)]
pub struct Shard {
    /// Not on disk yet: nobody may look past these.
    queued: HashMap<Name, Latest>,
    /// On disk, and the latest there is.
    on_disk: HashMap<Name, Latest>,
    /// Grows whenever a record changes, so that what was read from disk before is known to be old.
    epoch: u64,
}

impl Shard {
    #[must_use]
    pub fn get(&self, customer: &str) -> Option<&Latest> {
        self.queued.get(customer).or_else(|| self.on_disk.get(customer))
    }

    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Notes a record that is queued to be written.
    pub fn queue(&mut self, customer: Name, latest: Latest) {
        self.epoch += 1;
        self.on_disk.remove(&customer);
        self.queued.insert(customer, latest);
    }

    /// Keeps what was read from disk, unless anything has changed since `epoch`, when reading began.
    pub fn remember(&mut self, customer: &str, loaded: &Loaded, epoch: u64) {
        if self.epoch == epoch {
            let Loaded { record, revision, .. } = loaded.clone();
            self.keep(customer.into(), Latest { revision, record });
        }
    }

    /// A queued record has reached the disk. A later one of the same customer stays queued.
    pub fn settle(&mut self, customer: Name, revision: Revision) {
        if self.queued.get(&customer).is_some_and(|latest| latest.revision == revision)
            && let Some(latest) = self.queued.remove(&customer)
        {
            self.keep(customer, latest);
        }
    }

    /// A queued record was lost, and with it whatever was decided on top of it.
    pub fn lose(&mut self, customer: &str) {
        self.epoch += 1;
        self.queued.remove(customer);
        self.on_disk.remove(customer);
    }

    fn keep(&mut self, customer: Name, latest: Latest) {
        if latest.record.contacts().len().max(latest.record.events().len()) > LONGEST_KEPT {
            return;
        }
        if self.on_disk.len() >= MOST_ON_DISK {
            self.on_disk.clear();
        }
        self.on_disk.insert(customer, latest);
    }
}
