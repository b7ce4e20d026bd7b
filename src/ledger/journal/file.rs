//! One journal file: entries one after the other, each with its length and a checksum.
//!
//! An entry is four bytes of length, eight of checksum (the first of the BLAKE3 hash), and then eight of the
//! moment it was asked, two of the customer id's length, the id, and a record with the one contact in its stored form, all numbers
//! little-endian. What is torn was never answered for.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::domain::moment::Moment;
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
    let mut payload = entry.asked_at.millis().to_le_bytes().to_vec();
    payload.extend((entry.customer.len() as u16).to_le_bytes());
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

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// Its last entry was cut short.
    Torn,
    /// An entry is whole and yet cannot be read.
    Damaged,
}

/// The entries of a file up to the first that cannot be read.
#[must_use]
pub fn read(mut bytes: &[u8]) -> (Vec<Entry>, End) {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let Some((sum, payload, rest)) = split_frame(bytes) else { return (entries, End::Torn) };
        match entry(payload).filter(|_| checksum(payload) == *sum) {
            Some(entry) => entries.push(entry),
            None => return (entries, End::Damaged),
        }
        bytes = rest;
    }
    (entries, End::Whole)
}

/// The next entry's checksum, its payload, and what comes after it.
fn split_frame(bytes: &[u8]) -> Option<(&[u8; CHECKSUM_BYTES], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (payload, rest) = rest.split_at_checked(length).filter(|_| length <= LONGEST_ENTRY)?;
    Some((sum, payload, rest))
}

fn entry(payload: &[u8]) -> Option<Entry> {
    let (asked_at, payload) = payload.split_first_chunk::<8>()?;
    let asked_at = Moment::from_millis(i64::from_le_bytes(*asked_at));
    let (length, named) = payload.split_first_chunk::<2>()?;
    let (customer, record) = named.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let customer = std::str::from_utf8(customer).ok()?.into();
    let record = record_format::decode(record).ok()?;
    let contact = record.contacts().first()?.clone();
    Some(Entry { customer, contact, asked_at })
}

/// A file this process has the lock of.
#[derive(Debug)]
pub struct Owned {
    pub path: PathBuf,
    file: File,
    /// How much of it was written and synced as a whole.
    sound_bytes: u64,
    is_sound: bool,
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
                return Ok(Self { path, file, sound_bytes: 0, is_sound: true });
            }
        }
    }

    /// A file that was left behind, unless somebody has it.
    pub fn adopt(path: PathBuf) -> Option<Self> {
        let file = File::options().read(true).append(true).open(&path).ok()?;
        file.try_lock().ok()?;
        let sound_bytes = file.metadata().ok()?.len();
        Some(Self { path, file, sound_bytes, is_sound: true })
    }

    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.sound_bytes
    }

    /// Whether it ends with a whole entry, so that another may follow.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Appends and syncs. After an error nothing of it is left, if that can be done.
    pub fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.sound_bytes += bytes.len() as u64,
            Err(_) => self.is_sound = self.file.set_len(self.sound_bytes).is_ok(),
        }
        written
    }

    /// Everything in it, whatever has become of its name.
    pub fn contents(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::{Contact, Standing};
    use crate::domain::words::Tags;

    fn entry(number: i64) -> Entry {
        let at = Moment::from_millis(1_800_000_000_000 + number);
        Entry {
            customer: format!("c-{number}").into(),
            asked_at: at,
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
            let (read, end) = read(&bytes[..length]);
            assert_eq!(read, entries[..whole], "{length} bytes");
            let is_whole = length == 0 || ends.contains(&length);
            assert_eq!(end, if is_whole { End::Whole } else { End::Torn }, "{length} bytes");
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let bytes = frame(&entry(1));
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x40;
            let (entries, end) = read(&flipped);
            assert!(entries.is_empty() && end != End::Whole, "byte {place}");
        }
    }
}
