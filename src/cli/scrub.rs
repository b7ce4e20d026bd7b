//! `scrub`: a list before it is mailed, each row with its verdict and the reason.
//!
//! Every row is judged at the moment the scrub began, and as if the rows allowed before it had been
//! reserved. A chunk is judged and written, and then the place is noted from which the next run would go on.

mod earlier;
mod governor;
mod history;
mod judge;
mod judged;
mod options;
mod progress;
mod question;
mod run;
mod sheet;
mod sums;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use csv::StringRecord;

use crate::app::{self, AppError};
use crate::clock::Clock;
use crate::domain::moment::{Moment, SECOND_MS};
use crate::domain::words::Verdict;
use crate::ledger::LedgerError;
use crate::settings::Settings;
use crate::wire::question::QuestionReader;

use self::earlier::AllowedRows;
use self::governor::Governor;
use self::judge::{Here, Judge};
use self::judged::ADDED;
use self::options::{CONTACT_ID, Layout, Target};
use self::progress::Progress;
use self::question::{QUESTIONS, Questions};
use self::run::{Outputs, Run};
use self::sheet::Sheet;
use super::bookmark::{Bookmark, Left};
use super::columns::{Columns, Pair, Said};
use super::connection::Connection;
use super::failure::{Failure, failed, misused};
use super::input::Input;
use super::rejects::Rejects;
use super::rows::Rows;
use super::trust::Trust;
use super::{Exit, console};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A CSV file whose first row names the columns, zipped or not; `-` is standard input.
    #[arg(value_name = "LIST")]
    list: PathBuf,
    /// The policy file. With --url: the one the governor must be judging by.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Have the governor that answers there judge the rows.
    #[arg(long, value_name = "URL", conflicts_with_all = ["settings", "ledger", "history"])]
    url: Option<String>,
    #[command(flatten)]
    trust: Trust,
    /// Judge by the records kept there, as embedded:./data.
    #[arg(long, value_name = "URL", conflicts_with = "history")]
    ledger: Option<String>,
    /// A settings file that says how the ledger is spoken to.
    #[arg(long, value_name = "FILE", conflicts_with = "history")]
    settings: Option<PathBuf>,
    /// Judge by a CSV file of what customers were sent before: customer, channel, at, and perhaps purpose,
    /// campaign, category …
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Take a column of the history from the one the file calls HEADER.
    #[arg(long = "map-history", value_name = "COLUMN=HEADER", value_parser = Pair::parse, requires = "history")]
    history_maps: Vec<Pair>,
    /// Take a column from the one the list calls HEADER; from none if nothing is said.
    #[arg(long = "map", value_name = "COLUMN=HEADER", value_parser = Pair::parse)]
    maps: Vec<Pair>,
    /// Say the same in every row of a column the list lacks.
    #[arg(long = "set", value_name = "COLUMN=VALUE", value_parser = Pair::parse)]
    sets: Vec<Pair>,
    /// Keep a fact a text even where it looks like a number.
    #[arg(long = "text", value_name = "COLUMN")]
    texts: Vec<String>,
    /// Judge as if it were this moment, as 2026-11-26T12:00:00Z: the same list and the same moment give the same bytes. By
    /// default the moment at which the scrub was begun.
    #[arg(long, value_name = "MOMENT", value_parser = options::moment, conflicts_with_all = ["url", "reserve"])]
    as_of: Option<Moment>,
    /// Reserve what is allowed; by default nothing is stored.
    #[arg(long)]
    reserve: bool,
    /// Where the list goes; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave all rows with another verdict out of the list.
    #[arg(long, value_name = "VERDICT", value_parser = options::verdict)]
    only: Option<Verdict>,
    /// Where those go that are left out.
    #[arg(long, value_name = "FILE", requires = "only")]
    left_out: Option<PathBuf>,
    /// Where rows go that cannot be judged; OUT.rejects.csv if nothing is said, or else LIST.rejects.csv.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Write the sums: JSON, or Markdown if the name ends in `.md`.
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Begin at the first row, whatever an earlier run has done.
    #[arg(long)]
    restart: bool,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    match actix_web::rt::System::new().block_on(scrub(arguments)) {
        Ok(exit) => exit,
        // A reader that has gone away is no error of ours.
        Err(Failure { exit: Exit::Done, .. }) => Exit::Done,
        Err(Failure { exit, why }) => {
            console::complain(format!("scrub: {why}"));
            exit
        }
    }
}

