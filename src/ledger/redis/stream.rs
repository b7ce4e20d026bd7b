//! The stream of what is told of follow-ups, for programs that follow Redis. Entries name nobody: the follow-up's
//! name opens only for the governor.

use futures_util::future::join_all;
use redis::{FromRedisValue, RedisError, RedisResult};

use crate::domain::follow_up::Handle;
use crate::sealed::Sealer;

use super::link::{Link, Request};

/// About so many entries are kept; whoever follows reads them long before.
const LONGEST_STREAM: usize = 10_000;
/// The field with the follow-up's name.
const NAME: &str = "follow_up";

pub async fn add(link: &Link, key: &str, entry: &[(&str, String)]) -> RedisResult<()> {
    let mut add = redis::cmd("XADD");
    add.arg(key).arg("MAXLEN").arg("~").arg(LONGEST_STREAM).arg("*");
    for (field, value) in entry {
        add.arg(*field).arg(value);
    }
    link.send(key.as_bytes(), &Request::Command(add)).await.map(drop)
}

/// The field with a line of the decision log.
const LINE: &str = "line";

/// Appends lines of the decision log, one an entry, in their order; all are under way at once. How many of them are
/// known to be there, and why not all.
pub async fn add_decisions(
    link: &Link,
    key: &str,
    lines: &[&[u8]],
    max_lines: usize,
) -> (u64, Option<RedisError>) {
    let adding = lines.iter().map(|line| async move {
        let mut add = redis::cmd("XADD");
        add.arg(key).arg("MAXLEN").arg("~").arg(max_lines).arg("*").arg(LINE).arg(*line);
        link.send(key.as_bytes(), &Request::Command(add)).await
    });
    let (mut added, mut failure) = (0, None);
    for outcome in join_all(adding).await {
        match outcome {
            Ok(_) => added += 1,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    (added, failure)
}

/// Removes a customer's entries.
pub async fn forget(link: &Link, key: &str, sealer: &Sealer, customer: &str) -> RedisResult<()> {
    let mut range = redis::cmd("XRANGE");
    range.arg(key).arg("-").arg("+");
    let all = link.send(key.as_bytes(), &Request::Command(range)).await?;
    let all: Vec<(String, Vec<String>)> = FromRedisValue::from_redis_value(all)?;
    let is_theirs = |fields: &[String]| {
        let name = fields.chunks(2).find(|pair| pair.first().is_some_and(|field| field == NAME));
        let handle = name.and_then(|pair| Handle::from_bytes(&sealer.open(pair.get(1)?)?));
        handle.is_some_and(|handle| *handle.customer == *customer)
    };
    let theirs: Vec<String> =
        all.into_iter().filter(|(_, fields)| is_theirs(fields)).map(|(id, _)| id).collect();
    if theirs.is_empty() {
        return Ok(());
    }
    let mut delete = redis::cmd("XDEL");
    delete.arg(key).arg(theirs);
    link.send(key.as_bytes(), &Request::Command(delete)).await.map(drop)
}
