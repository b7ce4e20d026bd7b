//! The thread that owns the journal's files: it alone writes, syncs, reads and deletes them.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::file::{self, FileId, Owned};
use super::{Batch, JournalError};

/// A file this long is closed and the next one begun, so that telling it again costs little.
const LONGEST_FILE_BYTES: u64 = 4 << 20;
/// As many entries share one sync.
const MOST_TOGETHER: usize = 512;

/// What the thread is asked to do.
pub enum Job {
    Append {
        bytes: Vec<u8>,
        done: oneshot::Sender<Result<(), JournalError>>,
    },
    Oldest {
        done: oneshot::Sender<Result<Option<Batch>, JournalError>>,
    },
    /// Answers whether the file was this process's own.
    Drop {
        file: FileId,
        done: oneshot::Sender<Result<bool, JournalError>>,
    },
}

/// A closed file; adopted ones were another process's.
struct Closed {
    owned: Owned,
    adopted: bool,
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
        if written.is_err() {
            // The file may end in half an entry: nothing may come after that.
            self.close();
        }
        written
    }

    fn close(&mut self) {
        self.closed.extend(self.open.take().map(|owned| Closed { owned, adopted: false }));
    }

    fn oldest(&mut self) -> std::io::Result<Option<Batch>> {
        self.close();
        if self.closed.is_empty() {
            self.adopt()?;
        }
        let Some(oldest) = self.closed.first() else { return Ok(None) };
        let (entries, torn) = file::read(&oldest.owned.contents()?);
        if torn {
            tracing::warn!(
                file = %oldest.owned.path.display(),
                "a journal file ends in half an entry, which was never answered for"
            );
        }
        Ok(Some(Batch { file: FileId(oldest.owned.path.clone()), entries }))
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
        self.closed.extend(adopted.map(|owned| Closed { owned, adopted: true }));
        Ok(())
    }

    fn drop_file(&mut self, file: &FileId) -> std::io::Result<bool> {
        let Some(place) = self.closed.iter().position(|closed| closed.owned.path == file.0) else {
            return Ok(false);
        };
        match std::fs::remove_file(&file.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        Ok(!self.closed.remove(place).adopted)
    }

    fn failed(&self, operation: &'static str, error: &std::io::Error) -> JournalError {
        JournalError::Io {
            operation,
            directory: self.directory.display().to_string(),
            why: error.to_string(),
        }
    }
}
