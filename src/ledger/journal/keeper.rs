//! The thread that owns the journal's files: it alone writes, syncs, reads and deletes them.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::file::{self, End, FileId, Owned};
use super::{Batch, JournalError};

/// A file this long is closed and the next one begun, so that telling it again costs little.
const LONGEST_FILE_BYTES: u64 = 4 << 20;
/// As many entries share one sync.
const MOST_TOGETHER: usize = 512;

/// What the thread is asked to do.
pub enum Job {
    Append { bytes: Vec<u8>, done: oneshot::Sender<Result<(), JournalError>> },
    Oldest { done: oneshot::Sender<Result<Option<Batch>, JournalError>> },
    Drop { file: FileId, done: oneshot::Sender<Result<(), JournalError>> },
}

/// A closed file, and whether something in it cannot be read.
struct Closed {
    owned: Owned,
    damaged: bool,
}

pub struct Keeper {
    directory: PathBuf,
    open: Option<Owned>,
    /// Oldest first.
    closed: Vec<Closed>,
}

impl Keeper {
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory, open: None, closed: Vec::new() }
    }

    /// Works until nobody can ask any more.
    pub fn work(mut self, queue: &Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
            match job {
                Job::Append { bytes, done } => {
                    let (mut together, mut waiting) = (bytes, vec![done]);
                    while waiting.len() < MOST_TOGETHER {
                        match queue.try_recv() {
                            Ok(Job::Append { bytes, done }) => {
                                together.extend(bytes);
                                waiting.push(done);
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let written = self.append(&together).map_err(|error| self.failed("write", &error));
                    for done in waiting {
                        // Who asked may have lost patience; what is written stays written.
                        let _ = done.send(written.clone());
                    }
                }
                Job::Oldest { done } => {
                    let _ = done.send(self.oldest().map_err(|error| self.failed("read", &error)));
                }
                Job::Drop { file, done } => {
                    let _ =
                        done.send(self.drop_file(&file).map_err(|error| self.failed("delete from", &error)));
                }
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.open.as_ref().is_some_and(|open| open.bytes() >= LONGEST_FILE_BYTES) {
            self.close();
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Owned::create(&self.directory)?),
        };
        let written = open.append(bytes);
        if !open.is_sound() {
            // It ends in half an entry: nothing may come after that.
            self.close();
        }
        written
    }

    fn close(&mut self) {
        self.closed.extend(self.open.take().map(|owned| Closed { owned, damaged: false }));
    }

    fn oldest(&mut self) -> std::io::Result<Option<Batch>> {
        if self.closed.is_empty() {
            self.close();
        }
        if self.closed.is_empty() {
            self.adopt()?;
        }
        let Some(oldest) = self.closed.first_mut() else { return Ok(None) };
        let path = oldest.owned.path.clone();
        let (entries, end) = file::read(&oldest.owned.contents()?);
        match end {
            End::Whole => {}
            End::Torn => tracing::warn!(
                file = %path.display(),
                "a journal file ends in half an entry, which was never answered for"
            ),
            End::Damaged => {
                tracing::error!(
                    file = %path.display(),
                    "a journal file is damaged, or newer than this program; what comes after cannot be counted, and the file is kept aside"
                );
                oldest.damaged = true;
            }
        }
        Ok(Some(Batch { file: FileId(path), entries }))
    }

    /// Takes over what processes that are gone have left.
    fn adopt(&mut self) -> std::io::Result<()> {
        let listing = match std::fs::read_dir(&self.directory) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut paths = listing.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "journal"));
        paths.sort();
        let adopted = paths.into_iter().filter_map(Owned::adopt);
        self.closed.extend(adopted.map(|owned| Closed { owned, damaged: false }));
        Ok(())
    }

    fn drop_file(&mut self, file: &FileId) -> std::io::Result<()> {
        let Some(place) = self.closed.iter().position(|closed| closed.owned.path == file.0) else {
            return Ok(());
        };
        let damaged = self.closed.get(place).is_some_and(|closed| closed.damaged);
        let gone = if damaged {
            std::fs::rename(&file.0, file.0.with_extension("damaged"))
        } else {
            std::fs::remove_file(&file.0)
        };
        match gone {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.closed.remove(place);
        Ok(())
    }

    fn failed(&self, operation: &'static str, error: &std::io::Error) -> JournalError {
        JournalError::Io {
            operation,
            directory: self.directory.display().to_string(),
            why: error.to_string(),
        }
    }
}
