//! TLS: who may connect, with which certificates, and what changes without a restart.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::ClientConfig;
use tempfile::TempDir;

use crate::harness::certificates::Authority;
use crate::harness::raw::{connect_tls, head, post};
use crate::harness::{PROGRAM, Process, question, time_until};

/// A governor with a certificate, and the folder it is in.
struct Secured {
    folder: TempDir,
    process: Process,
}

impl Secured {
    /// With a certificate of an authority's that ends in a year; callers must show one of `clients`'.
    fn start(authority: &Authority, until: i32, clients: Option<&Authority>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        authority.issue(until).write(folder.path());
        let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
        let mut settings = vec![
            ("TLS__CERTIFICATE", path("cert.pem")),
            ("TLS__KEY", path("key.pem")),
            ("TLS__LOOK_EVERY", "20ms".to_owned()),
        ];
        if let Some(clients) = clients {
            std::fs::write(folder.path().join("clients.pem"), &clients.pem).expect("written");
            settings.push(("TLS__CLIENT_AUTHORITY", path("clients.pem")));
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, &**value)).collect();
        let process = Process::start_with(&settings, &["--ledger", "memory:"]);
        Self { folder, process }
    }

    /// What is said of the metrics over a new connection; nothing if none can be made.
    fn metrics(&self, config: &Arc<ClientConfig>) -> Option<String> {
        let mut connection = connect_tls(self.process.caller.address(), config);
        connection.try_send(head("GET", "/metrics", "")).ok()?;
        connection.try_answer().ok().map(|answer| answer.body)
    }

    fn expires(&self, config: &Arc<ClientConfig>, year: i32) -> bool {
        let seconds = crate::harness::at(&format!("{year}-01-01T00:00:00Z")).millis() / 1_000;
        let line = format!(
            "contact_governor_certificate_expiry_timestamp_seconds{{certificate=\"server\"}} {seconds}"
        );
        self.metrics(config).is_some_and(|metrics| metrics.contains(&line))
    }
}

#[test]
fn a_new_certificate_is_in_force_without_a_restart_and_a_bad_one_is_not() {
    let (old, new) = (Authority::new(), Authority::new());
    let governor = Secured::start(&old, 2040, None);
    let (trusts_old, trusts_new) = (old.client(None), new.client(None));
    let address = governor.process.caller.address();
    let ask = post("/v1/preflight", &question("c", "email").to_string());
    let mut open = connect_tls(address, &trusts_old);
    assert_eq!(open.send(&ask).answer().status, 200);
    assert!(governor.expires(&trusts_old, 2040));
    assert_eq!(governor.metrics(&trusts_new), None, "nobody trusts it who knows another authority");

    // A certificate with another's key, then none at all.
    std::fs::write(governor.folder.path().join("key.pem"), old.issue(2041).key).expect("written");
    let count = |config| {
        let metrics = governor.metrics(config).expect("metrics");
        let line = metrics
            .lines()
            .find(|line| line.starts_with("contact_governor_certificate_reloads_failed_total"));
        line.and_then(|line| line.split(' ').nth(1)).map(|count| count.parse::<u64>().expect("a number"))
    };
    time_until(|| count(&trusts_old) > Some(0));
    std::fs::write(governor.folder.path().join("cert.pem"), "no certificate").expect("written");
    let failed = count(&trusts_old);
    time_until(|| count(&trusts_old) > failed);
    assert!(governor.expires(&trusts_old, 2040), "the old one is still in force");

    new.issue(2050).write(governor.folder.path());
    time_until(|| governor.expires(&trusts_new, 2050));
    assert_eq!(governor.metrics(&trusts_old), None);
    assert_eq!(open.send(&ask).answer().status, 200, "what was open stays so");

    let mut process = governor.process;
    let (status, log) = process.terminate();
    assert_eq!(status, Some(0));
    assert!(log.contains("the old ones stay in force"), "{log}");
    assert!(log.contains("no certificate in PEM form"), "{log}");
    assert!(log.contains("new certificates are in force"), "{log}");
}

#[test]
fn callers_show_a_certificate_of_an_authority_that_may_change() {
    let (ours, first, second) = (Authority::new(), Authority::new(), Authority::new());
    let governor = Secured::start(&ours, 2040, Some(&first));
    let stranger = ours.client(None);
    let of_first = ours.client(Some(&first.issue(2040)));
    let of_second = ours.client(Some(&second.issue(2040)));
    assert_eq!(governor.metrics(&stranger), None);
    assert_eq!(governor.metrics(&of_second), None);
    assert_eq!(governor.metrics(&ours.client(Some(&first.issue(2020)))), None, "it has ended");
    let metrics = governor.metrics(&of_first).expect("metrics");
    assert!(metrics.contains("expiry_timestamp_seconds{certificate=\"client_authority\"}"), "{metrics}");
    assert!(metrics.contains("contact_governor_tls_handshakes_failed_total 3"), "{metrics}");

    std::fs::write(governor.folder.path().join("clients.pem"), &second.pem).expect("written");
    time_until(|| governor.metrics(&of_second).is_some());
    assert_eq!(governor.metrics(&of_first), None, "not even to go on with a session it had");
    assert_eq!(governor.metrics(&stranger), None);
}

