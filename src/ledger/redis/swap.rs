//! Compared and replaced: values under keys, each if it is still the one that was read, and with it the note of what is
//! due. One script does it, for as many keys as there are.

use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use crate::ledger::due::Note;
use crate::ledger::{Committed, Keep, LedgerError, Revision};

use super::RedisLedger;
use super::link::Request;

/// The most keys of one run of the script, and about the most bytes: Redis does nothing else meanwhile, for less than
/// a millisecond.
const MOST_TOGETHER: usize = 128;
const MOST_BYTES_TOGETHER: usize = 256 * 1024;

/// A value that is to take the place of another.
pub struct Swap {
    pub key: Vec<u8>,
    /// What was read.
    pub expected: Revision,
    /// With its own revision in front; empty: nothing is to stand there.
    pub value: Vec<u8>,
    pub keep: Keep,
    /// What is noted with it.
    pub note: Option<Note>,
}

impl Swap {
    fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

impl RedisLedger {
    /// One value takes the place of another.
    pub(super) async fn swap(&self, swap: Swap, operation: &'static str) -> Result<Committed, LedgerError> {
        let storing = async {
            let mut swapped = self.swap_together(std::slice::from_ref(&swap), operation).await;
            swapped.pop().unwrap_or_else(|| Err(no_reply(&Value::Nil)))
        };
        if self.link.is_cluster() { self.swap_noted_apart(&swap, storing).await } else { storing.await }
    }

    /// Several do, each for itself; what became of them, in their order.
    pub(super) async fn swap_all(
        &self,
        swaps: Vec<Swap>,
        operation: &'static str,
    ) -> Vec<Result<Committed, LedgerError>> {
        // In a cluster, keys live in different places.
        if self.link.is_cluster() {
            return join_all(swaps.into_iter().map(|swap| self.swap(swap, operation))).await;
        }
        join_all(groups(&swaps).map(|group| self.swap_together(group, operation))).await.concat()
    }

    async fn swap_together(
        &self,
        swaps: &[Swap],
        operation: &'static str,
    ) -> Vec<Result<Committed, LedgerError>> {
        let outcome = self.run(swaps).await.map_err(|error| self.failed(operation, &error));
        let outcomes = outcome.and_then(|reply| {
            let (reply, shortfall) = self.split_replicas(reply)?;
            let Value::Array(replies) = &reply else { return Err(no_reply(&reply)) };
            let outcomes = replies.iter().map(|reply| match (reply, &shortfall) {
                (Value::Int(0), _) => Ok(Ok(Committed::Conflict)),
                (Value::Int(_), None) => Ok(Ok(Committed::Stored)),
                (Value::Int(_), Some(shortfall)) => Ok(Err(shortfall.clone())),
                (other, _) => Err(no_reply(other)),
            });
            let outcomes: Vec<_> = outcomes.collect::<Result<_, _>>()?;
            if outcomes.len() == swaps.len() { Ok(outcomes) } else { Err(no_reply(&reply)) }
        });
        outcomes.unwrap_or_else(|error| vec![Err(error); swaps.len()])
    }

