//! Refusals in Redis: one key a customer, beside the record's, changed as it is: compared and replaced, many at once.

use redis::Value;

use crate::domain::record::KEPT;
use crate::domain::refusal::{self, Refusal};
use crate::domain::words::Name;
use crate::ledger::keyring::Keyring;
use crate::ledger::{Committed, Keep, LedgerError, Revision, refusal_format};

use super::erased::first_tombstone;
use super::swap::Swap;
use super::{RedisLedger, fresh_revision, split_revision};

/// How often a lost race for one customer's refusals is run again; they are not worth more.
const TRIES: usize = 4;

/// What noting is called where it fails.
const NOTE: &str = "note refusals";

struct Stored {
    refusals: Vec<Refusal>,
    revision: Revision,
}

impl RedisLedger {
    pub(super) async fn stored_refusals(&self, customer: &str) -> Result<Vec<Refusal>, LedgerError> {
        let keyring = self.keyring().await?;
        let mut all = Vec::new();
        for pseudonym in keyring.pseudonyms(customer) {
            let replies = self.get_all(&[self.erased.refusals_key(pseudonym)], "read refusals").await?;
            read(replies.first())?.refusals.into_iter().for_each(|one| refusal::add(&mut all, one));
        }
        Ok(all)
    }

    pub(super) async fn store_refusals(
        &self,
        mut refused: Vec<(Name, Vec<Refusal>)>,
    ) -> Result<(), LedgerError> {
        let keyring = self.keyring().await?;
        for _ in 0..TRIES {
            let keys: Vec<Vec<u8>> =
                refused.iter().flat_map(|(customer, _)| self.keys_of_refusals(keyring, customer)).collect();
            let replies = self.get_all(&keys, NOTE).await?;
            let keys_each = keys.len() / refused.len().max(1);
            let mut swaps = Vec::with_capacity(refused.len());
            let mut stored = Vec::with_capacity(refused.len());
            for ((one, replies), key) in
                refused.into_iter().zip(replies.chunks(keys_each.max(1))).zip(keys.iter().step_by(keys_each))
            {
                if let Some(swap) = swap_of(key, &one.1, replies)? {
                    swaps.push(swap);
                    stored.push(one);
                }
            }
            let swapped = self.swap_all(swaps, NOTE).await;
            refused = Vec::new();
            for (one, swapped) in stored.into_iter().zip(swapped) {
                if swapped? == Committed::Conflict {
                    refused.push(one);
                }
            }
            if refused.is_empty() {
                return Ok(());
            }
        }
        Err(LedgerError::Contended { attempts: TRIES as u32 })
    }

    /// Where a customer's refusals stand, and their tombstones.
    fn keys_of_refusals(&self, keyring: &Keyring, customer: &str) -> impl Iterator<Item = Vec<u8>> {
        let tombstones = keyring.pseudonyms(customer).map(|pseudonym| self.erased.tombstone_key(pseudonym));
        std::iter::once(self.erased.refusals_key(keyring.pseudonym(customer))).chain(tombstones)
    }
}

/// What takes the place of a customer's refusals once there are more; `None`: there is nothing to store.
fn swap_of(key: &[u8], new: &[Refusal], replies: &[Value]) -> Result<Option<Swap>, LedgerError> {
    let Stored { mut refusals, revision } = read(replies.first())?;
    let tombstone = first_tombstone(replies.get(1..).unwrap_or_default())?;
    refusal::add_all(&mut refusals, new.to_vec(), tombstone.as_deref());
    Ok((!refusals.is_empty()).then(|| Swap {
        key: key.to_vec(),
        expected: revision,
        value: refusal_format::append(fresh_revision().0.to_le_bytes().to_vec(), &refusals),
        keep: Keep::For(KEPT),
        note: None,
    }))
}

/// What an erasure leaves of the key: nothing, under a revision of its own, so that nobody who has read it before
/// writes it back.
pub(super) fn nothing() -> Vec<u8> {
    refusal_format::append(fresh_revision().0.to_le_bytes().to_vec(), &[])
}

fn read(reply: Option<&Value>) -> Result<Stored, LedgerError> {
    match reply {
        Some(Value::BulkString(bytes)) => {
            let (revision, bytes) = split_revision(bytes)?;
            Ok(Stored { refusals: refusal_format::decode(bytes)?, revision })
        }
        _ => Ok(Stored { refusals: Vec::new(), revision: Revision::ABSENT }),
    }
}
