//! Redis servers and clusters of a test's own, on free ports, gone when the test is.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use contact_governor::ledger::redis::RedisLedger;
use contact_governor::settings::{Flags, LedgerUrl, RedisSettings, Settings};
use redis::FromRedisValue;
use tempfile::TempDir;

/// Another server than the one on the path, to try the tests on: a Valkey, an older Redis.
const PROGRAM_VARIABLE: &str = "TEST_REDIS_SERVER";

/// Kills the server when the other end of its standard input is closed, by whatever end the tests come
/// to; what is shared by all tests is never dropped. The shell lets go of the server's log, so that it
/// ends with the server.
const UNTIL_INPUT_ENDS: &str =
    "\"$@\" & server=$!; echo \"server $server\"; exec >&-; cat >/dev/null; kill -9 $server";

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

pub struct RedisServer {
    pub port: u16,
    guard: Child,
    pid: u32,
    folder: TempDir,
    arguments: Vec<String>,
}

impl RedisServer {
    /// One server for all tests that mind only their own keys.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// Starts a server and waits until it takes connections. Another may take the port first; then
    /// another port is tried.
    pub fn start(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        (0..10)
            .find_map(|_| Self::start_on(free_port(), &arguments, tempfile::tempdir().expect("a folder")))
            .expect("a server on one of ten ports")
    }

    fn start_on(port: u16, arguments: &[String], folder: TempDir) -> Option<Self> {
        let program = std::env::vars().find(|(name, _)| name == PROGRAM_VARIABLE);
        let program = program.map_or_else(|| "redis-server".to_owned(), |(_, program)| program);
        let mut guard = Command::new("sh")
            .args(["-c", UNTIL_INPUT_ENDS, "sh", &program])
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"])
            .args(["--dir", folder.path().to_str().expect("a path")])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut log = BufReader::new(guard.stdout.take().expect("a pipe"));
        let mut pid = 0;
        loop {
            let mut line = String::new();
            if log.read_line(&mut line).expect("text") == 0 || line.contains("Failed listening") {
                let _ = guard.kill();
                let _ = guard.wait();
                return None;
            }
            if let Some(server) = line.strip_prefix("server ") {
                pid = server.trim().parse().expect("a pid");
            }
            if line.contains("eady to accept connections")
                || line.contains("Server initialized") && arguments.iter().any(|a| a == "--replicaof")
            {
                break;
            }
        }
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Some(Self { port, guard, pid, folder, arguments: arguments.to_vec() })
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it keeps what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command, on a connection of its own.
    pub fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_command(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub fn try_command<T: FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut connection)
    }

    /// How often a command has been called, by `INFO commandstats`.
    pub fn calls(&self, command: &str) -> u64 {
        let stats: String = self.command(&["INFO", "commandstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.and_then(|rest| rest.split(',').next()).map_or(0, |calls| calls.parse().expect("a number"))
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.pid.to_string()]).status().expect("kill");
        assert!(status.success(), "{signal}");
    }

    /// Stops answering, with every connection open.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// `kill -9`; returns once it is gone.
    pub fn kill(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().expect("its end");
    }

    /// Starts again on the same port with what its directory holds.
    pub fn restart(mut self) -> Self {
        self.kill();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        Self::start_on(self.port, &self.arguments, folder).expect("its port is still free")
    }

    /// A ledger among keys of its own.
    pub fn ledger(&self) -> RedisLedger {
        ledger(&self.url(), &settings())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A stopped process dies of this signal as well.
        self.kill();
    }
}

/// Settings with a key prefix that nobody else has.
pub fn settings() -> RedisSettings {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut settings =
        Settings::load(&Flags::default(), Some(std::iter::empty().collect())).expect("the defaults").redis;
    settings.key_prefix = format!("t{}:", NEXT.fetch_add(1, Ordering::Relaxed));
    settings
}

pub fn ledger(url: &str, settings: &RedisSettings) -> RedisLedger {
    let Ok(LedgerUrl::Redis(url)) = LedgerUrl::parse(url) else { panic!("{url} is no redis") };
    RedisLedger::open(&url, settings, &[], 2).expect("a ledger")
}

/// Three primaries with a replica each.
pub struct RedisCluster {
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// One cluster for all tests that mind only their own keys.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts it and waits until every node agrees that it is whole.
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..6)
            .map(|_| {
                let bus = free_port().to_string();
                RedisServer::start(&[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-node-timeout",
                    "1500",
                    "--cluster-port",
                    &bus,
                    "--repl-diskless-sync-delay",
                    "0",
                ])
            })
            .collect();
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)))
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .stdout(Stdio::null())
            .status()
            .expect("redis-cli");
        assert!(created.success(), "the cluster was not made");
        let cluster = Self { nodes };
        cluster.wait_until("every node sees it whole", || {
            cluster.nodes.iter().all(|node| {
                let info: String = node.command(&["CLUSTER", "INFO"]);
                let role: String = node.command(&["INFO", "replication"]);
                info.contains("cluster_state:ok")
                    && info.contains("cluster_known_nodes:6")
                    && (role.contains("role:master") && role.contains("connected_slaves:1")
                        || role.contains("master_link_status:up"))
            })
        });
        cluster
    }

    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        assert!(
            (0..100_000).any(|_| holds()),
            "{what}: it never came to that, of {} nodes",
            self.nodes.len()
        );
    }

    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    pub fn ledger(&self) -> RedisLedger {
        ledger(&self.url(), &settings())
    }

    /// The node that now serves a key, by its place in `nodes`.
    pub fn primary_of(&self, key: &str) -> usize {
        let node =
            self.nodes.iter().find(|node| node.try_command::<String>(&["PING"]).is_ok()).expect("a node");
        let slot: u64 = node.command(&["CLUSTER", "KEYSLOT", key]);
        let ranges: Vec<(u64, u64, redis::Value)> = {
            let slots: Vec<Vec<redis::Value>> = node.command(&["CLUSTER", "SLOTS"]);
            let number = |value: &redis::Value| u64::from_redis_value_ref(value).expect("a number");
            slots.iter().map(|range| (number(&range[0]), number(&range[1]), range[2].clone())).collect()
        };
        let (_, _, node) =
            ranges.into_iter().find(|(first, last, _)| (*first..=*last).contains(&slot)).expect("a primary");
        let redis::Value::Array(node) = node else { panic!("{node:?} is no node") };
        let port = u64::from_redis_value_ref(&node[1]).expect("a port");
        self.nodes.iter().position(|node| u64::from(node.port) == port).expect("one of ours")
    }
}