async fn scrub(arguments: &Arguments) -> Result<Exit, Failure> {
    let clock = Clock::System;
    let target = options::target(arguments)?;
    options::distinct(arguments)?;
    let path = &arguments.list;
    let input = Input::open(path).map_err(|error| failed("open", path, &error))?;
    let (length_bytes, read_bytes) = (input.length_bytes, Arc::clone(&input.read_bytes));
    let content = input.identity.as_ref().map(|identity| identity.content.clone());
    let mut rows = Rows::open(input).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => misused(format!("`{}`: {error}", path.display())),
        _ => failed("read", path, &error),
    })?;
    let columns = columns(arguments, rows.header())?;
    let layout = Layout::of(rows.header(), columns.in_front, arguments.reserve)?;

    let begun = arguments.as_of.unwrap_or_else(|| clock.now());
    let (bookmark, progress) = take_up(arguments, &target, content, begun)?;
    let now = Moment::parse(&progress.begun).unwrap_or(begun);
    let judge = judge(arguments, &target, now).await?;
    let written_bytes = if arguments.reserve { 0 } else { progress.offset_bytes };
    if arguments.reserve && progress.offset_bytes > 0 {
        rows.go_on_from(progress.place()).map_err(|error| failed("read", path, &error))?;
    }
    let outputs = outputs(arguments, &rows, layout, &progress)?;
    let list = options::list_id(&progress);
    let questions = Questions { columns, ids: arguments.reserve.then(|| format!("scrub-{list}")) };
    let notes_each = arguments.reserve;
    let noted_lines = progress.lines;
    let mut run =
        Run { rows, questions, judge, outputs, bookmark, progress, written_bytes, notes_each, noted_lines };
    options::notice(arguments, &target, &run);
    run.note()?;
    let started = clock.now();
    run.go_on(length_bytes, &read_bytes).await?;
    let took = clock.now() - started;
    if let Some(file) = &arguments.summary {
        run.progress.sums.write(file).map_err(|error| failed("write", file, &error))?;
    }
    Ok(run.sum_up(took.millis() as f64 / SECOND_MS as f64))
}

fn columns(arguments: &Arguments, header: &StringRecord) -> Result<Columns, Failure> {
    let said = Said { maps: &arguments.maps, sets: &arguments.sets, texts: &arguments.texts };
    let columns = Columns::find(QUESTIONS, header, said).map_err(|mistakes| {
        misused(format!("`{}`: {}", arguments.list.display(), mistakes.join("\nscrub: ")))
    })?;
    for (header, near) in &columns.near {
        console::complain(format!(
            "scrub: the column `{header}` is passed through; if it is `{near}`, say --map {near}={header}"
        ));
    }
    Ok(columns)
}

/// Who judges, ready to.
async fn judge(arguments: &Arguments, target: &Target, now: Moment) -> Result<Judge, Failure> {
    match target {
        Target::Governor { url, policy } => {
            let connection = Connection::to(url, &arguments.trust, "scrub")?;
            let governor = Governor { connection, policy: policy.clone(), earlier: HashMap::new() };
            Ok(Judge::Governor { governor, reserves: arguments.reserve })
        }
        Target::Here { settings, .. } => {
            let gate = open(settings)?;
            if let Some(history) = &arguments.history {
                history::load(&gate, history, &arguments.history_maps, now).await?;
            }
            let questions = QuestionReader::new(gate.policy());
            let earlier = (!arguments.reserve).then(AllowedRows::default);
            Ok(Judge::Here(Box::new(Here { gate, questions, now, earlier })))
        }
    }
}

fn open(settings: &Settings) -> Result<crate::gate::Gate, Failure> {
    app::open_gate(settings, &Clock::System).map_err(|error| match error {
        AppError::Ledger(LedgerError::Owned { .. }) => Failure {
            exit: Exit::Refused,
            why: format!("{error}. If it is a governor, let it judge: --url {}", settings.url()),
        },
        AppError::Policy(_) => misused(error.to_string()),
        _ => Failure { exit: Exit::Refused, why: error.to_string() },
    })
}

/// Where the place is noted, if the list and what comes of it can be gone on with; and what an earlier run has
/// left there.
fn take_up(
    arguments: &Arguments,
    target: &Target,
    content: Option<String>,
    begun: Moment,
) -> Result<(Option<Bookmark>, Progress), Failure> {
    let beginning = options::beginning(arguments, target, content.clone().unwrap_or_default(), begun)?;
    let (Some(out), Some(_)) = (&arguments.out, content) else { return Ok((None, beginning)) };
    let bookmark = Bookmark::beside(out, ".scrub.json");
    if arguments.restart {
        return Ok((Some(bookmark), beginning));
    }
    match bookmark.left(&beginning).map_err(|error| failed("read", bookmark.path(), &error))? {
        Left::Nothing => Ok((Some(bookmark), beginning)),
        Left::Progress(progress) => Ok((Some(bookmark), *progress)),
        Left::Unusable(why) => Err(misused(format!(
            "`{}` tells of a scrub that was not finished, and it cannot go on: {why}. \
             With --restart it begins at the first row",
            bookmark.path().display()
        ))),
    }
}

fn outputs(
    arguments: &Arguments,
    rows: &Rows<Input>,
    layout: Layout,
    progress: &Progress,
) -> Result<Outputs, Failure> {
    let own = rows.header().iter().skip(layout.own.start).take(layout.own.len());
    let id = layout.with_ids.then_some(CONTACT_ID);
    let header: Vec<&str> = own.chain(ADDED).chain(id).collect();
    let manner = rows.manner();
    let sheet = |path: &Path, length_bytes| Sheet::after(length_bytes, path, &header, manner);
    let rejects = options::rejects(arguments)
        .map(|path| {
            let in_front = layout.own.start;
            Rejects::after(progress.rejects_bytes, path.clone(), rows.header(), in_front)
                .map_err(|error| failed("write rejects to", &path, &error))
        })
        .transpose()?;
    let list = match &arguments.out {
        Some(out) => sheet(out, progress.out_bytes)?,
        None => Sheet::to_output(&header, manner)?,
    };
    let left_out =
        arguments.left_out.as_ref().map(|path| sheet(path, progress.left_out_bytes)).transpose()?;
    Ok(Outputs { list, left_out, rejects, only: arguments.only, own: layout.own, with_ids: layout.with_ids })
}
