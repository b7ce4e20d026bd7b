//! `import`: consents, suppressions and facts out of a CSV file, into a ledger or a running governor.
//!
//! A chunk of rows is stored, its rejects are written, and only then is the place noted from which the next
//! run would go on; whatever happens in between, telling a chunk again is harmless.

mod bookmark;
mod columns;
mod entry;
mod governor;
mod rejects;
mod target;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use csv::StringRecord;
use indicatif::HumanCount;

use crate::app::{self, AppError};
use crate::clock::Clock;
use crate::domain::moment::SECOND_MS;
use crate::ledger::LedgerError;
use crate::settings::{Flags, LedgerUrl, Settings};

use self::bookmark::{Bookmark, Identity, Left, Progress, digest, with_ending};
use self::columns::{Columns, Kind, Pair, Said};
use self::entry::{Entry, Import};
use self::governor::Governor;
use self::rejects::{Reject, Rejects};
use self::target::Target;
use super::rows::Rows;
use super::{Exit, console};

/// How many rows are stored before their place is noted: as many as one write to the disk takes at once, and
/// few enough that little is done again.
const CHUNK_ROWS: usize = 500;
/// How much of a file a chunk may be, so that few long rows do not fill the memory.
const CHUNK_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub struct Arguments {
    /// What the file holds.
    #[arg(value_enum)]
    kind: Kind,
    /// A CSV file whose first row names the columns.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Store through a governor that is running, as <http://127.0.0.1:8080>, and not in a ledger opened for it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["settings", "ledger", "policy"])]
    url: Option<String>,
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

/// Why an import did not take place, or stopped.
struct Failure {
    exit: Exit,
    why: String,
}

fn misused(why: impl Into<String>) -> Failure {
    Failure { exit: Exit::Misused, why: why.into() }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure { exit: Exit::Refused, why: format!("cannot {doing} `{}`: {error}", path.display()) }
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
    let columns = Columns::find(arguments.kind, rows.header(), said)
        .map_err(|mistakes| misused(format!("`{}`: {}", path.display(), mistakes.join("\nimport: "))))?;

    let bookmark = Bookmark::beside(path);
    let begun = clock.now().to_string();
    let progress = take_up(arguments, &bookmark, beginning(arguments, settings.as_ref(), &identity, begun))?;
    let target = open(arguments, settings.as_ref(), &clock)?;
    let source = format!("import:{}:{}", arguments.kind.name(), identity.named);
    let begun = progress.begun.clone();
    let import = Import { kind: arguments.kind, columns, file: name, source, begun };
    let rejects = rejects(arguments, rows.header(), &import, &progress)?;
    let mut run = Run { rows, import, target, bookmark, rejects, progress };
    run.begin(settings.as_ref())?;
    let started = clock.now();
    run.to_the_end(path, identity.length_bytes).await?;
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
        return Ok(Target::Governor(Governor::at(arguments.url.as_deref().unwrap_or_default())));
    };
    match app::open_gate(settings, clock) {
        Ok(gate) => Ok(Target::Ledger { gate, clock: clock.clone() }),
        Err(error @ AppError::Ledger(LedgerError::Owned { .. })) => {
            let why =
                format!("{error}. If it is a governor, import through it: --url http://{}", settings.listen);
            Err(Failure { exit: Exit::Refused, why })
        }
        Err(error @ (AppError::Policy(_) | AppError::Mistakes(_))) => Err(misused(error.to_string())),
        Err(error) => Err(Failure { exit: Exit::Refused, why: error.to_string() }),
    }
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

/// Rows read together and stored together.
#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    /// What each entry was made of.
    fields: Vec<StringRecord>,
    rejected: Vec<Reject>,
}

/// An import under way.
struct Run {
    rows: Rows<File>,
    import: Import,
    target: Target,
    bookmark: Bookmark,
    rejects: Rejects,
    progress: Progress,
}

