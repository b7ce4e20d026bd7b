//! A linear model over the features of sentences, one score a claim, learnt from `training/claims`.

use super::features::Feature;

pub const CLAIMS: usize = 7;

const MAGIC: &[u8; 4] = b"CGC2";

/// Features are found by their first bits in a list of where each such group begins.
const GROUP_BITS: u32 = 14;
const GROUPS: usize = 1 << GROUP_BITS;

/// Bits of the first look, which a text's words mostly end at.
const KNOWN_BITS: u32 = 19;

/// Bytes of an entry: the feature's last bits, one weight a claim.
const ENTRY: usize = 2 + CLAIMS;

/// The file `cargo run --release --example train-claims` writes.
static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// Scores of one sentence, in the order of the claims.
pub(super) type Scores = [f32; CLAIMS];

/// A feature and its weight for each claim.
pub type Entry = (u32, Scores);

#[derive(Default)]
pub(super) struct Model {
    /// Where each group of entries begins; one more for the end.
    groups: Vec<u32>,
    entries: &'static [u8],
    /// One bit for each of the features' first bits: most pairs and threes of words have no weight.
    known: Vec<u64>,
    scale: Scores,
    bias: Scores,
    /// Hashes of words that are words, though in no phrase.
    ordinary: &'static [u8],
}

impl Model {
    /// The model that comes with the program; one that claims nothing if its file is not one.
    pub(super) fn built_in() -> Self {
        Self::from_bytes(WEIGHTS).unwrap_or(Self { bias: [-1.0; CLAIMS], ..Self::default() })
    }

    pub(super) fn from_bytes(bytes: &'static [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (scale, rest) = floats(rest)?;
        let (bias, rest) = floats(rest)?;
        let (counts, rest) = rest.split_at_checked(GROUPS)?;
        let mut groups = Vec::with_capacity(GROUPS + 1);
        let mut total = 0_u32;
        groups.push(total);
        for count in counts {
            total += u32::from(*count);
            groups.push(total);
        }
        let (entries, ordinary) = rest.split_at_checked(total as usize * ENTRY)?;
        let mut known = vec![0_u64; 1 << (KNOWN_BITS - 6)];
        for (group, pair) in groups.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let mine = entries.get(*from as usize * ENTRY..*to as usize * ENTRY).unwrap_or_default();
            for entry in mine.chunks_exact(ENTRY) {
                let Some((last, _)) = entry.split_first_chunk() else { continue };
                let bit = (group as u32) << (KNOWN_BITS - GROUP_BITS) | known_bits(u16::from_le_bytes(*last));
                if let Some(word) = known.get_mut((bit / 64) as usize) {
                    *word |= 1 << (bit % 64);
                }
            }
        }
        Some(Self { groups, entries, known, scale, bias, ordinary })
    }

    pub(super) fn ordinary_words(&self) -> impl Iterator<Item = u64> {
        self.ordinary.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok().map(u64::from_le_bytes))
    }

    /// The weights of a feature, if it has any.
    fn row(&self, key: u32) -> Option<&[u8; CLAIMS]> {
        let group = (key >> (32 - GROUP_BITS)) as usize;
        let bit = (group as u32) << (KNOWN_BITS - GROUP_BITS) | known_bits(key as u16);
        self.known.get((bit / 64) as usize).filter(|word| *word & 1 << (bit % 64) != 0)?;
        let (from, to) = (*self.groups.get(group)? as usize, *self.groups.get(group + 1)? as usize);
        let last = (key as u16).to_le_bytes();
        self.entries
            .get(from * ENTRY..to * ENTRY)?
            .as_chunks::<ENTRY>()
            .0
            .iter()
            .find(|[low, high, ..]| [*low, *high] == last)
            .and_then(|entry| entry.last_chunk())
    }

    /// How far a sentence with these features is on the claiming side, for each claim.
    pub(super) fn scores(&self, features: &[Feature]) -> Scores {
        let mut sums = [0_i32; CLAIMS];
        for row in features.iter().filter_map(|feature| self.row(feature.key)) {
            // Bounded by the length of a sentence; unchecked, seven sums are done at once.
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(i32::from(weight.cast_signed()));
            }
        }
        let mut scores = self.bias;
        for (score, (sum, scale)) in scores.iter_mut().zip(sums.iter().zip(self.scale)) {
            *score += *sum as f32 * scale;
        }
        scores
    }

    /// What one feature adds to the score of claim number `claim`.
    pub(super) fn weight(&self, feature: &Feature, claim: usize) -> f32 {
        let weight = self
            .row(feature.key)
            .and_then(|row| row.get(claim))
            .map_or(0, |weight| i32::from(weight.cast_signed()));
        weight as f32 * self.scale.get(claim).copied().unwrap_or(0.0)
    }
}

/// The bits of a feature's last part that the first look is taken at.
const fn known_bits(last: u16) -> u32 {
    last as u32 >> (16 - (KNOWN_BITS - GROUP_BITS))
}

fn floats(bytes: &[u8]) -> Option<(Scores, &[u8])> {
    let (mine, rest) = bytes.split_at_checked(4 * CLAIMS)?;
    let mut out = [0.0; CLAIMS];
    for (value, bytes) in out.iter_mut().zip(mine.chunks_exact(4)) {
        *value = f32::from_le_bytes(bytes.try_into().ok()?);
    }
    Some((out, rest))
}

/// The file's bytes for learnt weights. `bias` is where the thresholds are; `ordinary` are hashes of words.
#[doc(hidden)]
#[must_use]
pub fn file(entries: &[Entry], bias: &Scores, ordinary: &[u64]) -> Vec<u8> {
    const LARGEST: f32 = 127.0;
    let group = |key: u32| key >> (32 - GROUP_BITS);
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|(key, _)| (group(*key), *key as u16));
    sorted.dedup_by_key(|(key, _)| (group(*key), *key as u16));
    let mut scale = [0.0; CLAIMS];
    for (claim, scale) in scale.iter_mut().enumerate() {
        let weights = sorted.iter().filter_map(|(_, weights)| weights.get(claim));
        *scale = weights.fold(1e-6_f32, |most, weight| most.max(weight.abs())) / LARGEST;
    }
    let mut counts = vec![0_u8; GROUPS];
    let mut rows = Vec::with_capacity(sorted.len() * ENTRY);
    for (key, weights) in &sorted {
        let Some(count) = counts.get_mut(group(*key) as usize).filter(|count| **count < u8::MAX) else {
            continue;
        };
        *count += 1;
        rows.extend_from_slice(&(*key as u16).to_le_bytes());
        rows.extend(
            weights.iter().zip(scale).map(|(weight, scale)| ((weight / scale).round() as i8).cast_unsigned()),
        );
    }
    let mut out = MAGIC.to_vec();
    out.extend(scale.iter().chain(bias).flat_map(|value| value.to_le_bytes()));
    out.extend(counts);
    out.extend(rows);
    out.extend(ordinary.iter().flat_map(|word| word.to_le_bytes()));
    out
}
