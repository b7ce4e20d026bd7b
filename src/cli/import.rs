//! `import`: consents, suppressions and facts out of a CSV file, into a ledger or a running governor.
//!
//! A chunk of rows is stored, its rejects are written, and only then is the place noted from which the next
//! run would go on; whatever happens in between, telling a chunk again is harmless.

pub mod entry;
mod governor;
pub mod kind;
mod progress;
mod run;
mod target;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use csv::StringRecord;

use crate::app::{self, AppError};
use crate::audit::{Act, Auditor};
use crate::clock::Clock;
use crate::domain::moment::SECOND_MS;
use crate::ledger::LedgerError;
use crate::settings::{Flags, Settings};
use crate::wire::fields::LONGEST_NAME;

use self::entry::Import;
use self::governor::Governor;
use self::kind::Kind;
use self::progress::Progress;
use self::run::Run;
use self::target::Target;
use super::bookmark::{Bookmark, Identity, Left, digest, with_ending};
use super::columns::{Columns, Pair, Said};
use super::connection::Connection;
use super::failure::{Failure, failed, misused};
use super::rejects::Rejects;
use super::rows::Rows;
use super::trust::Trust;
use super::{Exit, console};

#[derive(Debug, Args)]
pub struct Arguments {
    /// What the file holds.
    #[arg(value_enum)]
    kind: Kind,
    /// A CSV file whose first row names the columns.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Store through the governor that answers there, and not in a ledger opened for it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["settings", "ledger", "policy"])]
    url: Option<String>,
    #[command(flatten)]
    trust: Trust,
    /// A settings file.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where records are kept, as embedded:./data.
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Take a column from the one the file calls HEADER.
    #[arg(long = "map", value_name = "COLUMN=HEADER", value_parser = Pair::parse)]
    maps: Vec<Pair>,
    /// Say the same in every row of a column the file lacks.
    #[arg(long = "set", value_name = "COLUMN=VALUE", value_parser = Pair::parse)]
    sets: Vec<Pair>,
    /// Keep a fact a text even where it looks like a number.
    #[arg(long = "text", value_name = "COLUMN")]
    texts: Vec<String>,
    /// Where rows that cannot be stored go; FILE.rejects.csv if nothing is said.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Begin at the first row, whatever an earlier run has done.
    #[arg(long)]
    restart: bool,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    match actix_web::rt::System::new().block_on(import(arguments)) {
        Ok(exit) => exit,
        Err(Failure { exit, why }) => {
            console::complain(format!("import: {why}"));
            exit
        }
    }
}

async fn import(arguments: &Arguments) -> Result<Exit, Failure> {
    let clock = Clock::System;
    let settings = settings(arguments)?;
    let path = &arguments.file;
    let mut file = File::open(path).map_err(|error| failed("open", path, &error))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let identity = Identity::of(&name, &mut file).map_err(|error| failed("read", path, &error))?;
    let rows = Rows::open(file).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => misused(format!("`{}`: {error}", path.display())),
        _ => failed("read", path, &error),
    })?;
    let said = Said { maps: &arguments.maps, sets: &arguments.sets, texts: &arguments.texts };
    let columns = Columns::find(arguments.kind.vocabulary(), rows.header(), said)
        .map_err(|mistakes| misused(format!("`{}`: {}", path.display(), mistakes.join("\nimport: "))))?;

    let bookmark = Bookmark::beside(path, ".import.json");
    let begun = clock.now().to_string();
    let progress = take_up(arguments, &bookmark, beginning(arguments, settings.as_ref(), &identity, begun))?;
    let target = open(arguments, settings.as_ref(), &clock)?;
    let _audit = audit(arguments, settings.as_ref(), &identity, &clock)?;
    let source = format!("import:{}:{}", arguments.kind.name(), identity.named);
    let begun = progress.begun.clone();
    let import = Import {
        kind: arguments.kind,
        columns,
        file: name.chars().take(LONGEST_NAME).collect(),
        source,
        begun,
    };
    let rejects = rejects(arguments, rows.header(), &import, &progress)?;
    let mut run = Run { rows, import, target, bookmark, rejects, progress };
    run.begin(settings.as_ref())?;
    let started = clock.now();
    run.go_on(path, identity.length_bytes).await?;
    let took = clock.now() - started;
    Ok(run.sum_up(took.millis() as f64 / SECOND_MS as f64))
}

