//! A scrub under way: chunk after chunk, each judged, written, and then noted.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, stderr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, StringRecord};
use indicatif::HumanCount;
use serde_json::Value;

use crate::cli::bookmark::Bookmark;
use crate::cli::failure::{Failure, failed};
use crate::cli::input::Input;
use crate::cli::rejects::{Reject, Rejects};
use crate::cli::rows::Rows;
use crate::cli::{Exit, console};
use crate::domain::words::Verdict;

use super::judge::Judge;
use super::judged::{Judged, Outcome};
use super::progress::Progress;
use super::question::{Asked, Questions};
use super::sheet::Sheet;

/// How many rows are judged together, and how much of a list that may be.
const CHUNK_ROWS: usize = 500;
const CHUNK_BYTES: u64 = 1024 * 1024;
/// How often the place is noted where doing a stretch again costs only time.
const NOTED_EVERY_ROWS: u64 = 20_000;
/// The rejected rows that are told where there is no file for them.
const MOST_TOLD: u64 = 20;

/// Where the rows go.
pub struct Outputs {
    pub list: Sheet,
    pub left_out: Option<Sheet>,
    pub rejects: Option<Rejects>,
    /// The only verdict in the list.
    pub only: Option<Verdict>,
    /// The columns of the list that are its own, by place.
    pub own: Range<usize>,
    /// Whether the ids of contacts are written as well.
    pub with_ids: bool,
}

pub struct Run {
    pub rows: Rows<Input>,
    pub questions: Questions,
    pub judge: Judge,
    pub outputs: Outputs,
    /// `None` where the list or what comes of it cannot be gone on with.
    pub bookmark: Option<Bookmark>,
    pub progress: Progress,
    /// Up to here an earlier run has written; what is judged before it is only remembered.
    pub written_bytes: u64,
    /// Whether the place is noted after each chunk.
    pub notes_each: bool,
    /// What comes of the list up to here is noted.
    pub noted_lines: u64,
}

/// One row of a chunk.
enum Read {
    /// Its question is the next of the chunk's.
    Sound(StringRecord),
    Bad(Reject),
}

#[derive(Default)]
struct Chunk {
    /// With whether an earlier run has written them.
    rows: Vec<(Read, bool)>,
    questions: Vec<Asked>,
    end: (u64, u64),
}

impl Run {
    /// Judges what is left of the list.
    pub async fn go_on(&mut self, length_bytes: Option<u64>, read_bytes: &AtomicU64) -> Result<(), Failure> {
        let counted = Arc::new(AtomicU64::new(0));
        let bar = match length_bytes {
            Some(length_bytes) => console::file_bar(length_bytes, Arc::clone(&counted)),
            None => console::line_counter(),
        };
        let mut unnoted = 0;
        let unreadable =
            |error: io::Error| Failure { exit: Exit::Refused, why: format!("cannot read the list: {error}") };
        while let Some(chunk) = self.chunk().map_err(unreadable)? {
            let (rows, end) = (chunk.rows.len() as u64, chunk.end);
            match self.judge.judge(&chunk.questions).await {
                Ok(outcomes) => self.write(chunk, outcomes).map_err(|failure| self.stopped(failure))?,
                Err(stop) => {
                    bar.finish_and_clear();
                    self.note()?;
                    let again = if self.bookmark.is_some() { "; the same command goes on there" } else { "" };
                    return Err(Failure { exit: Exit::Refused, why: format!("stopped at {stop}{again}") });
                }
            }
            counted.fetch_add(rows, Ordering::Relaxed);
            match length_bytes {
                Some(_) => bar.set_position(read_bytes.load(Ordering::Relaxed)),
                None => bar.inc(rows),
            }
            // What is judged again to be remembered is written and noted already.
            if end.0 <= self.written_bytes {
                continue;
            }
            (self.progress.offset_bytes, self.progress.lines) = end;
            unnoted += rows;
            if self.notes_each || unnoted >= NOTED_EVERY_ROWS {
                self.note().map_err(|failure| self.stopped(failure))?;
                unnoted = 0;
            }
        }
        bar.finish_and_clear();
        self.settle().map_err(|failure| self.stopped(failure))?;
        match &self.bookmark {
            Some(bookmark) => bookmark.remove().map_err(|error| failed("remove", bookmark.path(), &error)),
            None => Ok(()),
        }
    }

