//! Writes the seeds of every target beside what the fuzzer has found, under `fuzz/corpus`, and says the targets' names.

#![allow(clippy::print_stdout, clippy::disallowed_macros)]

use std::path::Path;

use contact_governor_fuzz::{TARGETS, seeds};

fn main() -> std::io::Result<()> {
    for (target, _) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        // The corpus of claims is kept as it is.
        if target != "claims" {
            for (number, seed) in seeds::of(target).iter().enumerate() {
                std::fs::write(folder.join(format!("seed-{number}")), seed)?;
            }
        }
        println!("{target}");
    }
    Ok(())
}
