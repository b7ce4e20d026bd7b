//! Which folder of a ledger's directory holds the store: the directory itself, or the generation that the file
//! `CURRENT` names. An erasure writes all that lives into a new generation and removes the old one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const CURRENT: &str = "CURRENT";
const PREFIX: &str = "generation-";
/// Held for as long as the ledger is open: who owns the directory may change its generations.
const OWNER: &str = "owner";
/// What a store that stands in the directory itself consists of, besides its `*.jnl`.
const FILES_OF_A_STORE: [&str; 3] = ["keyspaces", "lock", "version"];

/// Makes the directory if need be, and this process its owner; `None` where another one is.
pub fn own(root: &Path) -> io::Result<Option<File>> {
    fs::create_dir_all(root)?;
    let owner = File::options().create(true).truncate(false).write(true).open(root.join(OWNER))?;
    match owner.try_lock() {
        Ok(()) => Ok(Some(owner)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The folder of the store as it is.
pub fn current(root: &Path) -> io::Result<PathBuf> {
    match fs::read_to_string(root.join(CURRENT)) {
        Ok(name) => Ok(root.join(name.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(root.to_owned()),
        Err(error) => Err(error),
    }
}

/// An empty folder for the next generation.
pub fn next(root: &Path) -> io::Result<PathBuf> {
    let current = current(root)?;
    let number = number(&current).map_or(1, |number| number + 1);
    let next = root.join(format!("{PREFIX}{number}"));
    match fs::remove_dir_all(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir(&next)?;
    Ok(next)
}

fn number(folder: &Path) -> Option<u64> {
    folder.file_name()?.to_str()?.strip_prefix(PREFIX)?.parse().ok()
}

/// From now on, and after a crash, `folder` is the store.
pub fn make_current(root: &Path, folder: &Path) -> io::Result<()> {
    let name = folder.file_name().unwrap_or_default();
    let draft = root.join("CURRENT.draft");
    let mut file = File::create(&draft)?;
    file.write_all(name.as_encoded_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, root.join(CURRENT))?;
    File::open(root)?.sync_all()
}

/// Removes every store but the current one: what an erasure left behind, or a crash in one.
pub fn remove_others(root: &Path) -> io::Result<()> {
    let current = current(root)?;
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let is_of_the_first = current != *root && (FILES_OF_A_STORE.contains(&name) || is_journal(&path));
        if (number(&path).is_some() && path != current) || is_of_the_first {
            if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
    }
    File::open(root)?.sync_all()
}

fn is_journal(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jnl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_generation_replaces_the_one_before_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path();
        for file in ["0.jnl", "version", "lock", "somebody-elses.txt"] {
            fs::write(root.join(file), "x").expect("written");
        }
        assert_eq!(current(root).expect("current"), root);
        let first = next(root).expect("a folder");
        remove_others(root).expect("removed");
        assert!(root.join("0.jnl").exists() && !first.exists(), "only the current one is kept");
        let first = next(root).expect("a folder");
        make_current(root, &first).expect("current");
        remove_others(root).expect("removed");
        assert!(first.exists() && !root.join("0.jnl").exists() && root.join("somebody-elses.txt").exists());
        let second = next(root).expect("a folder");
        assert_ne!(first, second);
        make_current(root, &second).expect("current");
        remove_others(root).expect("removed");
        assert_eq!((current(root).expect("current"), first.exists()), (second, false));
    }
}