impl Run {
    /// Says what is to be known beforehand, and keeps the bookmark before anything is stored: whoever cannot
    /// note the place should not begin.
    fn begin(&self, settings: Option<&Settings>) -> Result<(), Failure> {
        self.bookmark.keep(&self.progress).map_err(|error| {
            let mut failure = failed("write", self.bookmark.path(), &error);
            failure
                .why
                .push_str("; an import notes its place beside its file, where it must be able to write");
            failure
        })?;
        if settings.is_some_and(|settings| settings.ledger == LedgerUrl::Memory) {
            console::complain("import: the ledger is in memory: rows are checked, and forgotten at the end");
        }
        if self.import.columns.in_front > 0 {
            console::complain("import: these are rejects; their first two columns are passed over");
        }
        if !self.import.columns.ignored.is_empty() {
            let ignored = self.import.columns.ignored.iter().map(|header| format!("`{header}`"));
            let kind = self.import.kind.name();
            console::complain(format!(
                "import: {kind} know nothing of {}; ignored",
                ignored.collect::<Vec<_>>().join(", ")
            ));
        }
        if self.progress.offset_bytes > 0 {
            console::complain(format!(
                "import: going on after line {}, with {} rows stored by an earlier run",
                HumanCount(self.progress.lines),
                HumanCount(self.progress.rows_stored)
            ));
        }
        Ok(())
    }

    async fn to_the_end(&mut self, path: &Path, length_bytes: u64) -> Result<(), Failure> {
        let unreadable = |error: io::Error| failed("read", path, &error);
        if self.progress.offset_bytes > 0 {
            self.rows.go_on_from(self.progress.place()).map_err(unreadable)?;
        }
        let counted = Arc::new(AtomicU64::new(0));
        let bar = console::file_bar(length_bytes, Arc::clone(&counted));
        bar.set_position(self.progress.offset_bytes);
        bar.reset_eta();
        while let Some(chunk) = self.chunk().map_err(unreadable)? {
            let rows = chunk.entries.len() + chunk.rejected.len();
            self.store(chunk).await.inspect_err(|_| bar.finish_and_clear())?;
            counted.fetch_add(rows as u64, Ordering::Relaxed);
            bar.set_position(self.progress.offset_bytes);
        }
        bar.finish_and_clear();
        self.bookmark.remove().map_err(|error| failed("remove", self.bookmark.path(), &error))
    }

    /// The next rows; the place after them is noted once they are stored.
    fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let begin_bytes = self.progress.offset_bytes;
        let mut rows = 0;
        while rows < CHUNK_ROWS && self.progress.offset_bytes - begin_bytes < CHUNK_BYTES {
            let Some(row) = self.rows.next_row()? else { break };
            rows += 1;
            self.progress.offset_bytes = row.end.offset_bytes;
            self.progress.lines = row.end.lines;
            let (reason, fields) = match row.fields {
                Err(broken) => (broken.fault.to_string(), broken.fields),
                Ok(fields) => match self.import.entry(row.line, &fields) {
                    Ok(entry) => {
                        chunk.entries.push(entry);
                        chunk.fields.push(fields);
                        continue;
                    }
                    Err(reason) => (reason, fields.into_byte_record()),
                },
            };
            chunk.rejected.push(Reject { line: row.line, reason, fields });
        }
        Ok((rows > 0).then_some(chunk))
    }

    async fn store(&mut self, chunk: Chunk) -> Result<(), Failure> {
        let Chunk { entries, fields, mut rejected } = chunk;
        let refused = self.target.store(self.import.kind, &entries).await.map_err(|stop| Failure {
            exit: Exit::Refused,
            why: format!(
                "stopped at {stop}. {} rows are stored; the same command goes on after them",
                HumanCount(self.progress.rows_stored)
            ),
        })?;
        self.progress.rows_stored += (entries.len() - refused.len()) as u64;
        for refused in refused {
            let Some((entry, fields)) = entries.get(refused.place).zip(fields.get(refused.place)) else {
                continue;
            };
            let reason = self.import.columns.reason(self.import.kind, &refused.errors);
            rejected.push(Reject { line: entry.line, reason, fields: fields.as_byte_record().clone() });
        }
        rejected.sort_by_key(|reject| reject.line);
        self.progress.rows_rejected += rejected.len() as u64;
        self.progress.rejects_bytes = self
            .rejects
            .write(&rejected)
            .map_err(|error| failed("write rejects to", self.rejects.path(), &error))?;
        self.bookmark.keep(&self.progress).map_err(|error| failed("write", self.bookmark.path(), &error))
    }

    fn sum_up(&self, seconds: f64) -> Exit {
        let stored = HumanCount(self.progress.rows_stored);
        let rejected = self.progress.rows_rejected;
        if rejected == 0 {
            console::complain(format!("import: {stored} rows stored, none rejected, in {seconds:.1} s"));
            return Exit::Done;
        }
        console::complain(format!(
            "import: {stored} rows stored, {} rejected (they are in `{}`), in {seconds:.1} s",
            HumanCount(rejected),
            self.rejects.path().display()
        ));
        Exit::Refused
    }
}
