//! Who calls: known by the key they show, or anybody on this machine where there are no keys.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use prometheus::IntCounter;

use crate::api_key::KeyHash;
use crate::audit::Acting;
use crate::clock::Clock;
use crate::domain::caller::Caller;
use crate::domain::moment::Moment;
use crate::domain::words::Name;
use crate::metrics::Metrics;
use crate::settings::{KeySettings, Rate, Settings};

use super::throttle::{Bucket, Throttled};

const SCHEME: &[u8] = b"bearer ";

/// Who a request is from; handlers find it as `web::ReqData<Called>`.
#[derive(Clone)]
pub struct Called {
    pub caller: Arc<Caller>,
    /// `None`: they call as often as they like.
    pub bucket: Option<Arc<Bucket>>,
}

impl Called {
    /// Who the audit log says it was.
    pub fn acting(&self) -> Acting {
        Acting::of(&self.caller)
    }
}

/// Everybody who may call.
pub enum Callers {
    /// Nobody needs a key.
    Anybody(Called),
    /// By the beginning of the hash of what they show.
    Holders(HashMap<u64, Vec<Holder>>),
}

/// Who shows a certain key.
pub struct Holder {
    hash: KeyHash,
    expires: Option<Moment>,
    called: Called,
    uses: IntCounter,
}

impl Callers {
    pub fn new(settings: &Settings, metrics: &Metrics, clock: &Clock) -> Self {
        let bucket = |name: &str, rate: Option<Rate>| {
            rate.map(|rate| {
                let (requests, lines) = metrics.http.throttled(name);
                Arc::new(Bucket::new(rate, clock, Throttled { requests, lines }))
            })
        };
        if settings.keys.is_empty() {
            let bucket = bucket(Caller::LOCAL, settings.rate);
            return Self::Anybody(Called { caller: Arc::new(Caller::local()), bucket });
        }
        let mut buckets: HashMap<Name, Option<Arc<Bucket>>> = HashMap::new();
        let mut holders: HashMap<u64, Vec<Holder>> = HashMap::new();
        for key in &settings.keys {
            // Whoever has two keys has one bucket.
            let bucket =
                buckets.entry(key.caller.clone()).or_insert_with(|| bucket(&key.caller, key.rate)).clone();
            let holder = Holder {
                hash: key.hash,
                expires: key.expires,
                called: Called { caller: Arc::new(caller(key)), bucket },
                uses: metrics.http.key_uses(&key.name),
            };
            holders.entry(key.hash.head()).or_default().push(holder);
        }
        Self::Holders(holders)
    }

    #[must_use]
    pub const fn need_keys(&self) -> bool {
        matches!(self, Self::Holders(_))
    }

    /// Whose request it is that carries this `Authorization`; nothing if it is nobody's, for whatever reason.
    pub fn find(&self, authorization: Option<&HeaderValue>, clock: &Clock) -> Option<&Called> {
        let holders = match self {
            Self::Anybody(called) => return Some(called),
            Self::Holders(holders) => holders,
        };
        // What is looked up is a hash, which nobody can choose without a key that makes it: how long it takes tells
        // nothing of the keys there are. The hashes themselves are compared in constant time.
        let hash = KeyHash::of(shown(authorization?.as_bytes())?)?;
        let holder = holders.get(&hash.head())?.iter().find(|holder| holder.hash == hash)?;
        if holder.expires.is_some_and(|expires| expires <= clock.now()) {
            return None;
        }
        holder.uses.inc();
        Some(&holder.called)
    }
}

fn caller(key: &KeySettings) -> Caller {
    Caller {
        name: key.caller.clone(),
        key: Some(key.name.clone()),
        scopes: key.scopes,
        channels: key.channels.clone(),
    }
}

/// What stands behind `Bearer`.
fn shown(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, shown) = authorization.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| shown.trim_ascii())
}
