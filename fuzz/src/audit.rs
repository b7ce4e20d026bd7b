//! An audit log that somebody has been at.

use std::sync::OnceLock;

use contact_governor::audit::line::{By, Hash, Head, Seals, write};
use contact_governor::audit::verify::Check;
use contact_governor::audit::{Act, Acting};
use contact_governor::domain::caller::Caller;
use contact_governor::settings::Secret;

const LINES: u64 = 12;

fn seals() -> Seals {
    Seals::new(&[Secret::new("nobody who fuzzes knows it".to_owned())])
}

/// A log of some lines, as it was written.
pub fn log() -> &'static [Vec<u8>] {
    static LOG: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let mut head = Head::NONE;
        (1..=LINES)
            .map(|line| {
                let act = Act::HaltSet { campaign: format!("campaign-{line}") };
                let by = By { acting: &Acting::of(&Caller::local()), request: Some("req-42") };
                let written = write(head, "2026-11-16T12:00:00Z", by, &act, &seals());
                head = Head { line, hash: Hash::of(&written) };
                written
            })
            .collect()
    })
}

/// Only a stretch of the log is found whole; and where it is not, something is said.
pub fn audit_log(bytes: &[u8]) {
    let mut check = Check::new(seals(), None);
    check.file("log", bytes).expect("bytes in memory can be read");
    let findings = check.findings();
    assert!(!findings.sentences.is_empty());
    if findings.is_whole && !bytes.is_empty() {
        let given: Vec<&[u8]> =
            bytes.strip_suffix(b"\n").expect("a whole line").split(|byte| *byte == b'\n').collect();
        let is_stretch = log().windows(given.len()).any(|stretch| stretch == given);
        assert!(is_stretch, "{:?} was found whole", String::from_utf8_lossy(bytes));
    }
}
