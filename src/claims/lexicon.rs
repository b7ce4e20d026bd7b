//! The words the phrases are made of, each under a number.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A word of the phrases. Zero is no word.
pub(super) type WordId = u16;

/// How many phrase words one word of a text can be at once: itself and stems of it (`appreciat*`).
pub(super) const MOST_IDS: usize = 4;

/// Shortest stem a phrase may name.
pub(super) const SHORTEST_STEM: usize = 3;

/// Letters of what forms of one word share.
pub(super) const STEM: usize = 5;

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
    words: Table<Entry>,
    stems: Table<Entry>,
    /// One bit for each stem's hash: most words of most texts start with none.
    stem_bits: Vec<u64>,
    aliases: Vec<Vec<Vec<u8>>>,
    count: WordId,
}

/// What is known of a word, all in one place so that a text's word is looked up once. A word of no phrase is
/// here, too, if it is one: disguised ones are told from it.
#[derive(Clone, Copy, Default)]
struct Entry {
    id: WordId,
    /// One more than its place among the aliases; zero is none.
    alias: u16,
    /// What it means, in whatever language; zero is none known.
    concept: u16,
}

/// What a text's word is.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) hash: u64,
    /// The hash of its first letters, which forms of one word share.
    pub(super) stem: u64,
    pub(super) ids: [WordId; MOST_IDS],
    /// What it means, in whatever language; zero is none known.
    pub(super) concept: u16,
    /// It is a word, in a phrase or not.
    pub(super) known: bool,
    /// The words it is another spelling of.
    pub(super) alias: Option<&'a [Vec<u8>]>,
}

const STEM_BITS: u64 = 1 << 15;

impl Lexicon {
    pub(super) fn add(&mut self, letters: &[u8]) -> WordId {
        let entry = self.words.entry(hash_word(letters)).or_default();
        if entry.id == 0 {
            self.count = self.count.saturating_add(1);
            entry.id = self.count;
        }
        entry.id
    }

    pub(super) fn add_stem(&mut self, letters: &[u8]) -> WordId {
        let count = self.count.saturating_add(1);
        let entry = self.stem(letters);
        if entry.id == 0 {
            entry.id = count;
            self.count = count;
            return count;
        }
        entry.id
    }

    fn stem(&mut self, letters: &[u8]) -> &mut Entry {
        let hash = hash_word(letters);
        self.stem_bits.resize((STEM_BITS / 64) as usize, 0);
        if let Some(bits) = self.stem_bits.get_mut((hash % STEM_BITS / 64) as usize) {
            *bits |= 1 << (hash % 64);
        }
        self.stems.entry(hash).or_default()
    }

    /// Has a word, or all that start so, mean `concept`.
    pub(super) fn add_concept(&mut self, letters: &[u8], stem: bool, concept: u16) {
        let entry = if stem { self.stem(letters) } else { self.words.entry(hash_word(letters)).or_default() };
        entry.concept = concept;
    }

    /// Has `spelling` read as `words`.
    pub(super) fn add_alias(&mut self, spelling: &[u8], words: Vec<Vec<u8>>) {
        self.aliases.push(words);
        self.words.entry(hash_word(spelling)).or_default().alias = self.aliases.len() as u16;
    }

    pub(super) fn add_ordinary(&mut self, hash: u64) {
        self.words.entry(hash).or_default();
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.count) + 1
    }

    pub(super) fn alias(&self, hash: u64) -> Option<&[Vec<u8>]> {
        self.alias_of(*self.words.get(&hash)?)
    }

    fn alias_of(&self, entry: Entry) -> Option<&[Vec<u8>]> {
        self.aliases.get(usize::from(entry.alias).checked_sub(1)?).map(Vec::as_slice)
    }

    /// Whether this is a word, in a phrase or not.
    pub(super) fn knows(&self, letters: &[u8]) -> bool {
        self.look_up(letters).known
    }

    /// What this word is in phrases.
    pub(super) fn ids(&self, letters: &[u8]) -> [WordId; MOST_IDS] {
        self.look_up(letters).ids
    }

    /// What these letters are.
    pub(super) fn look_up(&self, letters: &[u8]) -> Word<'_> {
        let mut ids = [0; MOST_IDS];
        let mut free = ids.iter_mut();
        let (mut hash, mut stem, mut concept) = (SEED, SEED, 0);
        for (at, byte) in letters.iter().enumerate() {
            hash = step(hash, *byte);
            if at < STEM {
                stem = hash;
            }
            if at + 1 < SHORTEST_STEM || !self.maybe_stem(hash) {
                continue;
            }
            let Some(entry) = self.stems.get(&hash) else { continue };
            if entry.concept != 0 {
                concept = entry.concept;
            }
            if entry.id != 0
                && let Some(slot) = free.next()
            {
                *slot = entry.id;
            }
        }
        let entry = self.words.get(&hash).copied();
        if let Some(Entry { id: id @ 1.., .. }) = entry
            && let Some(slot) = free.next()
        {
            *slot = id;
        }
        if let Some(Entry { concept: meant @ 1.., .. }) = entry {
            concept = meant;
        }
        let [first, ..] = ids;
        let known = entry.is_some() || (letters.len() > SHORTEST_STEM + 1 && first != 0);
        Word { hash, stem, ids, concept, known, alias: entry.and_then(|entry| self.alias_of(entry)) }
    }

    /// Whether `more` put to the word whose hash this is would make a word: no letters are copied for a look.
    pub(super) fn knows_joined(&self, hash: u64, length: usize, more: &[u8]) -> bool {
        let mut hash = hash;
        let mut stems = false;
        for (at, byte) in more.iter().enumerate() {
            hash = step(hash, *byte);
            stems |= length + at + 1 >= SHORTEST_STEM
                && self.maybe_stem(hash)
                && self.stems.get(&hash).is_some_and(|entry| entry.id != 0);
        }
        stems && length + more.len() > SHORTEST_STEM + 1 || self.words.contains_key(&hash)
    }

    fn maybe_stem(&self, hash: u64) -> bool {
        self.stem_bits.get((hash % STEM_BITS / 64) as usize).is_some_and(|bits| bits & 1 << (hash % 64) != 0)
    }
}
