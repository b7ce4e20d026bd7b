//! The words the phrases are made of, each under a number.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A word of the phrases. Zero is no word.
pub(super) type WordId = u16;

/// How many phrase words one word of a text can be at once: itself and stems of it (`appreciat*`).
pub(super) const MOST_IDS: usize = 4;

/// Shortest stem a phrase may name.
pub(super) const SHORTEST_STEM: usize = 3;

/// Keys are hashes already.
#[derive(Default)]
pub(super) struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| step(hash, *byte));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(super) type Table<V> = HashMap<u64, V, BuildHasherDefault<Unhashed>>;

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

const fn step(hash: u64, byte: u8) -> u64 {
    let mixed = (hash ^ byte as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// The number a word is looked up by.
pub(super) fn hash_word(letters: &[u8]) -> u64 {
    letters.iter().fold(SEED, |hash, byte| step(hash, *byte))
}

/// Known words, their spellings and stems.
#[derive(Default)]
pub(super) struct Lexicon {
    words: Table<WordId>,
    stems: Table<WordId>,
    /// One bit for each stem's hash: most words of most texts start with none.
    stem_bits: Vec<u64>,
    aliases: Table<Vec<Vec<u8>>>,
    /// Words that are no part of a phrase but are words: told from disguised ones by this.
    ordinary: HashSet<u64, BuildHasherDefault<Unhashed>>,
    count: WordId,
}

const STEM_BITS: u64 = 1 << 15;

impl Lexicon {
    pub(super) fn add(&mut self, letters: &[u8]) -> WordId {
        let next = self.count.saturating_add(1);
        let id = *self.words.entry(hash_word(letters)).or_insert(next);
        self.count = self.count.max(id);
        id
    }

    pub(super) fn add_stem(&mut self, letters: &[u8]) -> WordId {
        let hash = hash_word(letters);
        let next = self.count.saturating_add(1);
        let id = *self.stems.entry(hash).or_insert(next);
        self.count = self.count.max(id);
        self.stem_bits.resize((STEM_BITS / 64) as usize, 0);
        if let Some(bits) = self.stem_bits.get_mut((hash % STEM_BITS / 64) as usize) {
            *bits |= 1 << (hash % 64);
        }
        id
    }

    /// Has `spelling` read as `words`.
    pub(super) fn add_alias(&mut self, spelling: &[u8], words: Vec<Vec<u8>>) {
        self.aliases.insert(hash_word(spelling), words);
    }

    pub(super) fn add_ordinary(&mut self, hash: u64) {
        self.ordinary.insert(hash);
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.count) + 1
    }

    pub(super) fn alias(&self, hash: u64) -> Option<&[Vec<u8>]> {
        self.aliases.get(&hash).map(Vec::as_slice)
    }

    /// Whether this is a word, in a phrase or not.
    pub(super) fn knows(&self, letters: &[u8]) -> bool {
        let hash = hash_word(letters);
        self.words.contains_key(&hash)
            || self.ordinary.contains(&hash)
            || self.aliases.contains_key(&hash)
            || (letters.len() > SHORTEST_STEM + 1 && self.ids(letters).iter().any(|id| *id != 0))
    }

    /// What this word is in phrases.
    pub(super) fn ids(&self, letters: &[u8]) -> [WordId; MOST_IDS] {
        self.look_up(letters).1
    }

    /// The word's hash, and what it is in phrases.
    pub(super) fn look_up(&self, letters: &[u8]) -> (u64, [WordId; MOST_IDS]) {
        let mut ids = [0; MOST_IDS];
        let mut free = ids.iter_mut();
        let mut hash = SEED;
        for (at, byte) in letters.iter().enumerate() {
            hash = step(hash, *byte);
            if at + 1 < SHORTEST_STEM || !self.maybe_stem(hash) {
                continue;
            }
            if let Some(id) = self.stems.get(&hash)
                && let Some(slot) = free.next()
            {
                *slot = *id;
            }
        }
        if let Some(id) = self.words.get(&hash)
            && let Some(slot) = free.next()
        {
            *slot = *id;
        }
        (hash, ids)
    }

    fn maybe_stem(&self, hash: u64) -> bool {
        self.stem_bits.get((hash % STEM_BITS / 64) as usize).is_some_and(|bits| bits & 1 << (hash % 64) != 0)
    }
}
