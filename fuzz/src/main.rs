//! Writes the seeds of every target beside what the fuzzer has found, under `fuzz/corpus`, and says the targets' names.

#![allow(clippy::print_stdout, clippy::disallowed_macros)]

use std::path::Path;

use contact_governor_fuzz::{TARGETS, seeds};

/// A policy with phrases of its own makes a reader, which takes the fuzzer a second: it would do little else. `tests/fuzz.rs`
/// has those, too.
fn is_quick(target: &str, seed: &[u8]) -> bool {
    target != "policy_file" || !String::from_utf8_lossy(seed).contains("[claims")
}

fn main() -> std::io::Result<()> {
    for (target, _) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        // The corpus of claims is kept as it is.
        if target != "claims" {
            for (number, seed) in
                seeds::of(target).iter().enumerate().filter(|(_, seed)| is_quick(target, seed))
            {
                std::fs::write(folder.join(format!("seed-{number}")), seed)?;
            }
        }
        println!("{target}");
    }
    Ok(())
}
