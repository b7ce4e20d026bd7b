//! The decision log as a stream, while Redis goes away and comes back in each of its forms: asks go on, what is lost is
//! counted, and what is there can be replayed.

use std::cell::Cell;

use crate::command_line::{lines, run};
use crate::decision_log::{DROPPED, WRITTEN, counted};
use crate::harness::redis::{RedisCluster, RedisServer};
use crate::harness::{Process, question, time_until};

use super::topologies::Sentinels;

const KEY: &str = "cg:decisions";
const SETTINGS: [(&str, &str); 5] = [
    ("DECISION_LOG__TO", "redis-stream"),
    ("DECISION_LOG__IDS", "clear"),
    ("LEDGER__TIMEOUT", "800ms"),
    ("REDIS__COMMAND_TIMEOUT", "150ms"),
    ("REDIS__CONNECT_TIMEOUT", "300ms"),
];

/// A governor whose every answer is to be a line.
struct Logging {
    process: Process,
    asked: Cell<u64>,
}

impl Logging {
    fn start(url: &str) -> Self {
        Self { process: Process::start_with(&SETTINGS, &["--ledger", url]), asked: Cell::new(0) }
    }

    fn ask(&self) {
        let answer = self.process.caller.ask(&question(&format!("c-{}", self.asked.get()), "email"));
        assert_eq!(answer.status, 200, "{answer:?}");
        self.asked.set(self.asked.get() + 1);
    }

    fn counted(&self, name: &str) -> u64 {
        counted(&self.process.caller, name)
    }

    /// Asks until a counter has grown.
    fn ask_until_more_are(&self, name: &str) {
        let before = self.counted(name);
        time_until(|| {
            self.ask();
            self.counted(name) > before
        });
    }

    /// Every answer is accounted for, and what is in the stream is whole; how many lines those are.
    fn accounts_for_all(&self, node: &RedisServer) -> usize {
        time_until(|| self.counted(WRITTEN) + self.counted(DROPPED) == self.asked.get());
        let entries: Vec<(String, Vec<String>)> = node.command(&["XRANGE", KEY, "-", "+"]);
        let mut text: Vec<String> = entries.into_iter().map(|(_, mut fields)| fields.remove(1)).collect();
        // As docs/decision-log.md says: what a failover has sent again stands later in the stream.
        text.sort_by(|one, other| one.as_bytes()[..32].cmp(&other.as_bytes()[..32]));
        let replayed = lines(&run(&["simulate"], &text.join("\n")));
        assert_eq!(replayed.len(), text.len());
        assert_eq!(replayed.iter().find(|line| line["verdict"].is_null()), None);
        let last = format!("\"c-{}\"", self.asked.get() - 1);
        assert!(text.iter().any(|line| line.contains(&last)), "{last} was asked last, when all was well");
        text.len()
    }
}

#[test]
fn away_and_back_what_was_lost_is_counted() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let logging = Logging::start(&server.url());
    logging.ask_until_more_are(WRITTEN);
    server.kill();
    logging.ask_until_more_are(DROPPED);
    let server = server.restart();
    logging.ask_until_more_are(WRITTEN);
    let kept = logging.accounts_for_all(&server);
    // What was under way when it went may be there although nobody was told.
    assert!(kept as u64 >= logging.counted(WRITTEN) && logging.counted(DROPPED) > 0, "{kept}");
}

#[test]
fn behind_sentinels_it_goes_on_with_the_new_master() {
    let mut sentinels = Sentinels::start();
    let logging = Logging::start(&sentinels.url());
    logging.ask_until_more_are(WRITTEN);
    sentinels.nodes[0].kill();
    logging.ask_until_more_are(DROPPED);
    logging.ask_until_more_are(WRITTEN);
    logging.accounts_for_all(&sentinels.nodes[1]);
}

#[test]
fn in_a_cluster_it_goes_on_with_the_replica_that_takes_over() {
    let mut cluster = RedisCluster::start();
    let logging = Logging::start(&cluster.url());
    logging.ask_until_more_are(WRITTEN);
    let primary = cluster.primary_of(KEY);
    cluster.nodes[primary].kill();
    logging.ask_until_more_are(DROPPED);
    logging.ask_until_more_are(WRITTEN);
    let promoted = cluster.primary_of(KEY);
    assert_ne!(promoted, primary);
    logging.accounts_for_all(&cluster.nodes[promoted]);
}
