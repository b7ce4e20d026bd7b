//! Those who were erased: what is kept of them, under names that only this ledger's key can make.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::ledger::keyring::{Key, Keyring, Pseudonym, fresh_key};
use crate::ledger::{LedgerError, tombstone_format};
use crate::sealed::Sealer;

use super::key;
use super::store::{Change, Store};

const TOMBSTONE_PREFIX: u8 = b't';
const REFUSALS_PREFIX: u8 = b'r';
const KEY_PREFIX: u8 = b'k';

pub struct Erased {
    keyring: Keyring,
    /// All of them: few people are ever erased.
    tombstones: RwLock<HashMap<Pseudonym, Arc<Tombstone>>>,
}

impl Erased {
    /// Reads the tombstones, and the ledger's own key, which is made where there is none and the settings name
    /// none either.
    pub fn open(store: &Store, secrets: &[Name]) -> Result<Self, LedgerError> {
        let unreadable =
            |error: std::array::TryFromSliceError| LedgerError::Unreadable { why: error.to_string() };
        let kept = match store.get(&[KEY_PREFIX])? {
            Some(kept) => Some(Key::try_from(&*kept).map_err(unreadable)?),
            None if secrets.is_empty() => {
                let fresh = fresh_key();
                store.change([(vec![KEY_PREFIX], Some(fresh.to_vec()))], true)?;
                Some(fresh)
            }
            None => None,
        };
        let read = |(pseudonym, bytes): (Vec<u8>, Vec<u8>)| {
            let pseudonym = <[u8; 16]>::try_from(pseudonym.as_slice()).map_err(unreadable)?;
            Ok((Pseudonym(pseudonym), Arc::new(tombstone_format::decode(&bytes)?)))
        };
        let tombstones: HashMap<_, _> =
            store.under(TOMBSTONE_PREFIX).map(|entry| entry.and_then(read)).collect::<Result<_, _>>()?;
        let no_key = || LedgerError::Unreadable { why: "there is no key".to_owned() };
        let keyring = Keyring::new(secrets, kept).ok_or_else(no_key)?;
        Ok(Self { keyring, tombstones: RwLock::new(tombstones) })
    }

    pub const fn sealer(&self) -> &Sealer {
        self.keyring.sealer()
    }

    pub fn tombstone(&self, customer: &str) -> Option<Arc<Tombstone>> {
        let tombstones = self.tombstones.read().unwrap_or_else(PoisonError::into_inner);
        if tombstones.is_empty() {
            return None;
        }
        self.keyring.pseudonyms(customer).find_map(|pseudonym| tombstones.get(&pseudonym).cloned())
    }

    /// From now on that is found of the customer; what is to be changed in the store, in this order, so that it
    /// stays so.
    pub fn bury(&self, customer: &str, tombstone: &Arc<Tombstone>) -> Vec<Change> {
        let present = self.keyring.pseudonym(customer);
        let mut changes =
            vec![(key(TOMBSTONE_PREFIX, &present.0), Some(tombstone_format::encode(tombstone)))];
        let mut tombstones = self.tombstones.write().unwrap_or_else(PoisonError::into_inner);
        for pseudonym in self.keyring.pseudonyms(customer) {
            changes.push((key(REFUSALS_PREFIX, &pseudonym.0), None));
            if pseudonym != present && tombstones.remove(&pseudonym).is_some() {
                changes.push((key(TOMBSTONE_PREFIX, &pseudonym.0), None));
            }
        }
        tombstones.insert(present, Arc::clone(tombstone));
        changes
    }

    /// Where a customer's refusals stand, beside their record and under no id: the present place first.
    pub fn refusals_keys(&self, customer: &str) -> Vec<Vec<u8>> {
        self.keyring.pseudonyms(customer).map(|pseudonym| key(REFUSALS_PREFIX, &pseudonym.0)).collect()
    }
}