/// The settings of the ledger that is opened here; `None` where a governor has it.
fn settings(arguments: &Arguments) -> Result<Option<Settings>, Failure> {
    if arguments.url.is_some() {
        return Ok(None);
    }
    let flags = Flags {
        settings: arguments.settings.clone(),
        listen: None,
        ledger: arguments.ledger.clone(),
        policy: arguments.policy.clone(),
    };
    Settings::load(&flags, None).map(Some).map_err(|mistakes| misused(mistakes.to_string()))
}

fn open(arguments: &Arguments, settings: Option<&Settings>, clock: &Clock) -> Result<Target, Failure> {
    let Some(settings) = settings else {
        let url = arguments.url.as_deref().unwrap_or_default();
        return Ok(Target::Governor(Governor(Connection::to(url, &arguments.trust, "import")?)));
    };
    match app::open_gate(settings, clock) {
        Ok(gate) => Ok(Target::Ledger { gate: Box::new(gate), clock: clock.clone() }),
        Err(error @ AppError::Ledger(LedgerError::Owned { .. })) => {
            let why = format!("{error}. If it is a governor, import through it: --url {}", settings.url());
            Err(Failure { exit: Exit::Refused, why })
        }
        Err(error @ AppError::Policy(_)) => Err(misused(error.to_string())),
        Err(error) => Err(Failure { exit: Exit::Refused, why: error.to_string() }),
    }
}

/// Tells the audit log of what is about to be stored here; a governor does so itself.
fn audit(
    arguments: &Arguments,
    settings: Option<&Settings>,
    identity: &Identity,
    clock: &Clock,
) -> Result<Option<Arc<Auditor>>, Failure> {
    let Some(settings) = settings else { return Ok(None) };
    let start =
        Act::ImportBegun { kind: arguments.kind.name().to_owned(), content: identity.content.clone() };
    app::audit(settings, start, clock).map_err(|error| {
        let why =
            format!("{error}. If it is a governor, import through it: --url http://{}", settings.listen);
        Failure { exit: Exit::Refused, why }
    })
}

/// The progress of an import that has done nothing.
fn beginning(
    arguments: &Arguments,
    settings: Option<&Settings>,
    identity: &Identity,
    begun: String,
) -> Progress {
    // A secret in the ledger's address is left out when it is written down.
    let target = match settings {
        Some(settings) => format!("{:?}", settings.ledger),
        None => arguments.url.clone().unwrap_or_default(),
    };
    let Arguments { maps, sets, texts, rejects, .. } = arguments;
    Progress {
        kind: arguments.kind.name().to_owned(),
        file: identity.content.clone(),
        options: digest(&(target, maps, sets, texts, rejects)),
        offset_bytes: 0,
        lines: 0,
        rows_stored: 0,
        rows_rejected: 0,
        rejects_bytes: 0,
        begun,
    }
}

/// Goes on from what an earlier run has left.
fn take_up(arguments: &Arguments, bookmark: &Bookmark, beginning: Progress) -> Result<Progress, Failure> {
    if arguments.restart {
        return Ok(beginning);
    }
    match bookmark.left(&beginning).map_err(|error| failed("read", bookmark.path(), &error))? {
        Left::Nothing => Ok(beginning),
        Left::Progress(progress) => Ok(*progress),
        Left::Unusable(why) => Err(misused(format!(
            "`{}` tells of an import that was not finished, and it cannot go on: {why}. \
             With --restart it begins at the first row; what is stored twice counts once",
            bookmark.path().display()
        ))),
    }
}

fn rejects(
    arguments: &Arguments,
    header: &StringRecord,
    import: &Import,
    progress: &Progress,
) -> Result<Rejects, Failure> {
    let path = arguments.rejects.clone().unwrap_or_else(|| with_ending(&arguments.file, ".rejects.csv"));
    let same = |one: &Path, other: &Path| matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other);
    if same(&path, &arguments.file) {
        return Err(misused("--rejects names the file that is imported"));
    }
    Rejects::after(progress.rejects_bytes, path.clone(), header, import.columns.in_front)
        .map_err(|error| failed("write rejects to", &path, &error))
}