    /// Runs the script by its digest, and by its text where the server has forgotten it.
    async fn run(&self, swaps: &[Swap]) -> RedisResult<Value> {
        let Some(first) = swaps.first() else { return Ok(Value::Array(Vec::new())) };
        let command = |name: &str, script: &str| {
            let bytes = swaps.iter().map(|swap| swap.bytes() + 32).sum::<usize>();
            // In a cluster they are made apart.
            let has_notes = !self.link.is_cluster() && swaps.iter().any(|swap| swap.note.is_some());
            let mut command = Cmd::with_capacity(5 + 4 * swaps.len(), script.len() + bytes + 32);
            command.arg(name).arg(script).arg(swaps.len() + usize::from(has_notes));
            for swap in swaps {
                command.arg(&swap.key);
            }
            if has_notes {
                command.arg(&self.due_key);
            }
            command.arg(swaps.len());
            for Swap { expected, value, keep, .. } in swaps {
                match *expected {
                    Revision::ABSENT => command.arg::<&[u8]>(&[]),
                    Revision(revision) => command.arg(&revision.to_le_bytes()),
                };
                command.arg(value).arg(match keep {
                    Keep::Forever => 0,
                    Keep::For(span) => span.millis().max(1),
                });
            }
            for (number, swap) in (1..).zip(swaps) {
                let Some((customer, due_at)) = swap.note.as_ref().filter(|_| has_notes) else { continue };
                command.arg(number).arg(&**customer);
                match due_at {
                    Some(at) => command.arg(at.millis()),
                    None => command.arg(""),
                };
            }
            self.confirmed(command)
        };
        match self.link.send(&first.key, &command("EVALSHA", self.script.get_hash())).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.link.send(&first.key, &command("EVAL", include_str!("commit.lua"))).await
            }
            outcome => outcome,
        }
    }

    /// Sets a value, whatever stands there.
    pub(super) async fn put(
        &self,
        key: &[u8],
        value: Vec<u8>,
        operation: &'static str,
    ) -> Result<(), LedgerError> {
        let mut set = Cmd::new();
        set.arg("SET").arg(key).arg(value);
        let reply = self.link.send(key, &self.confirmed(set)).await;
        let (_, shortfall) =
            self.split_replicas(reply.map_err(|error: RedisError| self.failed(operation, &error))?)?;
        shortfall.map_or(Ok(()), Err)
    }

    /// A command that counts once replicas have it, where they must.
    fn confirmed(&self, command: Cmd) -> Request {
        match &self.wait {
            Some((_, wait)) => Request::Confirmed { command, wait: wait.clone() },
            None => Request::Command(command),
        }
    }

    /// What the command itself was answered, and that too few replicas had it, if they must.
    fn split_replicas(&self, reply: Value) -> Result<(Value, Option<LedgerError>), LedgerError> {
        let Some((wanted, _)) = &self.wait else { return Ok((reply, None)) };
        let replies = match reply {
            Value::Array(replies) => <[Value; 2]>::try_from(replies).map_err(Value::Array),
            other => Err(other),
        };
        match replies {
            Ok([reply, Value::Int(had)]) => {
                let shortfall = (had < *wanted as i64).then(|| LedgerError::Unavailable {
                    operation: "store a record",
                    why: format!("{had} of {wanted} replicas had it in time"),
                });
                Ok((reply, shortfall))
            }
            Ok(replies) => Err(no_reply(&Value::Array(replies.into()))),
            Err(other) => Err(no_reply(&other)),
        }
    }
}

/// Cuts into groups of those that may be together; none is too long unless it is of one.
fn groups(swaps: &[Swap]) -> impl Iterator<Item = &[Swap]> {
    let mut rest = swaps;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(MOST_TOGETHER).take_while(|swap| {
            bytes += swap.bytes();
            bytes <= MOST_BYTES_TOGETHER
        });
        let (group, others) = rest.split_at_checked(fits.count().max(1))?;
        rest = others;
        Some(group)
    })
}

fn no_reply(what: &Value) -> LedgerError {
    LedgerError::Unreadable { why: format!("{what:?} is no reply to a commit") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_bounded_in_number_and_bytes_and_lose_nothing() {
        let swap = |bytes| Swap {
            key: Vec::new(),
            expected: Revision::ABSENT,
            value: vec![0; bytes],
            keep: Keep::Forever,
            note: None,
        };
        let half = MOST_BYTES_TOGETHER / 2;
        let sizes = |bytes: &[usize]| {
            let swaps: Vec<Swap> = bytes.iter().copied().map(swap).collect();
            groups(&swaps).map(<[Swap]>::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1, half, half, half, MOST_BYTES_TOGETHER * 3, 1, 1]), [2, 2, 1, 2]);
        assert_eq!(sizes(&[1; 2 * MOST_TOGETHER + 3]), [MOST_TOGETHER, MOST_TOGETHER, 3]);
        assert!(sizes(&[]).is_empty());
    }
}
