//! Turns: of all instances one does a chore, and another one soon after it has gone.

use redis::{RedisResult, Value};

use crate::domain::moment::Span;

use super::link::{Link, Request};

pub struct Turns {
    prefix: String,
    /// Who this process is to the others.
    name: String,
}

impl Turns {
    #[must_use]
    pub fn new(prefix: String) -> Self {
        Self { prefix, name: uuid::Uuid::new_v4().simple().to_string() }
    }

    /// Whether it is this process's turn, from now on for `span` at least. For a moment two may think so: what is
    /// done twice must be harmless.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn take(&self, link: &Link, chore: &str, span: Span) -> RedisResult<bool> {
        let key = format!("{}turn:{chore}", self.prefix);
        let send =
            |command: redis::Cmd| async { link.send(key.as_bytes(), &Request::Command(command)).await };
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(&self.name).arg("PX").arg(span.millis()).arg("NX");
        if send(set).await? != Value::Nil {
            return Ok(true);
        }
        let mut get = redis::cmd("GET");
        get.arg(&key);
        if send(get).await? != Value::BulkString(self.name.clone().into_bytes()) {
            return Ok(false);
        }
        let mut renew = redis::cmd("SET");
        renew.arg(&key).arg(&self.name).arg("PX").arg(span.millis());
        send(renew).await.map(|_| true)
    }
}
