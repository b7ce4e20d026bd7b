//! Logistic regression over sentences, with adaptive steps and features left out by chance.

use std::collections::BTreeMap;

use super::{CLAIMS, Claim};

const ROUNDS: usize = 16;
/// From this round on, weights are averaged.
const SETTLED: usize = 6;
const STEP: f32 = 0.25;
/// How often each claim is learnt, by other chances; the mean is less of an accident than any.
const TIMES: u16 = 4;
/// Fewest messages a feature is learnt from.
const FEWEST: usize = 2;
/// How much every weight is pulled to nothing by a step that touches it.
const PULL: f32 = 3e-5;
/// How often a feature is left out, so that none is relied on alone.
const LEFT_OUT: f32 = 0.3;
/// What a label counts on which careful raters differ.
const DEBATABLE: f32 = 0.5;

/// One message: the features of its sentences, and what it claims.
pub struct Example {
    pub sentences: Vec<Vec<u32>>,
    pub labels: [bool; CLAIMS],
    pub debatable: [bool; CLAIMS],
}

/// Weights by claim and number of the feature.
pub struct Learnt {
    pub weights: Vec<Vec<f32>>,
    pub bias: [f32; CLAIMS],
}

/// The numbers of the features that several messages have; what is seen once teaches nothing of others.
pub struct Known(pub BTreeMap<u32, u32>);

impl Known {
    pub fn of(examples: &[&Example]) -> Self {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for example in examples {
            let mut keys: Vec<u32> = example.sentences.iter().flatten().copied().collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                *counts.entry(key).or_default() += 1;
            }
        }
        let known = counts.into_iter().filter(|(_, count)| *count >= FEWEST).map(|(key, _)| key);
        Self(known.zip(0..).collect())
    }

    fn number(&self, sentence: &[u32]) -> Vec<u32> {
        sentence.iter().filter_map(|key| self.0.get(key).copied()).collect()
    }

    pub fn numbered(&self, example: &Example) -> Example {
        let sentences = example.sentences.iter().map(|sentence| self.number(sentence)).collect();
        Example { sentences, labels: example.labels, debatable: example.debatable }
    }
}

pub struct Threshold {
    pub threshold: f32,
    pub precision: f32,
    pub recall: f32,
    pub f1: f32,
}

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound.max(1)
    }
}

/// Learns from examples whose features are numbers below `features`.
pub fn learn(examples: &[Example], features: usize) -> Learnt {
    let mut learnt = Learnt { weights: Vec::new(), bias: [0.0; CLAIMS] };
    for claim in Claim::ALL {
        let mut mean = vec![0.0; features];
        for time in 0..TIMES {
            let (weights, bias) = learn_one(examples, features, claim as usize, u64::from(time));
            for (mean, weight) in mean.iter_mut().zip(weights) {
                *mean += weight / f32::from(TIMES);
            }
            learnt.bias[claim as usize] += bias / f32::from(TIMES);
        }
        learnt.weights.push(mean);
    }
    learnt
}

struct Learner {
    weights: Vec<f32>,
    bias: f32,
    squares: Vec<f32>,
    bias_squares: f32,
}

impl Learner {
    fn sum(&self, sentence: &[u32]) -> f32 {
        self.bias + sentence.iter().map(|bucket| self.weights[*bucket as usize]).sum::<f32>()
    }

    /// One step towards `wanted` on the features that are not left out.
    fn step(&mut self, sentence: &[u32], wanted: f32, weight: f32) {
        let gradient = weight * (1.0 / (1.0 + (-self.sum(sentence)).exp()) - wanted);
        if gradient.abs() < 1e-3 {
            return;
        }
        for bucket in sentence {
            let at = *bucket as usize;
            self.squares[at] += gradient * gradient;
            self.weights[at] -= STEP * gradient / (self.squares[at] + 1.0).sqrt() + PULL * self.weights[at];
        }
        self.bias_squares += gradient * gradient;
        self.bias -= STEP * gradient / (self.bias_squares + 1.0).sqrt();
    }
}

fn learn_one(examples: &[Example], features: usize, claim: usize, time: u64) -> (Vec<f32>, f32) {
    let mut learner =
        Learner { weights: vec![0.0; features], bias: -1.0, squares: vec![0.0; features], bias_squares: 0.0 };
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 + claim as u64 + time * 1000);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut kept = Vec::new();
    let mut mean = vec![0.0_f32; features];
    let mut mean_bias = 0.0;
    for round in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            order.swap(at, chance.below(at + 1));
        }
        for at in &order {
            let example = &examples[*at];
            let weight = if example.debatable[claim] { DEBATABLE } else { 1.0 };
            if example.labels[claim] {
                let most = example.sentences.iter().max_by(|a, b| learner.sum(a).total_cmp(&learner.sum(b)));
                if let Some(sentence) = most {
                    keep_some(sentence, &mut kept, &mut chance);
                    learner.step(&kept, 1.0, weight);
                }
            } else {
                for sentence in &example.sentences {
                    keep_some(sentence, &mut kept, &mut chance);
                    learner.step(&kept, 0.0, weight);
                }
            }
        }
        if round >= SETTLED {
            for (mean, weight) in mean.iter_mut().zip(&learner.weights) {
                *mean += weight;
            }
            mean_bias += learner.bias;
        }
    }
    // In use nothing is left out.
    let part = (1.0 - LEFT_OUT) / (ROUNDS - SETTLED) as f32;
    for weight in &mut mean {
        *weight *= part;
    }
    (mean, mean_bias / (ROUNDS - SETTLED) as f32)
}

fn keep_some(sentence: &[u32], kept: &mut Vec<u32>, chance: &mut Chance) {
    kept.clear();
    let out = (LEFT_OUT * 1024.0) as usize;
    kept.extend(sentence.iter().filter(|_| chance.below(1024) >= out));
}

/// The scores of a message: those of its most claiming sentences.
pub fn score(learnt: &Learnt, example: &Example) -> [f32; CLAIMS] {
    let mut out = [f32::MIN; CLAIMS];
    for (claim, score) in out.iter_mut().enumerate() {
        for sentence in &example.sentences {
            let sum: f32 = sentence.iter().map(|bucket| learnt.weights[claim][*bucket as usize]).sum();
            *score = score.max(sum + learnt.bias[claim]);
        }
    }
    out
}

/// The threshold with the highest F1.
pub fn best_threshold(pairs: &[(f32, bool)]) -> Threshold {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all = pairs.iter().filter(|(_, label)| *label).count() as f32;
    let mut best = Threshold { threshold: 0.0, precision: 0.0, recall: 0.0, f1: 0.0 };
    let mut hits = 0.0;
    for (at, (score, label)) in sorted.iter().enumerate() {
        hits += f32::from(u8::from(*label));
        let (precision, recall) = (hits / (at + 1) as f32, hits / all.max(1.0));
        let f1 = 2.0 * hits / ((at + 1) as f32 + all);
        if f1 > best.f1 {
            let next = sorted.get(at + 1).map_or(score - 1.0, |(score, _)| *score);
            best = Threshold { threshold: f32::midpoint(*score, next), precision, recall, f1 };
        }
    }
    best
}
