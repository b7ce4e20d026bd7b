//! Follow-ups: what is owed, by when it is due; taking one on; saying that it is done.

use std::collections::HashSet;

use crate::domain::follow_up::{self, FollowUp, Handle};
use crate::domain::moment::Moment;
use crate::domain::record::Record;
use crate::domain::words::Name;
use crate::ledger::LedgerError;

use super::{Gate, Stored};

/// How many customers are looked at for one page: each may owe nothing any more.
const MOST_LOOKED_AT: usize = 2_000;

/// Why a follow-up was not claimed or done.
#[derive(Debug, thiserror::Error)]
pub enum FollowUpError {
    #[error("no follow-up of that id is open")]
    NotOpen,
    #[error("`{by}` claimed it at {at}")]
    Claimed { by: Name, at: Moment },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Gate {
    /// The open follow-ups of all customers, those due first in front; at most `limit`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn follow_ups(&self, limit: usize) -> Result<Vec<FollowUp>, LedgerError> {
        let mut found: Vec<FollowUp> = Vec::new();
        let mut seen = HashSet::new();
        let (mut skip, mut looked_at) = (0, 0);
        while found.len() < limit && looked_at < MOST_LOOKED_AT {
            let page = self.within(self.ledger.due(skip, limit)).await?;
            if page.is_empty() {
                break;
            }
            for due in page {
                looked_at += 1;
                let record = match self.record(&due.customer).await {
                    Err(error @ LedgerError::Unreadable { .. }) => {
                        tracing::error!(%error, "a record with follow-ups cannot be read; they are left out");
                        skip += 1;
                        continue;
                    }
                    record => record?,
                };
                let open = follow_up::open(&due.customer, &record, &self.policy().company.duties);
                let first = open.first().map(|first| first.due_at);
                if first == Some(due.at) {
                    skip += 1;
                } else {
                    // The policy is new, or the ledger cannot note and store at once; what the record says holds.
                    self.within(self.mend_note(&due.customer, first)).await?;
                }
                if seen.insert(due.customer) {
                    found.extend(open);
                }
            }
        }
        found.sort_by_key(|one| (one.due_at, one.id));
        found.truncate(limit);
        Ok(found.into_iter().map(|one| self.named(one)).collect())
    }

    /// Somebody takes a follow-up on. Claiming again what one has claimed changes nothing.
    ///
    /// # Errors
    /// When it is not open, or somebody else has it.
    pub async fn claim(&self, name: &str, by: &Name, now: Moment) -> Result<FollowUp, FollowUpError> {
        let handle = &self.handle(name).await?;
        let claimed = self.change(&handle.customer, now, |record| {
            let Some(mut open) = self.open_one(record, handle) else {
                return (Err(FollowUpError::NotOpen), Stored::No);
            };
            match &open.claimed {
                Some((holder, _)) if holder == by => (Ok(open), Stored::No),
                Some((holder, at)) => {
                    (Err(FollowUpError::Claimed { by: holder.clone(), at: *at }), Stored::No)
                }
                None => {
                    record.tell(follow_up::claim(handle.id, by.clone(), now));
                    open.claimed = Some((by.clone(), now));
                    (Ok(open), Stored::Yes)
                }
            }
        });
        claimed.await?.map(|claimed| self.named(claimed))
    }

    /// A follow-up has been done, which is told as `human.replied` as well; returns it as it was.
    ///
    /// # Errors
    /// When it is not open, or somebody else has claimed it.
    pub async fn done(
        &self,
        name: &str,
        by: Option<&Name>,
        what: &Name,
        now: Moment,
    ) -> Result<FollowUp, FollowUpError> {
        let handle = &self.handle(name).await?;
        self.change(&handle.customer, now, |record| {
            let Some(open) = self.open_one(record, handle) else {
                return (Err(FollowUpError::NotOpen), Stored::No);
            };
            if let (Some((holder, at)), Some(by)) = (&open.claimed, by)
                && holder != by
            {
                return (Err(FollowUpError::Claimed { by: holder.clone(), at: *at }), Stored::No);
            }
            for event in follow_up::done(&open, what.clone(), by.cloned(), now) {
                record.tell(event);
            }
            (Ok(open), Stored::Yes)
        })
        .await?
    }

    /// The open follow-up of that name.
    ///
    /// # Errors
    /// When it is not open.
    pub async fn follow_up(&self, name: &str) -> Result<FollowUp, FollowUpError> {
        let handle = self.handle(name).await?;
        let record = self.record(&handle.customer).await?;
        let open = self.open_one(&record, &handle).ok_or(FollowUpError::NotOpen)?;
        Ok(self.named(open))
    }

    /// What one customer is owed, what is due first in front.
    #[must_use]
    pub fn owed_to(&self, customer: &Name, record: &Record) -> Vec<FollowUp> {
        let open = follow_up::open(customer, record, &self.policy().company.duties);
        open.into_iter().map(|one| self.named(one)).collect()
    }

    /// With the name by which it is known outside.
    pub(super) fn named(&self, mut follow_up: FollowUp) -> FollowUp {
        let sealer = self.ledger.sealer();
        follow_up.name = sealer.map(|sealer| sealer.seal(&follow_up.handle.to_bytes()).into());
        follow_up
    }

    /// Which follow-up is called so.
    async fn handle(&self, name: &str) -> Result<Handle, FollowUpError> {
        if self.ledger.sealer().is_none() {
            // The keys are known once anything was loaded.
            self.record("").await?;
        }
        let bytes = self.ledger.sealer().and_then(|sealer| sealer.open(name));
        bytes.and_then(|bytes| Handle::from_bytes(&bytes)).ok_or(FollowUpError::NotOpen)
    }

    pub(super) fn open_one(&self, record: &Record, handle: &Handle) -> Option<FollowUp> {
        let open = follow_up::open(&handle.customer, record, &self.policy().company.duties);
        open.into_iter().find(|one| one.id == handle.id)
    }
}
