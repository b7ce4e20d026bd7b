//! One journal file: entries one after the other, each with its length and a checksum.
//!
//! An entry is four bytes of length, eight of checksum (the first of the BLAKE3 hash), and then two of
//! the customer id's length, the id, and a record with the one contact in its stored form, all numbers
//! little-endian. What is torn was never answered for.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::domain::record::Record;
use crate::ledger::record_format;

use super::Entry;

const CHECKSUM_BYTES: usize = 8;
/// No entry is longer: ids and tags are bounded where questions are read.
const LONGEST_ENTRY: usize = 1 << 20;

/// Which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileId(pub(super) PathBuf);

/// An entry as bytes.
#[must_use]
pub fn frame(entry: &Entry) -> Vec<u8> {
    let mut payload = (entry.customer.len() as u16).to_le_bytes().to_vec();
    payload.extend_from_slice(entry.customer.as_bytes());
    let record = Record::default().with_history(vec![entry.contact.clone()], Vec::new());
    let payload = record_format::append(payload, &record);
    let mut bytes = (payload.len() as u32).to_le_bytes().to_vec();
    bytes.extend(checksum(&payload));
    bytes.extend(payload);
    bytes
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut checksum = [0; CHECKSUM_BYTES];
    blake3::Hasher::new().update(payload).finalize_xof().fill(&mut checksum);
    checksum
}

/// The entries of a file up to the first that is torn, and whether one is.
#[must_use]
pub fn read(mut bytes: &[u8]) -> (Vec<Entry>, bool) {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        match split_entry(bytes) {
            Some((entry, rest)) => {
                entries.push(entry);
                bytes = rest;
            }
            None => return (entries, true),
        }
    }
    (entries, false)
}

fn split_entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (payload, rest) = rest.split_at_checked(length).filter(|_| length <= LONGEST_ENTRY)?;
    if checksum(payload) != *sum {
        return None;
    }
    let (length, named) = payload.split_first_chunk::<2>()?;
    let (customer, record) = named.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let customer = std::str::from_utf8(customer).ok()?.into();
    let record = record_format::decode(record).ok()?;
    let contact = record.contacts().first()?.clone();
    Some((Entry { customer, contact }, rest))
}

/// A file this process has the lock of.
#[derive(Debug)]
pub struct Owned {
    pub path: PathBuf,
    file: File,
    /// How much of it was written and synced as a whole.
    sound_bytes: u64,
}

impl Owned {
    /// A new file, named so that files sort by age.
    pub fn create(directory: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        loop {
            let path = directory.join(format!("{}.journal", uuid::Uuid::now_v7()));
            let file = File::options().read(true).append(true).create_new(true).open(&path)?;
            // Somebody may have taken it for one that was left behind; then it is theirs to delete.
            if file.try_lock().is_ok() {
                File::open(directory)?.sync_all()?;
                return Ok(Self { path, file, sound_bytes: 0 });
            }
        }
    }

    /// A file that was left behind, unless somebody has it.
    pub fn adopt(path: PathBuf) -> Option<Self> {
        let file = File::options().read(true).append(true).open(&path).ok()?;
        file.try_lock().ok()?;
        let sound_bytes = file.metadata().ok()?.len();
        Some(Self { path, file, sound_bytes })
    }

    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.sound_bytes
    }

    /// Appends and syncs. After an error nothing of it is left, if that can be done.
    pub fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.sound_bytes += bytes.len() as u64,
            Err(_) => self.file.set_len(self.sound_bytes)?,
        }
        written
    }

    pub fn contents(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(&self.path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::{Contact, Standing};
    use crate::domain::moment::Moment;
    use crate::domain::words::Tags;

    fn entry(number: i64) -> Entry {
        let at = Moment::from_millis(1_800_000_000_000 + number);
        Entry {
            customer: format!("c-{number}").into(),
            contact: Contact {
                id: format!("m-{number}").into(),
                question: None,
                tags: Tags { channel: Some("email".into()), ..Tags::default() },
                at,
                reserved_at: at,
                standing: Standing::Reserved,
                told_at: None,
            },
        }
    }

    #[test]
    fn whatever_is_torn_off_what_stands_before_it_is_read() {
        let entries: Vec<_> = (0..3).map(entry).collect();
        let frames: Vec<_> = entries.iter().map(frame).collect();
        let bytes = frames.concat();
        let ends: Vec<_> = frames
            .iter()
            .scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            })
            .collect();
        for length in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= length).count();
            let (read, torn) = read(&bytes[..length]);
            assert_eq!(read, entries[..whole], "{length} bytes");
            assert_eq!(torn, length != 0 && !ends.contains(&length), "{length} bytes");
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let bytes = frame(&entry(1));
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x40;
            assert_eq!(read(&flipped), (Vec::new(), true), "byte {place}");
        }
    }
}
