//! One binary of tests; the tree below mirrors what is tested.

#![expect(clippy::tests_outside_test_module, reason = "everything in this crate is tests")]

mod auditor;
mod cases;
mod command_line;
mod crash;
mod examples;
mod harness;
mod http;
mod imports;
mod ledgers;
mod policy_files;
mod promises;
mod stored;
