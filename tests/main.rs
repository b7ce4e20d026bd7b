//! One binary of tests; the tree below mirrors what is tested.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should stop and say where"
)]

mod audit;
mod auditor;
mod backups;
mod cases;
mod claims;
mod command_line;
mod crash;
mod decision_log;
mod deploy;
mod erasure;
mod examples;
mod exposure;
mod fuzz;
mod harness;
mod heralds;
mod http;
mod import;
mod imports;
mod key_commands;
mod ledgers;
mod metrics;
mod openapi;
mod policy_files;
mod privacy;
mod prometheus;
mod promises;
mod readme;
mod redis;
mod reload;
mod scrub;
mod simulate;
mod soak;
mod stored;
mod telemetry;
