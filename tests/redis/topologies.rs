//! Sentinels, TLS, ACL users, confirmation by replicas: each by its URL and its settings.

use std::process::{Command, Stdio};

use contact_governor::domain::record::Record;
use contact_governor::ledger::{Committed, Ledger, Revision};
use serde_json::json;
use std::sync::Arc;

use crate::harness::certificates::Authority;
use crate::harness::redis::{RedisServer, free_port, ledger, settings};
use crate::harness::{Process, commit, question, time_until, with};

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test)
}

#[test]
fn bytes_stored_long_ago_are_read() {
    let server = RedisServer::shared();
    run(async {
        let settings = settings();
        let ledger = ledger(&server.url(), &settings);
        let stored = std::fs::read("tests/stored/v1-everything.bin").expect("old bytes");
        let mut value = 7_u64.to_le_bytes().to_vec();
        value.extend(&stored);
        let mut connection = redis::Client::open(server.url())
            .and_then(|client| client.get_connection())
            .expect("a connection");
        redis::cmd("SET")
            .arg(format!("{}c:old", settings.key_prefix))
            .arg(value)
            .exec(&mut connection)
            .expect("set");
        let loaded = ledger.load("old").await.expect("loaded");
        assert_eq!(loaded.revision, Revision(7));
        assert_eq!(
            *loaded.record,
            contact_governor::ledger::record_format::decode(&stored).expect("a record")
        );
        let committed =
            ledger.commit(commit("old", loaded.revision, loaded.record)).await.expect("committed");
        assert_eq!(committed, Committed::Stored);
    });
}

#[test]
fn a_deleted_record_does_not_come_back_under_an_old_revision() {
    let server = RedisServer::shared();
    run(async {
        let settings = settings();
        let ledger = ledger(&server.url(), &settings);
        let committed = async |revision| {
            ledger.commit(commit("c", revision, Arc::new(Record::default()))).await.expect("committed")
        };
        assert_eq!(committed(Revision::ABSENT).await, Committed::Stored);
        let old = ledger.load("c").await.expect("loaded").revision;
        server.command::<i64>(&["DEL", &format!("{}c:c", settings.key_prefix)]);
        assert_eq!(committed(old).await, Committed::Conflict);
        assert_eq!(committed(Revision::ABSENT).await, Committed::Stored);
        assert_eq!(committed(old).await, Committed::Conflict);
    });
}

#[test]
fn an_acl_user_needs_no_more_than_the_documented_rights() {
    let server = RedisServer::start(&[]);
    let rights = include_str!("../../deploy/redis/users.acl");
    let line = rights.lines().find(|line| line.starts_with("user governor ")).expect("the governor's line");
    let rules: Vec<&str> = line
        .split_whitespace()
        .skip(2)
        .map(|rule| if rule.starts_with('>') || rule.starts_with('#') { ">s3cret/@" } else { rule })
        .collect();
    server.command::<()>(&[&["ACL", "SETUSER", "governor"], rules.as_slice()].concat());
    let url = format!("redis://governor:s3cret%2F%40@127.0.0.1:{}", server.port);
    let governor = Process::start(&["--ledger", &url]);
    assert_eq!(governor.caller.ask(&question("c", "email")).body["degraded"], json!(false));
    assert_eq!(governor.caller.put("/v1/campaigns/autumn/halt", &json!(null)).status, 204);
    let refused = with(question("c", "email"), &json!({"campaign": "autumn"}));
    assert_eq!(governor.caller.ask(&refused).verdict(), "deny");
    time_until(|| {
        server.command::<Vec<String>>(&["KEYS", "cg:*"]).iter().any(|key| key.starts_with("cg:r:"))
    });
    assert_eq!(governor.caller.send("DELETE", "/v1/customers/c", b"").status, 200);
    assert_eq!(governor.caller.get("/readyz").status, 200);
    let denied: Vec<redis::Value> = server.command(&["ACL", "LOG"]);
    assert!(denied.is_empty(), "{denied:?}");

    let wrong = format!("redis://governor:wrong@127.0.0.1:{}", server.port);
    let governor = Process::start(&["--ledger", &wrong]);
    assert_eq!(governor.caller.ask(&question("c", "email")).body["degraded"], json!(true));
    let ready = governor.caller.get("/readyz").body["detail"].to_string();
    assert!(ready.contains("uthentication"), "{ready}");
    assert!(!ready.contains("wrong"), "{ready}");
    // The right password later is enough; nothing needs a restart.
    server.command::<()>(&["ACL", "SETUSER", "governor", ">wrong"]);
    time_until(|| governor.caller.ask(&question("d", "email")).body["degraded"] == json!(false));
}

