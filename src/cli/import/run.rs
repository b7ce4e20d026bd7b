//! An import under way: chunk after chunk, each stored before its place is noted.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::StringRecord;
use indicatif::HumanCount;

use crate::cli::bookmark::Bookmark;
use crate::cli::failure::{Failure, failed};
use crate::cli::lanes;
use crate::cli::rejects::{Reject, Rejects};
use crate::cli::rows::Rows;
use crate::cli::{Exit, console};
use crate::settings::{LedgerUrl, Settings};

use super::entry::{Entry, Import};
use super::progress::Progress;
use super::target::Target;

/// How many rows are stored before their place is noted: as many as one write to the disk takes at once, and
/// few enough that little is done again.
const CHUNK_ROWS: usize = 500;
/// How much of a file a chunk may be, so that few long rows do not fill the memory.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// Rows read together and stored together.
#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    /// What each entry was made of.
    fields: Vec<StringRecord>,
    rejected: Vec<Reject>,
}

/// An import under way.
pub struct Run {
    pub rows: Rows<File>,
    pub import: Import,
    pub target: Target,
    pub bookmark: Bookmark,
    pub rejects: Rejects,
    pub progress: Progress,
}

impl Run {
    /// Says what is to be known beforehand, and keeps the bookmark before anything is stored: whoever cannot
    /// note the place should not begin.
    pub fn begin(&self, settings: Option<&Settings>) -> Result<(), Failure> {
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
                "import: going on after line {}; rows stored before: {}",
                HumanCount(self.progress.lines),
                HumanCount(self.progress.rows_stored)
            ));
        }
        Ok(())
    }

    /// Stores what is left of the file.
    pub async fn go_on(&mut self, path: &Path, length_bytes: u64) -> Result<(), Failure> {
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
        let refused = lanes::insist(async || self.target.store(self.import.kind, &entries).await)
            .await
            .map_err(|stop| Failure {
                exit: Exit::Refused,
                why: format!(
                    "stopped at {stop}. Rows stored: {}; the same command goes on after them",
                    HumanCount(self.progress.rows_stored)
                ),
            })?;
        self.progress.rows_stored += (entries.len() - refused.len()) as u64;
        for refused in refused {
            let Some((entry, fields)) = entries.get(refused.place).zip(fields.get(refused.place)) else {
                continue;
            };
            let kind = self.import.kind;
            let reason = self.import.columns.reason(&refused.errors, |pointer| kind.column_at(pointer));
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

    /// Says what became of the rows.
    pub fn sum_up(&self, seconds: f64) -> Exit {
        let Progress { rows_stored, rows_rejected, .. } = self.progress;
        let (stored, rejected) = (HumanCount(rows_stored), HumanCount(rows_rejected));
        let place = self.rejects.path().display();
        let (exit, place) = match rows_rejected {
            0 => (Exit::Done, String::new()),
            _ => (Exit::Refused, format!(" (in `{place}`)")),
        };
        console::complain(format!(
            "import: rows stored: {stored}, rejected: {rejected}{place}; {seconds:.1} s"
        ));
        exit
    }
}
