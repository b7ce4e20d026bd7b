//! All phrases as one index over words, and the search for them in a text.
//!
//! Each phrase waits under its rarest word. Where that word stands, the rest of the phrase is looked for to
//! its left and right; the steps of a whole search are bounded, so no text makes it slow.

use std::collections::HashMap;

use super::fold::{Folded, Folding};
use super::lexicon::{Lexicon, MOST_IDS, SHORTEST_STEM, WordId, hash_word};
use super::search::Search;
use super::syntax::{self, Item, Line, Sets};
use super::tokens::{QUOTED, Token};
use crate::domain::words::Claim;

/// What a phrase says about a claim where it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Says {
    /// It makes the claim.
    Makes,
    /// It often goes with the claim; other words decide.
    Hints,
    /// It only looks like the claim.
    Not,
}

impl Says {
    pub(super) const ALL: [Self; 3] = [Self::Makes, Self::Hints, Self::Not];
}

/// A phrase found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) claim: Claim,
    pub(super) says: Says,
    /// An operator's own phrase, which is always right.
    pub(super) own: bool,
    /// Which written phrase it is: what was learnt of it goes by this.
    pub(super) written: u64,
    /// The first word and one past the last.
    pub(super) from: usize,
    pub(super) to: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Step {
    Word(WordId),
    Class(u16),
    Any,
    Gap(u8),
    Start,
    End,
    Pause,
}

#[derive(Clone, Copy)]
pub(super) struct Element {
    pub(super) step: Step,
    pub(super) optional: bool,
}

pub(super) struct Phrase {
    pub(super) claim: Claim,
    pub(super) says: Says,
    pub(super) own: bool,
    pub(super) written: u64,
    pub(super) elements: Vec<Element>,
}

/// Steps of searching allowed: so many for each word of the text, and so many besides.
const STEPS_A_WORD: usize = 400;
const STEPS_BESIDES: usize = 50_000;

/// Words no gap may stand over.
const NEGATIONS: &str = "not t never no nor without kein keine keinen keiner nicht nie niemals weder ne pas jamais sans aucun aucune \
    nunca jamas ni ningun ninguna tampoco sin";

#[derive(Default)]
pub(super) struct Phrases {
    phrases: Vec<Phrase>,
    /// Under each word: phrases whose rarest word it is, and which element that is.
    waiting: Vec<Vec<(u32, u8)>>,
    /// For each class, one bit a word.
    classes: Vec<Vec<u64>>,
    negations: Vec<bool>,
}

/// One line of a phrase and what it says.
struct Bound {
    claim: Claim,
    says: Says,
    own: bool,
    written: u64,
    line: Line,
}

/// Collects phrases before they are indexed.
pub(super) struct Binding<'a> {
    folding: &'a Folding,
    lines: Vec<Bound>,
}

