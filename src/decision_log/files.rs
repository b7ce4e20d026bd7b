//! Files of lines in a folder of this process's own: each of bounded size, so many of them, and every line whole.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::DecisionLogError;

const PREFIX: &str = "decisions-";
const SUFFIX: &str = ".jsonl";
/// Held for as long as this process writes here.
const LOCK: &str = "lock";
/// How much of a file's end is looked at together in the search for its last whole line.
const STEP_BYTES: u64 = 1 << 16;

/// What became of lines that were to be written.
#[derive(Debug, Default)]
pub struct Written {
    pub lines: u64,
    /// Why the others were not.
    pub failure: Option<String>,
}

/// The folder and the file that is written now.
#[derive(Debug)]
pub struct Files {
    directory: PathBuf,
    max_file_bytes: u64,
    max_files: usize,
    /// Every file's number, oldest first; the last is the one written now.
    numbers: Vec<u64>,
    open: Option<Open>,
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

impl Files {
    /// Opens the folder and the newest file in it, whose last line is cut off if it was torn.
    ///
    /// # Errors
    /// When another process writes there, or the folder cannot be used.
    pub fn open(directory: PathBuf, max_file_bytes: u64, max_files: usize) -> Result<Self, DecisionLogError> {
        match Self::try_open(&directory, max_file_bytes, max_files) {
            Ok(Some(files)) => Ok(files),
            Ok(None) => Err(DecisionLogError::Owned { directory }),
            Err(error) => Err(DecisionLogError::Io { directory, error }),
        }
    }

    fn try_open(directory: &Path, max_file_bytes: u64, max_files: usize) -> std::io::Result<Option<Self>> {
        std::fs::create_dir_all(directory)?;
        let lock = File::options().create(true).truncate(false).write(true).open(directory.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            numbers.extend(entry?.file_name().to_str().and_then(number));
        }
        numbers.sort_unstable();
        let directory = directory.to_owned();
        let mut files = Self { directory, max_file_bytes, max_files, numbers, open: None, _lock: lock };
        match files.numbers.last() {
            Some(newest) => files.open = Some(Open::again(&files.path(*newest))?),
            None => files.begin()?,
        }
        Ok(Some(files))
    }

    /// How the last line there is begins, so much of it; empty where there is none.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn last_line(&self, bytes: usize) -> std::io::Result<Vec<u8>> {
        let mut beginning = Vec::new();
        // The newest may have been begun and not written yet.
        for number in self.numbers.iter().rev() {
            let mut file = File::open(self.path(*number))?;
            let length = file.metadata()?.len();
            if length > 0 {
                let begin = last_end(&mut file, length - 1)?;
                file.seek(SeekFrom::Start(begin))?;
                file.take(bytes as u64).read_to_end(&mut beginning)?;
                break;
            }
        }
        Ok(beginning)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{PREFIX}{number:010}{SUFFIX}"))
    }

    /// Begins another file, and removes those there are too many of.
    fn begin(&mut self) -> std::io::Result<()> {
        self.open = None;
        let number = self.numbers.last().map_or(1, |newest| newest + 1);
        let file = File::options().append(true).create_new(true).open(self.path(number))?;
        self.numbers.push(number);
        self.open = Some(Open { file, sound_bytes: 0, is_sound: true });
        while self.numbers.len() > self.max_files {
            let oldest = self.numbers.remove(0);
            if let Err(error) = std::fs::remove_file(self.path(oldest)) {
                tracing::warn!(%error, file = %self.path(oldest).display(), "an old decision log stays");
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
        let room = |open: &Open| self.max_file_bytes.saturating_sub(open.sound_bytes);
        let fitting = self.open.as_ref().and_then(|open| whole_lines(lines, room(open)));
        let length = match fitting {
            Some(length) => length,
            None => {
                if self.open.as_ref().is_none_or(|open| open.sound_bytes > 0) {
                    self.begin()?;
                }
                // A line longer than a file may be has one to itself.
                whole_lines(lines, self.max_file_bytes)
                    .or_else(|| Some(lines.iter().position(|byte| *byte == b'\n')? + 1))
                    .unwrap_or(lines.len())
            }
        };
        let Some(open) = &mut self.open else { return Err(std::io::ErrorKind::NotFound.into()) };
        open.append(lines.get(..length).unwrap_or(lines))?;
        Ok(length)
    }
}

/// The length of the lines that together are at most so long.
fn whole_lines(lines: &[u8], most: u64) -> Option<usize> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(lines.len());
    lines.get(..most)?.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1)
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

impl Open {
    /// A file that an earlier process wrote. Whatever stands behind its last line's end is cut off.
    fn again(path: &Path) -> std::io::Result<Self> {
        let mut file = File::options().read(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        let sound_bytes = last_end(&mut file, length)?;
        if sound_bytes < length {
            file.set_len(sound_bytes)?;
            tracing::warn!(file = %path.display(), "the decision log ended in half a line, which is cut off");
        }
        Ok(Self { file, sound_bytes, is_sound: true })
    }

    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        if !self.is_sound {
            self.file.set_len(self.sound_bytes)?;
            self.is_sound = true;
        }
        match self.file.write_all(lines) {
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

    #[test]
    fn files_are_bounded_in_size_and_number_and_hold_whole_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = Files::open(folder.path().to_owned(), 8, 3).expect("opened");
        assert_eq!(files.append(b"one\ntwo\nthree\n").lines, 3);
        assert_eq!(contents(folder.path()), ["one\ntwo\n", "three\n"]);
        assert_eq!(files.append(b"a line that is too long\nx\n").lines, 2);
        assert_eq!(contents(folder.path()), ["three\n", "a line that is too long\n", "x\n"]);
        drop(files);
        let mut files = Files::open(folder.path().to_owned(), 8, 3).expect("opened again");
        assert_eq!(files.append(b"y\n").lines, 1);
        assert_eq!(contents(folder.path()), ["three\n", "a line that is too long\n", "x\ny\n"]);
    }

    #[test]
    fn one_process_owns_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let _first = Files::open(folder.path().to_owned(), 8, 3).expect("opened");
        let second = Files::open(folder.path().to_owned(), 8, 3).expect_err("refused");
        assert!(second.to_string().contains("another process"), "{second}");
    }

    #[test]
    fn wherever_a_line_is_torn_what_stands_before_it_stays() {
        let whole = format!("one\n{}\nthree\n", "x".repeat(STEP_BYTES as usize));
        for length in [0, 1, 4, 5, 10, whole.len() - 6, whole.len() - 1, whole.len()] {
            let folder = tempfile::tempdir().expect("a folder");
            let torn = whole.get(..length).expect("a part");
            std::fs::write(folder.path().join("decisions-0000000007.jsonl"), torn).expect("written");
            let mut files = Files::open(folder.path().to_owned(), 1 << 20, 3).expect("opened");
            let last = files.last_line(3).expect("read");
            let expected = torn.rfind('\n').map(|end| torn.get(..end).expect("a part"));
            let expected = expected.map_or("", |lines| lines.rsplit('\n').next().expect("a line"));
            assert_eq!(last, expected.get(..expected.len().min(3)).expect("a part").as_bytes(), "{length}");
            files.append(b"next\n");
            let last = files.last_line(3).expect("read");
            assert_eq!(last, b"nex", "{length}");
            let kept = torn.get(..torn.rfind('\n').map_or(0, |end| end + 1)).expect("a part");
            assert_eq!(contents(folder.path()), [format!("{kept}next\n")], "{length}");
        }
    }
}
