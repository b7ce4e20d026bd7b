//! The program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use contact_governor::cli::{Cli, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Cli::parse()).into()
}
