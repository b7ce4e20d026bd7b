//! Refusals in Redis: one key a customer, beside the record's, changed as it is: compared and replaced.

use redis::Value;

use crate::domain::record::KEPT;
use crate::domain::refusal::{self, Refusal};
use crate::ledger::{Committed, Keep, LedgerError, Revision, refusal_format};

use super::erased::first_tombstone;
use super::{RedisLedger, fresh_revision, split_revision};

/// How often a lost race for one customer's refusals is run again; they are not worth more.
const TRIES: usize = 4;

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

    pub(super) async fn store_refusals(&self, customer: &str, new: &[Refusal]) -> Result<(), LedgerError> {
        let keyring = self.keyring().await?;
        let key = self.erased.refusals_key(keyring.pseudonym(customer));
        let tombstones = keyring.pseudonyms(customer).map(|pseudonym| self.erased.tombstone_key(pseudonym));
        let keys: Vec<Vec<u8>> = std::iter::once(key.clone()).chain(tombstones).collect();
        for _ in 0..TRIES {
            let replies = self.get_all(&keys, "read refusals").await?;
            let Stored { mut refusals, revision } = read(replies.first())?;
            let tombstone = first_tombstone(replies.get(1..).unwrap_or_default())?;
            refusal::add_all(&mut refusals, new.to_vec(), tombstone.as_deref());
            if refusals.is_empty() {
                return Ok(());
            }
            let value = refusal_format::append(fresh_revision().0.to_le_bytes().to_vec(), &refusals);
            let reply = self.run(&key, revision, &value, Keep::For(KEPT)).await;
            let reply = reply.map_err(|error| self.failed("note refusals", &error))?;
            if self.read_reply(reply)? == Committed::Stored {
                return Ok(());
            }
        }
        Err(LedgerError::Contended { attempts: TRIES as u32 })
    }
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
