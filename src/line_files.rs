//! Files of lines in a folder of this process's own: each of bounded size, and every line whole. What a line means
//! is not known here.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".jsonl";
/// Held for as long as this process writes here.
const LOCK: &str = "lock";
/// How much of a file's end is looked at together in the search for its last whole line.
const STEP_BYTES: u64 = 1 << 16;

/// Where lines go, and on what terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub directory: PathBuf,
    /// What the name of every file begins with; a number follows.
    pub prefix: &'static str,
    pub max_file_bytes: u64,
    /// The oldest goes when there are more; `None` keeps all.
    pub max_files: Option<usize>,
    /// Whether lines count as written only once they are on the disk.
    pub is_durable: bool,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("another process already writes in `{directory}`; each needs a folder of its own")]
    Owned { directory: PathBuf },
    #[error("cannot write in `{directory}`: {error}")]
    Io { directory: PathBuf, error: std::io::Error },
}

/// What became of lines that were to be written.
#[derive(Debug, Default)]
pub struct Written {
    pub lines: u64,
    /// Why the others were not.
    pub failure: Option<String>,
}

/// The folder and the file that is written now.
#[derive(Debug)]
pub struct LineFiles {
    folder: Folder,
    /// Every file's number, oldest first; the last is the one written now.
    numbers: Vec<u64>,
    open: Option<Open>,
    /// What stood behind the last line's end when the folder was opened.
    torn_bytes: u64,
    _lock: File,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Whole lines up to here.
    sound_bytes: u64,
    /// Whether nothing stands behind them.
    is_sound: bool,
}

impl LineFiles {
    /// Opens the folder and the newest file in it, whose last line is cut off if it was torn.
    ///
    /// # Errors
    /// When another process writes there, or the folder cannot be used.
    pub fn open(folder: Folder) -> Result<Self, FolderError> {
        let directory = folder.directory.clone();
        match Self::try_open(folder) {
            Ok(Some(files)) => Ok(files),
            Ok(None) => Err(FolderError::Owned { directory }),
            Err(error) => Err(FolderError::Io { directory, error }),
        }
    }

    fn try_open(folder: Folder) -> std::io::Result<Option<Self>> {
        let directory = &folder.directory;
        std::fs::create_dir_all(directory)?;
        let lock = File::options().create(true).truncate(false).write(true).open(directory.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| number(folder.prefix, name)));
        }
        numbers.sort_unstable();
        let mut files = Self { folder, numbers, open: None, torn_bytes: 0, _lock: lock };
        match files.numbers.last() {
            Some(newest) => {
                let (open, torn_bytes) = Open::again(&files.path(*newest))?;
                (files.open, files.torn_bytes) = (Some(open), torn_bytes);
            }
            None => files.begin()?,
        }
        Ok(Some(files))
    }

    /// How many bytes of a torn line were cut off when the folder was opened.
    #[must_use]
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// The last whole line there is, without its end.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn last_line(&self) -> std::io::Result<Option<Vec<u8>>> {
        for number in self.numbers.iter().rev() {
            let mut file = File::open(self.path(*number))?;
            let length = file.metadata()?.len();
            let end = last_end(&mut file, length)?.saturating_sub(1);
            if end > 0 {
                let begin = last_end(&mut file, end)?;
                let mut line = Vec::new();
                file.seek(SeekFrom::Start(begin))?;
                Read::by_ref(&mut file).take(end - begin).read_to_end(&mut line)?;
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn path(&self, number: u64) -> PathBuf {
        let prefix = self.folder.prefix;
        self.folder.directory.join(format!("{prefix}{number:010}{SUFFIX}"))
    }

    /// Begins another file, and removes those there are too many of.
    fn begin(&mut self) -> std::io::Result<()> {
        self.open = None;
        let number = self.numbers.last().map_or(1, |newest| newest + 1);
        let file = File::options().append(true).create_new(true).open(self.path(number))?;
        if self.folder.is_durable {
            File::open(&self.folder.directory)?.sync_all()?;
        }
        self.numbers.push(number);
        self.open = Some(Open { file, sound_bytes: 0, is_sound: true });
        while self.folder.max_files.is_some_and(|most| self.numbers.len() > most) {
            let oldest = self.numbers.remove(0);
            if let Err(error) = std::fs::remove_file(self.path(oldest)) {
                tracing::warn!(%error, file = %self.path(oldest).display(), "an old file of lines stays");
            }
        }
        Ok(())
    }

    /// Writes lines, each with its end, to this file and the next ones. After a failure what is there still ends
    /// with a whole line, or will before anything is added.
    pub fn append(&mut self, lines: &[u8]) -> Written {
        let mut written = Written::default();
        let mut rest = lines;
        while !rest.is_empty() {
            match self.append_some(rest) {
                Ok(taken) => {
                    let (done, later) = rest.split_at_checked(taken).unwrap_or((rest, &[]));
                    written.lines += done.split_inclusive(|byte| *byte == b'\n').count() as u64;
                    rest = later;
                }
                Err(error) => {
                    written.failure = Some(error.to_string());
                    return written;
                }
            }
        }
        written
    }

    /// Writes as many lines as the file has room for, at least one; returns how many bytes those are.
    fn append_some(&mut self, lines: &[u8]) -> std::io::Result<usize> {
        let room = |open: &Open| self.folder.max_file_bytes.saturating_sub(open.sound_bytes);
        let fitting = self.open.as_ref().and_then(|open| whole_lines(lines, room(open)));
        let length = match fitting {
            Some(length) => length,
            None => {
                if self.open.as_ref().is_none_or(|open| open.sound_bytes > 0) {
                    self.begin()?;
                }
                // A line longer than a file may be has one to itself.
                whole_lines(lines, self.folder.max_file_bytes)
                    .or_else(|| Some(lines.iter().position(|byte| *byte == b'\n')? + 1))
                    .unwrap_or(lines.len())
            }
        };
        let Some(open) = &mut self.open else { return Err(std::io::ErrorKind::NotFound.into()) };
        open.append(lines.get(..length).unwrap_or(lines), self.folder.is_durable)?;
        Ok(length)
    }
}

/// The length of the lines that together are at most so long.
fn whole_lines(lines: &[u8], most: u64) -> Option<usize> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(lines.len());
    lines.get(..most)?.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1)
}

