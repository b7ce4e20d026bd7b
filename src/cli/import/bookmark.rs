//! How far an import has come, kept beside its file so that it can go on after anything.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::rows::Place;

/// How much of a file is looked at to know it again: a change further in nearly always changes the length.
const LOOKED_AT_BYTES: u64 = 64 * 1024;
/// No bookmark is larger.
const LARGEST_BYTES: u64 = 64 * 1024;
/// Of a digest's hexadecimal digits: enough that two files are never taken for one.
const DIGITS: usize = 32;

/// How far an import has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    pub kind: String,
    /// A digest of the file's length and beginning.
    pub file: String,
    /// A digest of what else the command line said.
    pub options: String,
    pub offset_bytes: u64,
    pub lines: u64,
    pub rows_stored: u64,
    pub rows_rejected: u64,
    /// How long the rejects file was.
    pub rejects_bytes: u64,
    /// When the import began.
    pub begun: String,
}

impl Progress {
    /// Whether both are of the same import.
    fn is_of(&self, other: &Self) -> bool {
        (&self.kind, &self.file, &self.options) == (&other.kind, &other.file, &other.options)
    }

    #[must_use]
    pub const fn place(&self) -> Place {
        Place { offset_bytes: self.offset_bytes, lines: self.lines }
    }
}

/// Where an import's progress is kept.
#[derive(Debug)]
pub struct Bookmark {
    path: PathBuf,
}

/// What an earlier run has left.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    Nothing,
    Progress(Box<Progress>),
    /// Something else, or a progress that cannot be gone on from.
    Unusable(String),
}

impl Bookmark {
    #[must_use]
    pub fn beside(file: &Path) -> Self {
        Self { path: with_ending(file, ".import.json") }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run has left here for the one that `now` begins.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn left(&self, now: &Progress) -> io::Result<Left> {
        let mut text = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Nothing),
            Err(error) => return Err(error),
            Ok(file) => file.take(LARGEST_BYTES).read_to_end(&mut text)?,
        };
        Ok(match serde_json::from_slice::<Progress>(&text) {
            Err(error) => Left::Unusable(format!("it is not readable: {error}")),
            // Where nothing was noted as stored, nothing is lost by beginning differently.
            Ok(left) if left.offset_bytes == 0 && !left.is_of(now) => Left::Nothing,
            Ok(left) if left.kind != now.kind => Left::Unusable(format!("it was an import of {}", left.kind)),
            Ok(left) if left.file != now.file => Left::Unusable("the file has changed since".to_owned()),
            Ok(left) if left.options != now.options => {
                Left::Unusable("it was begun with other options, or for another ledger".to_owned())
            }
            Ok(left) => Left::Progress(Box::new(left)),
        })
    }

    /// Keeps a progress: either all of it is there afterwards, or what was there before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, progress: &Progress) -> io::Result<()> {
        let draft = with_ending(&self.path, ".new");
        let mut file = File::create(&draft)?;
        serde_json::to_writer_pretty(&mut file, progress)?;
        file.write_all(b"\n")?;
        file.sync_data()?;
        fs::rename(&draft, &self.path)
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