#[test]
fn over_tls_with_certificates_on_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let signer = Authority::new();
    signer.issue(2040).write(folder.path());
    std::fs::write(folder.path().join("ca.pem"), &signer.pem).expect("written");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (authority, certificate, key) = (path("ca.pem"), path("cert.pem"), path("key.pem"));
    let port = free_port().to_string();
    let _server = RedisServer::start(&[
        "--tls-port",
        &port,
        "--tls-ca-cert-file",
        &authority,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
    ]);
    let url = format!("rediss://localhost:{port}");
    let trusting = [
        ("REDIS__TLS_AUTHORITY", &*authority),
        ("REDIS__TLS_CERTIFICATE", &certificate),
        ("REDIS__TLS_KEY", &key),
    ];
    let governor = Process::start_with(&trusting, &["--ledger", &url]);
    assert_eq!(
        governor.caller.ask(&question("c", "email")).body["degraded"],
        json!(false),
        "{:?}",
        governor.caller.get("/readyz")
    );
    assert_eq!(governor.caller.put("/v1/campaigns/autumn/halt", &json!(null)).status, 204);

    let governor = Process::start(&["--ledger", &url]);
    assert_eq!(
        governor.caller.ask(&question("c", "email")).body["degraded"],
        json!(true),
        "an unknown authority"
    );
    let ready = governor.caller.get("/readyz").body["detail"].to_string();
    assert!(ready.contains("certificate"), "{ready}");
}

/// Three Sentinels over a master and a replica.
pub struct Sentinels {
    pub nodes: Vec<RedisServer>,
    ports: Vec<u16>,
    guards: Vec<std::process::Child>,
    _folder: tempfile::TempDir,
}

impl Sentinels {
    pub fn start() -> Self {
        let master = RedisServer::start(&[]);
        let replica = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
        replica.command::<()>(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
        time_until(|| replica.command::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
        let folder = tempfile::tempdir().expect("a folder");
        let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let guards = ports
            .iter()
            .map(|port| {
                let file = folder.path().join(format!("{port}.conf"));
                let text = format!(
                    "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 2\n\
                     sentinel down-after-milliseconds main 700\nsentinel failover-timeout main 3000\n",
                    folder.path().display(),
                    master.port
                );
                std::fs::write(&file, text).expect("written");
                Command::new("redis-server")
                    .args([file.to_str().expect("a path"), "--sentinel"])
                    .stdout(Stdio::null())
                    .spawn()
                    .expect("a sentinel")
            })
            .collect();
        let sentinels = Self { nodes: vec![master, replica], ports, guards, _folder: folder };
        time_until(|| sentinels.ports.iter().all(|port| Self::knows_all(*port)));
        sentinels
    }

    /// Whether a Sentinel knows the replica and both other Sentinels.
    fn knows_all(port: u16) -> bool {
        let asked = |words: &[&str]| -> redis::RedisResult<String> {
            let mut connection =
                redis::Client::open(format!("redis://127.0.0.1:{port}"))?.get_connection()?;
            let mut command = redis::Cmd::new();
            command.arg(words);
            command.query(&mut connection)
        };
        asked(&["INFO", "sentinel"]).is_ok_and(|info| info.contains("slaves=1,sentinels=3"))
    }

    pub fn url(&self) -> String {
        let places: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/main", places.join(","))
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for guard in &mut self.guards {
            let _ = guard.kill();
            let _ = guard.wait();
        }
    }
}

#[test]
fn sentinels_say_where_the_master_is_before_and_after_a_failover() {
    let mut sentinels = Sentinels::start();
    let governor = Process::start(&["--ledger", &sentinels.url()]);
    let asked = with(question("c", "email"), &json!({"contact_id": "m-1"}));
    let first = governor.caller.ask(&asked).body;
    assert_eq!(first["degraded"], json!(false));
    let offset = |node: &RedisServer| node.command::<i64>(&["EXISTS", "cg:c:c"]);
    time_until(|| offset(&sentinels.nodes[1]) == 1);
    sentinels.nodes[0].kill();
    time_until(|| {
        // A server that is promoted drops its clients.
        let info = sentinels.nodes[1].try_command::<String>(&["INFO", "replication"]);
        info.is_ok_and(|info| info.contains("role:master"))
            && governor.caller.ask(&question("d", "email")).body["degraded"] == json!(false)
    });
    assert_eq!(governor.caller.ask(&asked).body["send_at"], first["send_at"]);
}

#[test]
fn an_allow_that_no_replica_has_in_time_is_none() {
    let server = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--repl-diskless-sync-delay", "0"]);
    replica.command::<()>(&["REPLICAOF", "127.0.0.1", &server.port.to_string()]);
    time_until(|| replica.command::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
    let waiting = [("REDIS__WAIT_REPLICAS", "1"), ("REDIS__WAIT_TIMEOUT", "1s")];
    let governor = Process::start_with(&waiting, &["--ledger", &server.url()]);
    time_until(|| governor.caller.ask(&question("warm-up", "email")).body["degraded"] == json!(false));
    let kept = governor.caller.ask(&question("c", "email")).body;
    assert_eq!(
        (&kept["verdict"], &kept["degraded"]),
        (&json!("allow"), &json!(false)),
        "{:?}",
        governor.caller.get("/readyz")
    );
    assert_eq!(replica.command::<i64>(&["EXISTS", "cg:c:c"]), 1, "the replica has what was answered");

    replica.pause();
    let unconfirmed = governor.caller.ask(&question("d", "email")).body;
    assert_eq!((&unconfirmed["verdict"], &unconfirmed["degraded"]), (&json!("defer"), &json!(true)));
    replica.resume();
    time_until(|| governor.caller.ask(&question("e", "email")).body["degraded"] == json!(false));
}
