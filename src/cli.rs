//! The command line: one file a command.

pub mod audit;
pub mod bookmark;
pub mod cells;
pub mod claims;
pub mod columns;
pub mod connection;
pub mod console;
pub mod failure;
pub mod import;
pub mod input;
pub mod key;
pub mod lanes;
pub mod lines;
pub mod policy;
pub mod preflight;
pub mod rejects;
pub mod report;
pub mod rows;
pub mod scrub;
pub mod serve;
pub mod simulate;
pub mod trust;
pub mod verdicts;
pub mod whole_file;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::policy::Policy;
use crate::policy::source::Source;
use crate::settings;

/// May this customer be contacted, on this channel, with these words, now?
#[derive(Debug, Parser)]
#[command(name = "contact-governor", version, about, arg_required_else_help = false)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer over HTTP (what happens when no command is given).
    Serve(serve::Arguments),
    /// Ask one question: JSON on standard input, the answer on standard output.
    Preflight(preflight::Arguments),
    /// Replay asks and tells from standard input on a clock of their own.
    Simulate(simulate::Arguments),
    /// Read what texts assert: messages on standard input, labels and spans on standard output.
    Claims(claims::Arguments),
    /// Store consents, suppressions or facts from a CSV file.
    Import(import::Arguments),
    /// Judge a list before it is mailed: each row with its verdict and reason.
    Scrub(scrub::Arguments),
    /// Check, test, show and describe policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Read what was written of who changed what.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Make what opens something.
    #[command(subcommand)]
    Key(key::Command),
}

/// How a command ended; the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Done,
    /// 1: refused, or failed.
    Refused,
    /// 2: used wrongly.
    Misused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Refused => Self::from(1),
            Exit::Misused => Self::from(2),
        }
    }
}

/// Runs the command the process was started with.
#[must_use]
pub fn run(cli: Cli) -> Exit {
    match cli.command.unwrap_or_else(|| Command::Serve(serve::Arguments::default())) {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Preflight(arguments) => preflight::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Claims(arguments) => claims::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Scrub(arguments) => scrub::run(&arguments),
        Command::Policy(command) => policy::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Key(command) => key::run(&command),
    }
}

/// Reads and compiles a policy; without a file, the one that ships with the program. What is wrong goes
/// to standard error.
fn load_policy(file: Option<&PathBuf>) -> Result<Arc<Policy>, Exit> {
    load_source(file).map(|source| source.policy)
}

/// The same with its text.
fn load_source(file: Option<&PathBuf>) -> Result<Source, Exit> {
    let (name, text) = settings::policy_text(file.map(PathBuf::as_path)).map_err(|mistake| {
        console::complain(mistake);
        Exit::Misused
    })?;
    Source::compile(name, text).map_err(|mistakes| {
        console::complain(mistakes);
        Exit::Misused
    })
}
