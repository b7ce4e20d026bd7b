//! `claims`: what texts assert, a message a line.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::claims::Shelf;
use crate::wire::claims::{self, ReadingBody};
use crate::wire::problem::{Problem, ProblemKind};

use super::lines::{self, LONGEST_LINE_BYTES, Line};
use super::{Exit, console, load_policy};

#[derive(Debug, Args)]
pub struct Arguments {
    /// A policy whose own phrases are read as well.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let reader = match arguments.policy.as_ref().map(|file| load_policy(Some(file))).transpose() {
        Ok(policy) => policy.and_then(|policy| policy.reader.clone()),
        Err(exit) => return exit,
    };
    let shelf = Shelf::new(reader);
    match read_all(&shelf, &mut io::stdin().lock(), &mut BufWriter::new(io::stdout().lock())) {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            console::complain(format!("claims: {error}"));
            Exit::Refused
        }
    }
}

fn read_all(shelf: &Shelf, input: &mut impl io::BufRead, output: &mut impl Write) -> io::Result<()> {
    let progress = console::line_counter();
    while let Some(line) = lines::next(input)? {
        progress.inc(1);
        match line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
            Line::Whole(bytes) => match serde_json::from_slice::<Value>(&bytes) {
                Ok(value) => answer(shelf, &value, output)?,
                Err(error) => complain(None, Problem::malformed(&error), output)?,
            },
            Line::TooLong => {
                let detail = format!("a line may have at most {LONGEST_LINE_BYTES} bytes");
                complain(None, Problem::new(ProblemKind::TooLarge, detail), output)?;
            }
        }
        output.write_all(b"\n")?;
    }
    progress.finish_and_clear();
    output.flush()
}

fn answer(shelf: &Shelf, value: &Value, output: &mut impl Write) -> io::Result<()> {
    match claims::read(value) {
        Ok(asked) => {
            let reading = shelf.read(&asked.message);
            Ok(serde_json::to_writer(output, &ReadingBody { asked: &asked, reading: &reading })?)
        }
        Err(problem) => complain(value.get("id"), problem, output),
    }
}

/// What stands in the place of a line that could not be read.
#[derive(Serialize)]
struct Complaint<'a> {
    id: Option<&'a Value>,
    problem: Problem,
}

fn complain(id: Option<&Value>, problem: Problem, output: &mut impl Write) -> io::Result<()> {
    Ok(serde_json::to_writer(output, &Complaint { id, problem })?)
}