impl<'a> Binding<'a> {
    pub(super) const fn new(folding: &'a Folding) -> Self {
        Self { folding, lines: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        claim: Claim,
        says: Says,
        own: bool,
        written: &str,
        sets: &Sets,
    ) -> Result<(), String> {
        for line in syntax::parse(written, sets)? {
            for want in &line {
                if let Item::Words(words) = &want.item {
                    words.iter().try_for_each(|word| self.check(word))?;
                }
            }
            self.lines.push(Bound { claim, says, own, written: hash_word(written.as_bytes()), line });
        }
        Ok(())
    }

    fn check(&self, word: &str) -> Result<(), String> {
        let letters = fold_word(word.trim_end_matches('*'), self.folding);
        if letters.is_empty() && !word.starts_with('_') {
            return Err(format!("has `{word}`, which has no letters"));
        }
        if word.ends_with('*') && letters.len() < SHORTEST_STEM {
            return Err(format!("has the stem `{word}`, which is shorter than {SHORTEST_STEM} letters"));
        }
        Ok(())
    }

    /// Puts every word into the lexicon and every phrase under its rarest word.
    pub(super) fn bind(self, lexicon: &mut Lexicon) -> Phrases {
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for bound in &self.lines {
            for word in bound.line.iter().filter_map(|want| words_of(&want.item)).flatten() {
                *uses.entry(word).or_default() += 1;
            }
        }
        let mut numbers: HashMap<&str, Vec<WordId>> = HashMap::new();
        for word in uses.keys().copied().collect::<std::collections::BTreeSet<_>>() {
            numbers.insert(word, number(word, self.folding, lexicon));
        }
        let mut bound = Phrases { waiting: vec![Vec::new(); lexicon.len()], ..Phrases::default() };
        let mut classes: HashMap<Vec<WordId>, u16> = HashMap::new();
        for line in &self.lines {
            bound.add(line, &numbers, &uses, &mut classes);
        }
        bound.classes.resize(classes.len(), Vec::new());
        for (ids, class) in classes {
            if let Some(bits) = bound.classes.get_mut(usize::from(class)) {
                bits.resize(lexicon.len() / 64 + 1, 0);
                for id in ids {
                    if let Some(word) = bits.get_mut(usize::from(id / 64)) {
                        *word |= 1 << (id % 64);
                    }
                }
            }
        }
        bound.negations = vec![false; lexicon.len()];
        for word in NEGATIONS.split_ascii_whitespace() {
            for id in lexicon.ids(word.as_bytes()) {
                if let Some(negates) = bound.negations.get_mut(usize::from(id)).filter(|_| id != 0) {
                    *negates = true;
                }
            }
        }
        bound
    }
}

const fn words_of(item: &Item) -> Option<&Vec<String>> {
    match item {
        Item::Words(words) => Some(words),
        _ => None,
    }
}

/// A word's letters as texts are read; German umlauts and the like both as one letter and as two.
pub(super) fn fold_word(word: &str, folding: &Folding) -> Vec<u8> {
    if word.starts_with('_') {
        return word.as_bytes().to_vec();
    }
    let mut letters = Vec::with_capacity(word.len());
    for character in word.chars() {
        if let Folded::Letters(packed) = folding.of(character) {
            letters.extend(packed.to_le_bytes().into_iter().take_while(|byte| *byte != 0));
        }
    }
    letters
}

fn number(word: &str, folding: &Folding, lexicon: &mut Lexicon) -> Vec<WordId> {
    let stem = word.ends_with('*');
    let bare = word.trim_end_matches('*');
    let mut ids = Vec::new();
    let mut spellings = vec![fold_word(bare, folding)];
    let lower = bare.to_lowercase();
    if lower.contains(['ä', 'ö', 'ü']) {
        spellings.push(fold_word(&lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue"), folding));
    }
    for letters in spellings {
        ids.push(if stem { lexicon.add_stem(&letters) } else { lexicon.add(&letters) });
    }
    ids
}

impl Phrases {
    fn add(
        &mut self,
        bound: &Bound,
        numbers: &HashMap<&str, Vec<WordId>>,
        uses: &HashMap<&str, usize>,
        classes: &mut HashMap<Vec<WordId>, u16>,
    ) {
        let mut rarest: Option<(usize, u8, Vec<WordId>)> = None;
        let mut elements = Vec::with_capacity(bound.line.len());
        for (at, want) in bound.line.iter().enumerate() {
            let step = match &want.item {
                Item::Any => Step::Any,
                Item::Gap(width) => Step::Gap(*width),
                Item::Start => Step::Start,
                Item::End => Step::End,
                Item::Pause => Step::Pause,
                Item::Words(words) => {
                    let mut ids: Vec<WordId> = words
                        .iter()
                        .filter_map(|word| numbers.get(word.as_str()))
                        .flatten()
                        .copied()
                        .collect();
                    ids.sort_unstable();
                    ids.dedup();
                    let common: usize = words.iter().filter_map(|word| uses.get(word.as_str())).sum();
                    if !want.optional && rarest.as_ref().is_none_or(|(least, ..)| common < *least) {
                        rarest = Some((common, at as u8, ids.clone()));
                    }
                    match ids.as_slice() {
                        [only] => Step::Word(*only),
                        _ => {
                            let next = classes.len() as u16;
                            Step::Class(*classes.entry(ids).or_insert(next))
                        }
                    }
                }
            };
            elements.push(Element { step, optional: want.optional });
        }
        let Some((_, at, ids)) = rarest else { return };
        let phrase = self.phrases.len() as u32;
        let Bound { claim, says, own, written, .. } = *bound;
        self.phrases.push(Phrase { claim, says, own, written, elements });
        for id in ids {
            if let Some(waiting) = self.waiting.get_mut(usize::from(id)) {
                waiting.push((phrase, at));
            }
        }
    }

    /// Finds the phrases of a text. The flag says that the search was cut short.
    pub(super) fn find(&self, tokens: &[Token], hits: &mut Vec<Hit>) -> bool {
        let mut search = Search { phrases: self, tokens, left: tokens.len() * STEPS_A_WORD + STEPS_BESIDES };
        for (at, token) in tokens.iter().enumerate() {
            if token.has(QUOTED) {
                continue;
            }
            for id in token.ids.iter().take_while(|id| **id != 0) {
                for (phrase, element) in self.waiting.get(usize::from(*id)).into_iter().flatten() {
                    if let Some(phrase) = self.phrases.get(*phrase as usize)
                        && let Some(hit) = search.around(phrase, usize::from(*element), at)
                    {
                        hits.push(hit);
                    }
                    if search.left == 0 {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// How many phrases there are, alternatives told apart.
    pub(super) fn len(&self) -> usize {
        self.phrases.len()
    }

    pub(super) fn negates(&self, token: &Token) -> bool {
        token.ids.iter().any(|id| *id != 0 && self.negations.get(usize::from(*id)).copied().unwrap_or(false))
    }

    pub(super) fn fits(&self, step: Step, token: &Token) -> bool {
        match step {
            Step::Word(id) => token.ids.contains(&id),
            Step::Class(class) => {
                let bits = self.classes.get(usize::from(class)).map(Vec::as_slice).unwrap_or_default();
                token
                    .ids
                    .iter()
                    .take(MOST_IDS)
                    .take_while(|id| **id != 0)
                    .any(|id| bits.get(usize::from(*id / 64)).is_some_and(|word| word & 1 << (id % 64) != 0))
            }
            Step::Any => true,
            Step::Gap(_) | Step::Start | Step::End | Step::Pause => false,
        }
    }
}
