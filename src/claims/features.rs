//! What the model is told of a sentence: its words, what they mean, pairs and threes of them, the phrases
//! found in it.
//!
//! Each feature is a number out of four thousand million. Stems (a word's first letters) let what was learnt of one form serve
//! others, also in languages that inflect.

use super::phrases::{Hit, Says};
use super::tokens::{ASKED, CAPITALS, EXCLAIMED, QUOTED, Token, Tokens};

/// Most phrases of a sentence that are told of one by one.
const MOST_PHRASES: usize = 48;

const START: u64 = 0x51_7cc1_b727_220a;

/// A feature and the words it was read from: their first and one past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) key: u32,
    pub(super) from: u32,
    pub(super) to: u32,
}

fn mix(kind: u64, first: u64, second: u64) -> u64 {
    let mixed = (first ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_add(second).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 29)
}

const fn key(hash: u64) -> u32 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// The features of the sentence `range`; `hits` are those that begin in it.
pub(super) fn of_sentence(
    tokens: &Tokens,
    range: std::ops::Range<usize>,
    hits: &[Hit],
    first_sentence: bool,
    out: &mut Vec<Feature>,
) {
    out.clear();
    let mut add = |hash: u64, from: usize, to: usize| {
        out.push(Feature { key: key(hash), from: from as u32, to: to as u32 });
    };
    let sentence = tokens.list.get(range.clone()).unwrap_or_default();
    let mut before = START;
    let (mut last_broad, mut earlier_broad) = (0, 0);
    let mut last_meant = 0;
    let (mut quoted, mut shouted, mut words) = (false, 0, 0_usize);
    for (nth, token) in sentence.iter().enumerate() {
        let at = range.start + nth;
        if token.has(QUOTED) {
            quoted = true;
            continue;
        }
        words += 1;
        shouted += usize::from(token.has(CAPITALS));
        let (word, stem) = (token.hash, token.stem);
        add(mix(1, word, 0), at, at + 1);
        if stem != word {
            add(mix(2, stem, 0), at, at + 1);
        }
        // What it means where that is known, so that languages share what is learnt of pairs and threes.
        let broad = if token.concept == 0 { stem } else { u64::from(token.concept) };
        add(mix(4, last_broad, broad), at.saturating_sub(1).max(range.start), at + 1);
        if earlier_broad != 0 {
            add(
                mix(6, mix(0, earlier_broad, last_broad), broad),
                at.saturating_sub(2).max(range.start),
                at + 1,
            );
        }
        if token.concept != 0 {
            let meant = u64::from(token.concept);
            add(mix(12, meant, 0), at, at + 1);
            add(mix(13, last_meant, meant), at, at + 1);
            last_meant = meant;
        }
        (earlier_broad, last_broad) = (last_broad, broad);
        before = word;
    }
    let whole = (range.start, range.start);
    add(mix(8, before, 1), range.end.saturating_sub(1), range.end);
    let last = sentence.last();
    if last.is_some_and(|token: &Token| token.has(ASKED)) {
        add(mix(9, 1, 0), whole.0, whole.1);
    }
    if last.is_some_and(|token: &Token| token.has(EXCLAIMED)) {
        add(mix(9, 2, 0), whole.0, whole.1);
    }
    if quoted {
        add(mix(9, 3, 0), whole.0, whole.1);
    }
    if shouted * 2 > words && words > 2 {
        add(mix(9, 4, 0), whole.0, whole.1);
    }
    if first_sentence {
        add(mix(9, 5, 0), whole.0, whole.1);
    }
    for hit in found(hits) {
        add(mix(10, hit.claim as u64, hit.says as u64), whole.0, whole.1);
    }
    let mut written = [0_u64; MOST_PHRASES];
    for hit in hits.iter().filter(|hit| !hit.own) {
        // Each phrase once; so few are found in one sentence that looking through them is quickest.
        let Some(slot) = written.iter_mut().find(|slot| **slot == 0 || **slot == hit.written) else { break };
        if *slot == 0 {
            *slot = hit.written;
            add(mix(11, hit.written, hit.says as u64), whole.0, whole.1);
        }
    }
}

/// Each kind of hit once, however often it is found.
fn found(hits: &[Hit]) -> impl Iterator<Item = &Hit> {
    let mut seen = [false; 32];
    hits.iter().filter(|hit| !hit.own).filter(move |hit| {
        let number = hit.claim as usize * Says::ALL.len() + hit.says as usize;
        seen.get_mut(number).is_some_and(|slot| !std::mem::replace(slot, true))
    })
}
