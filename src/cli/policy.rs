//! `policy check|test|show|diff|schema`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::policy::{compile, diff, sentences, warnings};
use crate::scenario::{self, Scenario};

use super::{Exit, console, load_policy, load_source};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say everything that is wrong with policy files, and what may be meant otherwise.
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Run scenario files: exit status 1 when one fails, or when no step was run.
    Test {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print a policy's rules as plain sentences.
    Show {
        /// Without one, the policy that ships with the program.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Say what a policy changes of another, a sentence each.
    Diff {
        #[arg(value_name = "OLD")]
        old: PathBuf,
        #[arg(value_name = "NEW")]
        new: PathBuf,
    },
    /// Print the JSON Schema of policy files, for editors.
    Schema,
}

#[must_use]
pub fn run(command: &Command) -> Exit {
    match command {
        Command::Check { files } => files.iter().map(check).fold(Exit::Done, worse),
        Command::Test { files } => test(files),
        Command::Show { file } => match load_policy(file.as_ref()) {
            Ok(policy) => {
                console::say(sentences::policy(&policy));
                Exit::Done
            }
            Err(_) => Exit::Refused,
        },
        Command::Diff { old, new } => match (load_source(Some(old)), load_source(Some(new))) {
            (Ok(old), Ok(new)) => {
                let changes = diff::changes(&old, &new);
                if changes.is_empty() {
                    console::say(diff::NOTHING);
                }
                changes.iter().for_each(console::say);
                Exit::Done
            }
            _ => Exit::Refused,
        },
        Command::Schema => {
            console::say(serde_json::to_string_pretty(compile::schema()).unwrap_or_default());
            Exit::Done
        }
    }
}

const fn worse(one: Exit, other: Exit) -> Exit {
    if matches!(one, Exit::Done) { other } else { one }
}

fn check(file: &PathBuf) -> Exit {
    match load_policy(Some(file)) {
        Ok(policy) => {
            for warning in warnings::warnings(&policy) {
                console::say(format!("{}: warning: {warning}", file.display()));
            }
            console::say(format!(
                "{}: sound: {} rules, version {}, hash {}",
                file.display(),
                policy.rules.len(),
                policy.mark.version,
                policy.mark.hash
            ));
            Exit::Done
        }
        Err(_) => Exit::Refused,
    }
}

fn test(files: &[PathBuf]) -> Exit {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        console::complain("policy test: cannot start");
        return Exit::Refused;
    };
    let (mut steps, mut passed, mut failed) = (0, 0, 0);
    for file in files {
        let run = match Scenario::read(file) {
            Ok(scenario) => match runtime.block_on(scenario.run()) {
                run if run.steps == 0 => {
                    scenario::Run { failures: vec!["it has no steps".to_owned()], ..run }
                }
                run => run,
            },
            Err(mistakes) => scenario::Run { steps: 0, failures: mistakes },
        };
        steps += run.steps;
        if run.failures.is_empty() {
            passed += 1;
            console::say(format!("ok    {} ({} steps)", scenario::sentence(file), run.steps));
        } else {
            failed += 1;
            console::say(format!("FAIL  {}", scenario::sentence(file)));
            for failure in run.failures {
                console::say(format!("      {failure}"));
            }
        }
    }
    console::say(format!("{passed} passed, {failed} failed"));
    if failed > 0 {
        return Exit::Refused;
    }
    if steps == 0 {
        console::complain("no step was run");
        return Exit::Refused;
    }
    Exit::Done
}
