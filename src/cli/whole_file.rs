//! A file that holds whole rows only, also once the disk is full: where something cannot be written, it is cut back
//! to what was last settled, and takes nothing more.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

pub struct WholeFile {
    file: File,
    /// So much of it is whole.
    settled_bytes: Cell<u64>,
    has_failed: Cell<bool>,
}

impl WholeFile {
    /// Makes it, or empties it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, settled_bytes: Cell::new(0), has_failed: Cell::new(false) })
    }

    /// Goes on after so many bytes of an earlier run; what that run wrote beyond them is cut off.
    ///
    /// # Errors
    /// When it is shorter than that, or cannot be written.
    pub fn after(length_bytes: u64, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        if file.metadata()?.len() < length_bytes {
            return Err(io::Error::other("it is shorter than the earlier run left it"));
        }
        file.set_len(length_bytes)?;
        Ok(Self { file, settled_bytes: Cell::new(length_bytes), has_failed: Cell::new(false) })
    }

    /// Writes all of a file at once; where that fails it is left empty.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_all_of(path: &Path, text: &str) -> io::Result<()> {
        Self::create(path)?.write_all(text.as_bytes())
    }

    /// Sees that what was written is on disk, and whole; returns how long the file is.
    ///
    /// # Errors
    /// When that cannot be known.
    pub fn settle(&self) -> io::Result<u64> {
        self.file.sync_data().map_err(|error| self.failed(error))?;
        let length_bytes = self.file.metadata()?.len();
        self.settled_bytes.set(length_bytes);
        Ok(length_bytes)
    }

    fn failed(&self, error: io::Error) -> io::Error {
        // Whoever writes tries that again.
        if error.kind() == io::ErrorKind::Interrupted {
            return error;
        }
        self.has_failed.set(true);
        // Where even that fails, whoever goes on cuts it; of a pipe nothing can be taken back.
        let _ = self.file.set_len(self.settled_bytes.get());
        error
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What still stands in a buffer must not end up behind the cut.
        if self.has_failed.get() {
            return Err(io::Error::other("it could not be written before"));
        }
        self.file.write(bytes).map_err(|error| self.failed(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
