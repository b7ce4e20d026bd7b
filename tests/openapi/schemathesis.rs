//! Schemathesis makes up requests from the document, sound ones and unsound ones, and finds nothing to say about what
//! the program answers: <https://schemathesis.readthedocs.io>.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::keys::Keys;
use crate::harness::{PROGRAM, Process};

/// Where `make test` installs it.
const SCHEMATHESIS: &str = "target/schemathesis/bin/schemathesis";

const SECRET: (&str, &str) = ("WISHES_PAGE__SECRET", "a-secret-of-more-than-thirty-two-characters");

/// Nothing is found because the machine has more to do.
const PATIENCE: [(&str, &str); 2] = [("HTTP__REQUEST_TIMEOUT", "120s"), ("LEDGER__TIMEOUT", "120s")];

/// What stands in a link to a customer's own page.
fn token() -> String {
    let made = Command::new(PROGRAM)
        .args(["key", "wishes-link", "--customer", "c-1001"])
        .env(format!("CONTACT_GOVERNOR__{}", SECRET.0), SECRET.1)
        .output()
        .expect("the program runs");
    let link = String::from_utf8(made.stdout).expect("text");
    link.trim().rsplit('/').next().expect("a token").to_owned()
}

#[test]
fn finds_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = root.join(SCHEMATHESIS);
    assert!(
        program.exists(),
        "{SCHEMATHESIS} is missing: `make test` installs it, or `make tools-test` alone"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut keys = Keys::default();
    let key = keys.issue("tester", &[("scopes", "ask tell read admin"), ("per_second", "0")]);
    let policy = folder.path().join("policy.toml");
    std::fs::copy(root.join("config/policy.toml"), &policy).expect("a file");
    let policy = policy.display().to_string();
    let settings =
        [&keys.settings()[..], &[SECRET, PATIENCE[0], PATIENCE[1], ("POLICY__FILE", &policy)]].concat();
    let ledger = format!("embedded:{}", folder.path().join("data").display());
    let mut governor = Process::start_with(&settings, &["--ledger", &ledger]);
    let address = governor.caller.address();
    let output = Command::new(program)
        .arg("--config-file")
        .arg(root.join("tests/openapi/schemathesis/schemathesis.toml"))
        .args(["--no-color", "run", "--checks", "all"])
        .args(["--header", &format!("Authorization: Bearer {}", key.expose())])
        .arg(format!("http://{address}/openapi.json"))
        .current_dir(folder.path())
        .env("SCHEMATHESIS_HOOKS", root.join("tests/openapi/schemathesis/hooks.py"))
        .env("WISHES_TOKEN", token())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let (code, log) = governor.terminate();
    assert_eq!(code, Some(0), "{log}");
    for alarm in ["panicked", "ERROR contact_governor"] {
        assert!(!log.contains(alarm), "{log}");
    }
}