    fn chunk(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        let mut begin_bytes = None;
        while chunk.rows.len() < CHUNK_ROWS {
            let Some(row) = self.rows.next_row()? else { break };
            let end_bytes = row.end.offset_bytes;
            chunk.end = (end_bytes, row.end.lines);
            let is_written = end_bytes <= self.written_bytes;
            let (reason, fields) = match row.fields {
                Err(broken) => (broken.fault.to_string(), broken.fields),
                Ok(fields) => match self.questions.asked(row.line, &fields) {
                    Ok(asked) => {
                        chunk.questions.push(asked);
                        chunk.rows.push((Read::Sound(fields), is_written));
                        (String::new(), ByteRecord::new())
                    }
                    Err(reason) => (reason, fields.into_byte_record()),
                },
            };
            if !reason.is_empty() {
                chunk.rows.push((Read::Bad(Reject { line: row.line, reason, fields }), is_written));
            }
            // The place is noted between chunks, so that one ends where the earlier run did.
            if end_bytes == self.written_bytes
                || end_bytes - *begin_bytes.get_or_insert(end_bytes) >= CHUNK_BYTES
            {
                break;
            }
        }
        Ok((!chunk.rows.is_empty()).then_some(chunk))
    }

    fn write(&mut self, chunk: Chunk, outcomes: Vec<Outcome>) -> Result<(), Failure> {
        let mut judged = chunk.questions.into_iter().zip(outcomes);
        let mut rejected = Vec::new();
        for (row, is_written) in chunk.rows {
            let reject = match row {
                Read::Bad(reject) => reject,
                Read::Sound(fields) => match judged.next() {
                    None => continue,
                    Some((_, Ok(_))) if is_written => continue,
                    Some((asked, Ok(judged))) => {
                        let is_left_out = self.outputs.write(&asked, &fields, &judged)?;
                        self.progress.sums.add(&asked.channel, &judged, is_left_out);
                        continue;
                    }
                    Some((asked, Err(errors))) => Reject {
                        line: asked.line,
                        reason: self.questions.reason(&errors),
                        fields: fields.into_byte_record(),
                    },
                },
            };
            if !is_written {
                self.progress.sums.reject();
                rejected.push(reject);
            }
        }
        match &mut self.outputs.rejects {
            Some(rejects) => {
                self.progress.rejects_bytes = rejects
                    .write(&rejected)
                    .map_err(|error| failed("write rejects to", rejects.path(), &error))?;
            }
            None => {
                let told = self.progress.sums.rejected - rejected.len() as u64;
                for (reject, _) in rejected.iter().zip(told..MOST_TOLD) {
                    console::complain(format!("scrub: line {}: {}", reject.line, reject.reason));
                }
            }
        }
        Ok(())
    }

    /// Sees that everything judged so far is written.
    fn settle(&mut self) -> Result<(), Failure> {
        self.progress.out_bytes = self.outputs.list.settle()?;
        if let Some(left_out) = &mut self.outputs.left_out {
            self.progress.left_out_bytes = left_out.settle()?;
        }
        Ok(())
    }

    /// Notes the place, once everything before it is written.
    pub fn note(&mut self) -> Result<(), Failure> {
        self.settle()?;
        if let Some(bookmark) = &self.bookmark {
            bookmark.keep(&self.progress).map_err(|error| failed("write", bookmark.path(), &error))?;
        }
        self.noted_lines = self.progress.lines;
        Ok(())
    }

    /// What could not be written, with how much of the list is.
    fn stopped(&self, mut failure: Failure) -> Failure {
        let lines = HumanCount(self.noted_lines);
        let _ = write!(failure.why, "; what comes of the list up to line {lines} is written");
        if self.bookmark.is_some() {
            failure.why.push_str(", and the same command goes on after it");
        }
        failure
    }

    /// Says what became of the rows.
    pub fn sum_up(&self, seconds: f64) -> Exit {
        let sums = &self.progress.sums;
        console::complain(format!("scrub: {}", sums.chart(stderr().is_terminal())));
        let rejects = match &self.outputs.rejects {
            Some(rejects) if sums.rejected > 0 => {
                format!("; rejected rows are in `{}`", rejects.path().display())
            }
            Some(_) | None => String::new(),
        };
        console::complain(format!("scrub: {seconds:.1} s{rejects}"));
        if sums.rejected > 0 { Exit::Refused } else { Exit::Done }
    }
}

impl Outputs {
    /// Writes a row to where its verdict sends it; whether it is left out of the list.
    fn write(&mut self, asked: &Asked, fields: &StringRecord, judged: &Judged) -> Result<bool, Failure> {
        let id =
            self.with_ids.then(|| asked.body.get("contact_id").and_then(Value::as_str).unwrap_or_default());
        let own = fields.iter().skip(self.own.start).take(self.own.len());
        let cells = own.chain(judged.cells()).chain(id);
        let is_left_out = self.only.is_some_and(|only| only != judged.verdict);
        match &mut self.left_out {
            _ if !is_left_out => self.list.write(cells)?,
            Some(left_out) => left_out.write(cells)?,
            None => {}
        }
        Ok(is_left_out)
    }
}
