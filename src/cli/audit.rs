//! `audit`: reads what was written of who changed what.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::audit::PREFIX;
use crate::audit::line::{Hash, Seals};
use crate::audit::verify::Check;
use crate::settings::{Flags, Settings};

use super::{Exit, console};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether an audit log is as it was written.
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The log's folder, or its files in the order of their numbers.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The hash of a line that the log must contain: its head, as the program's own log has told it.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// The settings file with the log's secrets; they may stand in the environment as well.
    #[arg(long, value_name = "FILE")]
    settings: Vec<PathBuf>,
}

#[must_use]
pub fn run(command: &Command) -> Exit {
    match command {
        Command::Verify(arguments) => verify(arguments).unwrap_or_else(|why| {
            console::complain(format!("audit verify: {why}"));
            Exit::Misused
        }),
    }
}

fn verify(arguments: &VerifyArguments) -> Result<Exit, String> {
    let flags = Flags { settings: arguments.settings.clone(), ..Flags::default() };
    let settings = Settings::load(&flags, None).map_err(|mistakes| mistakes.to_string())?;
    let wanted = arguments.head.as_deref().map(|text| {
        Hash::parse(text)
            .ok_or_else(|| format!("--head: `{text}` is not the hash of a line: 64 hexadecimal digits"))
    });
    let mut check = Check::new(Seals::new(&settings.audit_secrets), wanted.transpose()?);
    for path in &arguments.paths {
        let failed = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
        for file in files(path).map_err(failed)? {
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            check.file(&name, BufReader::new(File::open(&file).map_err(failed)?)).map_err(failed)?;
        }
    }
    let findings = check.findings();
    findings.sentences.iter().for_each(console::say);
    Ok(if findings.is_whole { Exit::Done } else { Exit::Refused })
}

/// The file, or those of a folder in their order.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = std::fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)));
    files.sort();
    Ok(files)
}
