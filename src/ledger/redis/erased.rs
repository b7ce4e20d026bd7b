//! Those who were erased: where what is kept of them stands, under names that only the ledger's key can make.

use std::sync::{Arc, OnceLock};

use redis::{Cmd, ErrorKind, RedisError, RedisResult, Value};

use crate::domain::moment::{HOUR_MS, Span};
use crate::domain::tombstone::Tombstone;
use crate::domain::words::Name;
use crate::ledger::keyring::{Key, Keyring, Pseudonym, fresh_key};
use crate::ledger::{Committed, Keep, LedgerError, Revision, tombstone_format};
use crate::sealed::Sealer;

use super::link::{Link, Request};
use super::swap::Swap;
use super::{RedisLedger, refusals, stream};

/// Nobody writes back what they read longer ago than this: every wait is bounded far below it.
const STALE_AFTER: Span = Span::from_millis(HOUR_MS);

/// What an erasure is called where it fails.
const ERASE: &str = "erase a customer";

pub struct Erased {
    link: Arc<Link>,
    prefix: String,
    secrets: Vec<Name>,
    keyring: OnceLock<Keyring>,
}

impl Erased {
    /// `secrets` are those of the settings, the present one first. Where there is none, all instances share a key
    /// that the first of them leaves in Redis.
    #[must_use]
    pub fn new(link: Arc<Link>, prefix: String, secrets: Vec<Name>) -> Self {
        Self { link, prefix, secrets, keyring: OnceLock::new() }
    }

    /// The keys, which are asked for once.
    ///
    /// # Errors
    /// When the ledger's own cannot be read.
    pub async fn keyring(&self) -> RedisResult<&Keyring> {
        if let Some(known) = self.keyring.get() {
            return Ok(known);
        }
        let name = format!("{}key", self.prefix);
        let get = || Cmd::new().arg("GET").arg(&name).clone();
        let mut kept = self.send(&name, get()).await?;
        if kept == Value::Nil && self.secrets.is_empty() {
            let mut set = Cmd::new();
            set.arg("SET").arg(&name).arg(&fresh_key()).arg("NX");
            self.send(&name, set).await?;
            kept = self.send(&name, get()).await?;
        }
        let kept = match kept {
            Value::BulkString(bytes) => Key::try_from(bytes.as_slice()).ok(),
            _ => None,
        };
        let no_key =
            || RedisError::from((ErrorKind::Parse, "what stands under the ledger's key is none", name));
        let keyring = Keyring::new(&self.secrets, kept).ok_or_else(no_key)?;
        Ok(self.keyring.get_or_init(|| keyring))
    }

    pub fn sealer(&self) -> Option<&Sealer> {
        self.keyring.get().map(Keyring::sealer)
    }

    pub fn tombstone_key(&self, pseudonym: Pseudonym) -> Vec<u8> {
        self.named("t:", pseudonym)
    }

    pub fn refusals_key(&self, pseudonym: Pseudonym) -> Vec<u8> {
        self.named("r:", pseudonym)
    }

    fn named(&self, kind: &str, Pseudonym(bytes): Pseudonym) -> Vec<u8> {
        format!("{}{kind}{:032x}", self.prefix, u128::from_be_bytes(bytes)).into_bytes()
    }

    async fn send(&self, key: &str, command: Cmd) -> RedisResult<Value> {
        self.link.send(key.as_bytes(), &Request::Command(command)).await
    }
}

/// The first tombstone among replies to `GET`.
///
/// # Errors
/// When one is something else.
pub fn first_tombstone(replies: &[Value]) -> Result<Option<Arc<Tombstone>>, LedgerError> {
    let found = replies.iter().find_map(|reply| match reply {
        Value::BulkString(bytes) => Some(tombstone_format::decode(bytes)),
        _ => None,
    });
    Ok(found.transpose()?.map(Arc::new))
}

impl RedisLedger {
    /// Leaves the tombstone, and then nothing else.
    pub(super) async fn bury(
        &self,
        customer: &str,
        expected: Revision,
        tombstone: &Tombstone,
    ) -> Result<Committed, LedgerError> {
        let failed = |error: RedisError| self.failed(ERASE, &error);
        let keyring = self.keyring().await?;
        let present = keyring.pseudonym(customer);
        let key = self.erased.tombstone_key(present);
        self.put(&key, tombstone_format::encode(tombstone), ERASE).await?;
        let gone = Swap {
            key: self.key(customer),
            expected,
            value: Vec::new(),
            keep: Keep::Forever,
            note: Some((customer.into(), None)),
        };
        if self.swap(gone, ERASE).await? == Committed::Conflict {
            return Ok(Committed::Conflict);
        }
        let refusals = self.erased.refusals_key(present);
        let mut empty = Cmd::new();
        empty.arg("SET").arg(&refusals).arg(refusals::nothing()).arg("PX").arg(STALE_AFTER.millis());
        self.link.send(&refusals, &Request::Command(empty)).await.map_err(failed)?;
        for former in keyring.pseudonyms(customer).filter(|pseudonym| *pseudonym != present) {
            for key in [self.erased.tombstone_key(former), self.erased.refusals_key(former)] {
                let mut delete = Cmd::new();
                delete.arg("DEL").arg(&key);
                self.link.send(&key, &Request::Command(delete)).await.map_err(failed)?;
            }
        }
        // In a cluster it did not go with the record.
        self.mend_due(customer, None).await?;
        stream::forget(&self.link, &self.stream_key, keyring.sealer(), customer).await.map_err(failed)?;
        Ok(Committed::Stored)
    }
}