#[test]
fn commands_reach_a_governor_of_a_private_authority() {
    let (ours, callers) = (Authority::new(), Authority::new());
    let governor = Secured::start(&ours, 2040, Some(&callers));
    let folder = tempfile::tempdir().expect("a folder");
    callers.issue(2040).write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    std::fs::write(path("authority.pem"), &ours.pem).expect("written");
    let (authority, certificate, key) = (path("authority.pem"), path("cert.pem"), path("key.pem"));
    let url = format!("https://localhost:{}", governor.process.caller.address().port());
    let preflight = |arguments: &[&str]| {
        let mut child = Command::new(PROGRAM)
            .args(["preflight", "--url", &url])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let question = question("c", "email").to_string();
        child.stdin.take().expect("a pipe").write_all(question.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("its end");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).expect("text"))
    };
    let trusting = ["--authority", &*authority];
    let known = [&trusting[..], &["--client-certificate", &certificate, "--client-key", &key]].concat();
    let (status, said) = preflight(&known);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("\"allow\""), "{said}");
    let (status, said) = preflight(&trusting);
    assert_eq!(status, Some(1), "{said}");
    let (status, said) = preflight(&[]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("cannot ask https://localhost"), "{said}");
    let (status, said) = preflight(&["--authority", &key]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("holds no certificate in PEM form"), "{said}");
    let list = path("list.csv");
    std::fs::write(&list, "customer,channel,purpose,delivery\nc-1,email,marketing,template\n")
        .expect("written");
    let scrubbed =
        Command::new(PROGRAM).args(["scrub", &list, "--url", &url]).args(&known).output().expect("run");
    assert!(scrubbed.status.success(), "{scrubbed:?}");
    let consents = path("consents.csv");
    std::fs::write(&consents, "customer,purpose,given\nc-1,marketing,true\n").expect("written");
    let imported = Command::new(PROGRAM)
        .args(["import", "consents", &consents, "--url", &url])
        .args(&known)
        .output()
        .expect("run");
    let said = String::from_utf8_lossy(&imported.stderr);
    assert!(!said.contains("cannot reach"), "{said}");
}

#[test]
fn what_cannot_be_used_is_said_before_anything_listens() {
    use crate::harness::Launch;
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("cert.pem").to_str().expect("a path").to_owned();
    let launch = |settings: &[(&str, &str)]| {
        let launch = Launch { settings, arguments: &["--ledger", "memory:"], ..Launch::default() };
        Process::launch(&launch).err().expect("it does not start")
    };
    let log = launch(&[("TLS__CERTIFICATE", &missing), ("TLS__KEY", &missing)]);
    assert!(log.contains(&format!("cannot read `{missing}`")), "{log}");
    let log = launch(&[("TLS__CERTIFICATE", &missing), ("TLS__CLIENT_AUTHORITY", &missing)]);
    assert!(log.contains("go together"), "{log}");
    let log = launch(&[("TLS__CLIENT_AUTHORITY", &missing)]);
    assert!(log.contains("tls.client_authority"), "{log}");
}

#[test]
fn a_client_that_does_not_shake_hands_is_let_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    authority.issue(2040).write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let settings =
        [("TLS__CERTIFICATE", &*certificate), ("TLS__KEY", &key), ("TLS__HANDSHAKE_TIMEOUT", "50ms")];
    let process = Process::start_with(&settings, &["--ledger", "memory:"]);
    let mut silent = crate::harness::raw::connect(process.caller.address());
    assert!(silent.is_closed());
    let mut plain = crate::harness::raw::connect(process.caller.address());
    plain.send(head("GET", "/livez", ""));
    assert!(plain.is_closed());
}

#[test]
fn a_batch_is_streamed_both_ways() {
    let authority = Authority::new();
    let governor = Secured::start(&authority, 2040, None);
    let mut connection = connect_tls(governor.process.caller.address(), &authority.client(None));
    let begin = "POST /v1/preflight/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
                 transfer-encoding: chunked\r\n\r\n";
    connection.send(begin);
    for number in 0..3 {
        let line = format!("{}\n", question(&format!("c-{number}"), "email"));
        connection.send(format!("{:x}\r\n{line}\r\n", line.len()));
        if number == 0 {
            assert_eq!(connection.answer().status, 200);
        }
        // The answer to each line comes before the next line is sent.
        let chunk = connection.chunk();
        assert!(chunk.contains("\"verdict\":\"allow\""), "{chunk}");
    }
    connection.send("0\r\n\r\n");
    assert_eq!(connection.chunk(), "");
}
