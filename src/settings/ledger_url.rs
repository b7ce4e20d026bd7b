//! Which ledger, as a URL says it.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Which ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerUrl {
    Embedded(PathBuf),
    Memory,
    Redis(RedisUrl),
}

/// Where a Redis is and how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrl {
    pub topology: Topology,
    pub nodes: Vec<Node>,
    pub tls: bool,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub database: i64,
}

/// How a Redis is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    Standalone,
    /// The nodes are Sentinels; they know where `master` is.
    Sentinel {
        master: String,
    },
    /// The nodes are some of the cluster's; they know the others.
    Cluster,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

/// What may not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[secret]")
    }
}

/// Redis's own ports, for a node that names none.
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

const KINDS: &str = "write `embedded:DIR`, `memory:`, `redis://HOST:PORT`, `rediss://…` (TLS), \
                     `redis+sentinel://HOST:PORT,…/MASTER` or `redis+cluster://HOST:PORT,…`";

impl LedgerUrl {
    /// # Errors
    /// What is wrong with it, without the credentials it may carry.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("`{text}` is no ledger; {KINDS}"));
        };
        let (tls, kind) = match scheme {
            "embedded" if rest.is_empty() => {
                return Err("`embedded:` needs a directory, as in `embedded:./data`".to_owned());
            }
            "embedded" => return Ok(Self::Embedded(rest.into())),
            "memory" if rest.is_empty() => return Ok(Self::Memory),
            "redis" => (false, Kind::Standalone),
            "rediss" => (true, Kind::Standalone),
            "redis+sentinel" => (false, Kind::Sentinel),
            "rediss+sentinel" => (true, Kind::Sentinel),
            "redis+cluster" => (false, Kind::Cluster),
            "rediss+cluster" => (true, Kind::Cluster),
            other => return Err(format!("`{other}:` is no ledger; {KINDS}")),
        };
        let rest = rest.strip_prefix("//").ok_or_else(|| format!("`{scheme}:` needs `//` and a host"))?;
        RedisUrl::parse(kind, tls, rest).map(Self::Redis).map_err(|why| format!("`{scheme}://…`: {why}"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standalone,
    Sentinel,
    Cluster,
}

impl RedisUrl {
    fn parse(kind: Kind, tls: bool, rest: &str) -> Result<Self, String> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (username, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let port = if kind == Kind::Sentinel { SENTINEL_PORT } else { REDIS_PORT };
        let nodes = hosts.split(',').map(|host| Node::parse(host, port)).collect::<Result<Vec<_>, _>>()?;
        let (topology, database) = match kind {
            Kind::Standalone if nodes.len() > 1 => {
                return Err(
                    "one host is enough; several are for `redis+cluster` and `redis+sentinel`".to_owned()
                );
            }
            Kind::Standalone => (Topology::Standalone, path),
            Kind::Cluster => (Topology::Cluster, path),
            Kind::Sentinel => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err("the name of the master is missing: `…/MASTER`".to_owned());
                }
                (Topology::Sentinel { master: decoded(master)? }, database)
            }
        };
        let database = match database {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| (0..=65_535).contains(number))
                .ok_or_else(|| "a database is a number, as in `redis://host:6379/1`".to_owned())?,
        };
        if kind == Kind::Cluster && database != 0 {
            return Err("a cluster has only database 0".to_owned());
        }
        let given = |text: &str| decoded(text).map(|text| Some(text).filter(|text| !text.is_empty()));
        Ok(Self {
            topology,
            nodes,
            tls,
            username: given(username)?,
            password: given(password)?.map(Secret::new),
            database,
        })
    }

    /// The nodes, for people; no credentials.
    #[must_use]
    pub fn place(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(Node::to_string).collect();
        nodes.join(", ")
    }
}

impl Node {
    fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or("an IPv6 address ends with `]`")?;
                match port {
                    "" => (host, None),
                    port => (
                        host,
                        Some(port.strip_prefix(':').ok_or("an IPv6 address ends with `]` or `]:PORT`")?),
                    ),
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err("a host is missing".to_owned());
        }
        let port = match port {
            None => default_port,
            Some(port) => port.parse().map_err(|_| "a port is a number up to 65535; in credentials, `/`, `@` and `:` are written percent-encoded")?,
        };
        Ok(Self { host: decoded(host)?, port })
    }
}

/// Credentials may hold any character, written as in other URLs.
fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| "percent-encoded text is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis(text: &str) -> RedisUrl {
        match LedgerUrl::parse(text) {
            Ok(LedgerUrl::Redis(url)) => url,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_way_of_running_redis_has_its_url() {
        let plain = redis("redis://localhost");
        assert_eq!(
            (plain.place().as_str(), plain.topology, plain.tls),
            ("localhost:6379", Topology::Standalone, false)
        );

        let secured = redis("rediss://governor:s%40fe%2Fpass@db.example:7000/3");
        assert_eq!((secured.tls, secured.database, secured.username.as_deref()), (true, 3, Some("governor")));
        assert_eq!(secured.password.as_ref().map(Secret::expose), Some("s@fe/pass"));
        assert!(!format!("{secured:?}").contains("s@fe"), "{secured:?}");

        let sentinel = redis("redis+sentinel://:pw@a:1,b/main/2");
        assert_eq!(sentinel.topology, Topology::Sentinel { master: "main".to_owned() });
        assert_eq!((sentinel.place().as_str(), sentinel.database), ("a:1, b:26379", 2));

        let cluster = redis("redis+cluster://a:1,[::1]:2");
        assert_eq!((cluster.topology.clone(), cluster.place().as_str()), (Topology::Cluster, "a:1, [::1]:2"));
    }

    #[test]
    fn what_is_no_ledger_is_told_apart() {
        for (text, why) in [
            ("data", "is no ledger"),
            ("mysql://pw@host", "`mysql:` is no ledger"),
            ("embedded:", "needs a directory"),
            ("redis:localhost", "needs `//`"),
            ("redis://", "a host is missing"),
            ("redis://a:1,b:2", "one host is enough"),
            ("redis://a:port", "a port is a number"),
            ("redis://user:pa/ss@a", "percent-encoded"),
            ("redis://[::1]7000", "`]` or `]:PORT`"),
            ("redis://a/first", "a database is a number"),
            ("redis+sentinel://a:1", "name of the master"),
            ("redis+cluster://a:1/2", "only database 0"),
        ] {
            let mistake = LedgerUrl::parse(text).expect_err(text);
            assert!(mistake.contains(why), "{text}: {mistake}");
            assert!(!mistake.contains("pw@"), "{mistake}");
        }
    }
}
