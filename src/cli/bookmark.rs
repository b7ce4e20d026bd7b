//! How far a run over a file has come, kept beside a file so that it can go on after anything.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How much of a file is looked at to know it again: a change further in nearly always changes the length.
const LOOKED_AT_BYTES: u64 = 64 * 1024;
/// No bookmark is larger.
const LARGEST_BYTES: u64 = 1024 * 1024;
/// Of a digest's hexadecimal digits: enough that two files are never taken for one.
const DIGITS: usize = 32;

/// How far a run over a file has come.
pub trait Resumable: Serialize + DeserializeOwned {
    /// Whether nothing was done yet, so that nothing is lost by beginning differently.
    fn is_beginning(&self) -> bool;

    /// Why a run that begins as `now` cannot go on from here; `None` where it can.
    fn unlike(&self, now: &Self) -> Option<String>;
}

/// Where a run's progress is kept.
#[derive(Debug)]
pub struct Bookmark {
    path: PathBuf,
}

/// What an earlier run has left.
#[derive(Debug, PartialEq, Eq)]
pub enum Left<P> {
    Nothing,
    Progress(Box<P>),
    /// Something else, or a progress that cannot be gone on from.
    Unusable(String),
}

impl Bookmark {
    #[must_use]
    pub fn beside(file: &Path, ending: &str) -> Self {
        Self { path: with_ending(file, ending) }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run has left here for the one that `now` begins.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn left<P: Resumable>(&self, now: &P) -> io::Result<Left<P>> {
        let mut text = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Nothing),
            Err(error) => return Err(error),
            Ok(file) => file.take(LARGEST_BYTES).read_to_end(&mut text)?,
        };
        Ok(match serde_json::from_slice::<P>(&text) {
            Err(error) => Left::Unusable(format!("it is not readable: {error}")),
            Ok(left) => match left.unlike(now) {
                None => Left::Progress(Box::new(left)),
                Some(_) if left.is_beginning() => Left::Nothing,
                Some(why) => Left::Unusable(why),
            },
        })
    }

    /// Keeps a progress: either all of it is there afterwards, or what was there before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep<P: Resumable>(&self, progress: &P) -> io::Result<()> {
        let draft = with_ending(&self.path, ".new");
        let written = File::create(&draft).and_then(|mut file| {
            serde_json::to_writer_pretty(&mut file, progress)?;
            file.write_all(b"\n")?;
            file.sync_data()?;
            fs::rename(&draft, &self.path)
        });
        if written.is_err() {
            // Half a draft is of no use to anybody.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// A path with something after its name.
#[must_use]
pub fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// What a file is known by.
#[derive(Debug)]
pub struct Identity {
    pub length_bytes: u64,
    /// By its length and beginning: whether it has changed.
    pub content: String,
    /// By its name as well: whose rows are whose.
    pub named: String,
}

impl Identity {
    /// Looks at a file; it stands at its beginning afterwards.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(name: &str, file: &mut File) -> io::Result<Self> {
        let length_bytes = file.metadata()?.len();
        let mut beginning = Vec::new();
        file.take(LOOKED_AT_BYTES).read_to_end(&mut beginning)?;
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&length_bytes.to_le_bytes()).update(&beginning);
        let content = digits(&hasher);
        hasher.update(name.as_bytes());
        Ok(Self { length_bytes, content, named: digits(&hasher) })
    }
}

fn digits(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex().chars().take(DIGITS).collect()
}

/// A digest of anything that can be written as JSON.
#[must_use]
pub fn digest(value: &impl Serialize) -> String {
    let text = serde_json::to_vec(value).unwrap_or_default();
    digits(blake3::Hasher::new().update(&text))
}
