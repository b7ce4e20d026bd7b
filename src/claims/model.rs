//! A linear model over [`super::features`], one score a claim, learnt from `training/claims`.

use super::features::{BUCKET_BITS, Feature};

pub const CLAIMS: usize = 7;
/// How many features the model tells apart.
pub const BUCKETS: usize = 1 << BUCKET_BITS;
const MAGIC: &[u8; 4] = b"CGC1";
const HEADER: usize = 4 + 3 * 4 * CLAIMS + 4;

/// The file `cargo run --release --example train-claims` writes.
static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// Scores of one sentence, in the order of the claims.
pub(super) type Scores = [f32; CLAIMS];

pub(super) struct Model {
    table: &'static [u8],
    scale: Scores,
    bias: Scores,
    pub(super) threshold: Scores,
    /// Hashes of words that are words, though in no phrase.
    ordinary: &'static [u8],
}

impl Model {
    /// The model that comes with the program; without a score for anything if its file is not one.
    pub(super) fn built_in() -> Self {
        Self::from_bytes(WEIGHTS).unwrap_or(Self {
            table: &[],
            scale: [0.0; CLAIMS],
            bias: [-1.0; CLAIMS],
            threshold: [0.0; CLAIMS],
            ordinary: &[],
        })
    }

    pub(super) fn from_bytes(bytes: &'static [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (scale, rest) = floats(rest)?;
        let (bias, rest) = floats(rest)?;
        let (threshold, rest) = floats(rest)?;
        let (_words, rest) = rest.split_at_checked(4)?;
        let (table, ordinary) = rest.split_at_checked(BUCKETS * CLAIMS)?;
        Some(Self { table, scale, bias, threshold, ordinary })
    }

    pub(super) fn ordinary_words(&self) -> impl Iterator<Item = u64> {
        self.ordinary.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok().map(u64::from_le_bytes))
    }

    fn row(&self, bucket: u32) -> &[u8] {
        let from = bucket as usize * CLAIMS;
        self.table.get(from..from + CLAIMS).unwrap_or_default()
    }

    /// How far a sentence with these features is on the claiming side of each claim's threshold.
    pub(super) fn scores(&self, features: &[Feature]) -> Scores {
        let mut sums = [0_i32; CLAIMS];
        for feature in features {
            for (sum, weight) in sums.iter_mut().zip(self.row(feature.bucket)) {
                *sum += i32::from(weight.cast_signed());
            }
        }
        let mut scores = [0.0; CLAIMS];
        let parts = sums.iter().zip(self.scale).zip(self.bias).zip(self.threshold);
        for (score, (((sum, scale), bias), threshold)) in scores.iter_mut().zip(parts) {
            *score = *sum as f32 * scale + bias - threshold;
        }
        scores
    }

    /// What one feature adds to the score of claim number `claim`.
    pub(super) fn weight(&self, feature: &Feature, claim: usize) -> f32 {
        let weight = self.row(feature.bucket).get(claim).map_or(0, |weight| i32::from(weight.cast_signed()));
        weight as f32 * self.scale.get(claim).copied().unwrap_or(0.0)
    }
}

fn floats(bytes: &[u8]) -> Option<(Scores, &[u8])> {
    let (mine, rest) = bytes.split_at_checked(4 * CLAIMS)?;
    let mut out = [0.0; CLAIMS];
    for (value, bytes) in out.iter_mut().zip(mine.chunks_exact(4)) {
        *value = f32::from_le_bytes(bytes.try_into().ok()?);
    }
    Some((out, rest))
}

/// The file's bytes for learnt weights: `weights[claim][bucket]`.
#[doc(hidden)]
pub fn file(weights: &[Vec<f32>], bias: &[f32], threshold: &[f32], ordinary: &[u64]) -> Vec<u8> {
    const LARGEST: f32 = 127.0;
    let scale: Vec<f32> = weights
        .iter()
        .map(|claim| claim.iter().fold(1e-6_f32, |most, weight| most.max(weight.abs())) / LARGEST)
        .collect();
    let mut out = Vec::with_capacity(HEADER + BUCKETS * CLAIMS + 8 * ordinary.len());
    out.extend_from_slice(MAGIC);
    for value in scale.iter().chain(bias).chain(threshold) {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&(ordinary.len() as u32).to_le_bytes());
    for bucket in 0..BUCKETS {
        for (claim, scale) in weights.iter().zip(&scale) {
            let weight = claim.get(bucket).copied().unwrap_or(0.0) / scale;
            out.push((weight.round() as i8).cast_unsigned());
        }
    }
    for word in ordinary {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out
}