fn number(prefix: &str, name: &str) -> Option<u64> {
    name.strip_prefix(prefix)?.strip_suffix(SUFFIX)?.parse().ok()
}

impl Open {
    /// A file that an earlier process wrote. Whatever stands behind its last line's end is cut off; returns how
    /// many bytes that were.
    fn again(path: &Path) -> std::io::Result<(Self, u64)> {
        let mut file = File::options().read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        let sound_bytes = last_end(&mut file, length)?;
        if sound_bytes < length {
            file.set_len(sound_bytes)?;
            tracing::warn!(file = %path.display(), "a file of lines ended in half a line, which is cut off");
        }
        Ok((Self { file, sound_bytes, is_sound: true }, length - sound_bytes))
    }

    fn append(&mut self, lines: &[u8], is_durable: bool) -> std::io::Result<()> {
        if !self.is_sound {
            self.file.set_len(self.sound_bytes)?;
            self.is_sound = true;
        }
        let written = self.file.write_all(lines);
        let written = if is_durable { written.and_then(|()| self.file.sync_data()) } else { written };
        match written {
            Ok(()) => {
                self.sound_bytes += lines.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.is_sound = self.file.set_len(self.sound_bytes).is_ok();
                Err(error)
            }
        }
    }
}

/// Where the last whole line ends.
fn last_end(file: &mut File, length: u64) -> std::io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(STEP_BYTES);
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        Read::by_ref(file).take(end - begin).read_to_end(&mut bytes)?;
        if let Some(place) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + place as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(directory)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .collect();
        names.sort();
        names.iter().map(|path| std::fs::read_to_string(path).expect("text")).collect()
    }

    fn small(folder: &tempfile::TempDir) -> Folder {
        let directory = folder.path().to_owned();
        Folder { directory, prefix: "decisions-", max_file_bytes: 8, max_files: Some(3), is_durable: true }
    }

    #[test]
    fn files_are_bounded_in_size_and_number_and_hold_whole_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = LineFiles::open(small(&folder)).expect("opened");
        assert_eq!(files.append(b"one\ntwo\nthree\n").lines, 3);
        assert_eq!(contents(folder.path()), ["one\ntwo\n", "three\n"]);
        assert_eq!(files.append(b"a line that is too long\nx\n").lines, 2);
        assert_eq!(contents(folder.path()), ["three\n", "a line that is too long\n", "x\n"]);
        drop(files);
        let mut files = LineFiles::open(small(&folder)).expect("opened again");
        assert_eq!(files.append(b"y\n").lines, 1);
        assert_eq!(contents(folder.path()), ["three\n", "a line that is too long\n", "x\ny\n"]);
    }

    #[test]
    fn one_process_owns_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let _first = LineFiles::open(small(&folder)).expect("opened");
        let second = LineFiles::open(small(&folder)).expect_err("refused");
        assert!(second.to_string().contains("another process"), "{second}");
    }

    #[test]
    fn wherever_a_line_is_torn_what_stands_before_it_stays() {
        let whole = format!("one\n{}\nthree\n", "x".repeat(STEP_BYTES as usize));
        for length in [0, 1, 4, 5, 10, whole.len() - 6, whole.len() - 1, whole.len()] {
            let folder = tempfile::tempdir().expect("a folder");
            let torn = whole.get(..length).expect("a part");
            std::fs::write(folder.path().join("decisions-0000000007.jsonl"), torn).expect("written");
            let mut files =
                LineFiles::open(Folder { max_file_bytes: 1 << 20, ..small(&folder) }).expect("opened");
            let kept = torn.get(..torn.rfind('\n').map_or(0, |end| end + 1)).expect("a part");
            assert_eq!(files.torn_bytes(), (torn.len() - kept.len()) as u64);
            let last = files.last_line().expect("read").map(|line| String::from_utf8(line).expect("text"));
            assert_eq!(last.as_deref(), kept.lines().next_back());
            files.append(b"next\n");
            assert_eq!(contents(folder.path()), [format!("{kept}next\n")], "{length}");
        }
    }
}
