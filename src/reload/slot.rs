//! A policy file: what it said when it was taken, when it was judged, and when it was last looked at.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::policy::Policy;
use crate::policy::source::Source;
use crate::settings::policy_text;

use super::ReloadError;

/// What a file says, or why it cannot be read.
pub type Found = Result<String, String>;

#[derive(Debug)]
pub struct Slot {
    /// `None`: no file; what is in force ships with the program, or there is nothing.
    pub file: Option<PathBuf>,
    /// What is in force.
    pub source: Option<Source>,
    /// What was last judged, and taken or refused.
    judged: Option<Found>,
    /// Why the file says something else than what is in force.
    pub refused: Option<ReloadError>,
    /// What was last seen.
    seen: Option<Found>,
}

impl Slot {
    /// One with nothing in force.
    pub const fn empty(file: Option<PathBuf>, refused: Option<ReloadError>) -> Self {
        Self { file, source: None, judged: None, refused, seen: None }
    }

    /// # Errors
    /// When the file cannot be read, or what it says is refused.
    pub fn open(file: Option<PathBuf>) -> Result<(Self, Source), ReloadError> {
        let (name, text) = policy_text(file.as_deref()).map_err(ReloadError::Unreadable)?;
        let judged = file.is_some().then(|| Ok(text.clone()));
        let source = Source::compile(name, text)?;
        Ok((Self { file, source: Some(source.clone()), judged, refused: None, seen: None }, source))
    }

    /// What is in force.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.source.as_ref().map(|source| Arc::clone(&source.policy))
    }

    pub fn name(&self) -> String {
        self.file.as_ref().map_or_else(String::new, |file| file.display().to_string())
    }

    /// What was found, if it is to be judged: it is new, and was found the same before.
    pub fn settled(&mut self, found: Option<Found>) -> Option<Found> {
        let found = found?;
        let was_seen = self.seen.as_ref() == Some(&found);
        self.seen = Some(found.clone());
        (was_seen && self.judged.as_ref() != Some(&found)).then_some(found)
    }

    /// What was found is judged: refused, or not.
    pub fn has_judged(&mut self, found: Found, refused: Option<ReloadError>) {
        (self.judged, self.refused) = (Some(found), refused);
    }

    /// What is in force now is what the file says.
    pub fn has_taken(&mut self, source: Source) {
        self.has_judged(Ok(source.text.to_string()), None);
        self.source = Some(source);
    }
}

pub fn read(file: &Path) -> Found {
    policy_text(Some(file)).map(|(_, text)| text)
}

/// Writes a file anew, so that whoever reads it, or finds it after a crash, sees the old text or the new one.
///
/// # Errors
/// When it cannot be written; the old text stands then.
pub fn replace(file: &Path, text: &Arc<str>) -> io::Result<()> {
    // A link goes on being one.
    let file = file.canonicalize()?;
    let folder = file.parent().ok_or(io::ErrorKind::NotADirectory)?;
    let mut new = tempfile::Builder::new().prefix(".policy-").suffix(".new").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(file.metadata()?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    std::fs::File::open(folder)?.sync_all()
}
