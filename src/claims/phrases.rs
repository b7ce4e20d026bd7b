//! All phrases as one index over words, and the search for them in a text.
//!
//! Each phrase waits under its rarest word. Where that word stands, the rest of the phrase is looked for to
//! its left and right; the steps of a whole search are bounded, so no text makes it slow.

use std::collections::HashMap;

use super::fold::{Folded, Folding};
use super::lexicon::{Lexicon, MOST_IDS, SHORTEST_STEM, WordId, hash_word};
use super::search::Search;
use super::syntax::{self, Item, Line, Sets};
use super::tokens::{QUOTED, Token, Tokens};
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

/// Waiting phrases told to wait on in the time of one step.
const LOOKS_A_STEP: usize = 8;

/// Words no gap may stand over.
const NEGATIONS: &str = "not t never no nor without kein keine keinen keiner nicht nie niemals weder ne pas jamais sans aucun aucune \
    nunca jamas ni ningun ninguna tampoco sin";

#[derive(Default)]
pub(super) struct Phrases {
    phrases: Vec<Phrase>,
    /// Under each word: phrases whose rarest word it is.
    waiting: Vec<Vec<Waiting>>,
    /// Under each word: what it is companion as.
    companies: Vec<Vec<u16>>,
    company: u16,
    /// For each class, one bit a word.
    classes: Vec<Vec<u64>>,
    negations: Vec<bool>,
}

/// A phrase that waits for a word.
#[derive(Clone, Copy)]
struct Waiting {
    phrase: u32,
    /// Which of a sentence's companions it needs: its second rarest word. Most phrases that wait for a word
    /// that is there need one that is not, and so are told by one bit.
    companion: u16,
    /// Which of its elements waits.
    element: u8,
}

/// The companions there are in a sentence, a bit each; the first is always there.
struct Company {
    bits: Vec<u64>,
}

impl Company {
    fn meet(&mut self, sentence: &[Token], companies: &[Vec<u16>]) {
        self.bits.fill(0);
        self.add(0);
        for token in sentence.iter().filter(|token| !token.has(QUOTED)) {
            for id in token.ids.iter().take_while(|id| **id != 0) {
                for companion in companies.get(usize::from(*id)).into_iter().flatten() {
                    self.add(*companion);
                }
            }
        }
    }

    fn add(&mut self, companion: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(companion / 64)) {
            *word |= 1 << (companion % 64);
        }
    }

    fn has(&self, companion: u16) -> bool {
        self.bits.get(usize::from(companion / 64)).is_some_and(|word| word & 1 << (companion % 64) != 0)
    }
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
        let mut bound = Phrases {
            waiting: vec![Vec::new(); lexicon.len()],
            companies: vec![Vec::new(); lexicon.len()],
            ..Phrases::default()
        };
        let mut classes: HashMap<Vec<WordId>, u16> = HashMap::new();
        let mut companions: HashMap<Vec<WordId>, u16> = HashMap::new();
        for line in &self.lines {
            bound.add(line, &numbers, &uses, &mut classes, &mut companions);
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

/// A word's letters, those of umlauts also as two.
pub(super) fn spellings(bare: &str, folding: &Folding) -> Vec<Vec<u8>> {
    let mut spellings = vec![fold_word(bare, folding)];
    let lower = bare.to_lowercase();
    if lower.contains(['ä', 'ö', 'ü']) {
        spellings.push(fold_word(&lower.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue"), folding));
    }
    spellings
}

fn number(word: &str, folding: &Folding, lexicon: &mut Lexicon) -> Vec<WordId> {
    let stem = word.ends_with('*');
    let bare = word.trim_end_matches('*');
    let mut ids = Vec::new();
    for letters in spellings(bare, folding) {
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
        companions: &mut HashMap<Vec<WordId>, u16>,
    ) {
        let mut wanted: Vec<(usize, u8, Vec<WordId>)> = Vec::new();
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
                    if !want.optional {
                        wanted.push((common, at as u8, ids.clone()));
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
        wanted.sort_by_key(|(common, at, _)| (*common, *at));
        let mut wanted = wanted.into_iter();
        let Some((_, element, ids)) = wanted.next() else { return };
        let companion = wanted.next().map_or(0, |(.., ids)| self.companion(ids, companions));
        let phrase = self.phrases.len() as u32;
        let Bound { claim, says, own, written, .. } = *bound;
        self.phrases.push(Phrase { claim, says, own, written, elements });
        for id in ids {
            if let Some(waiting) = self.waiting.get_mut(usize::from(id)) {
                waiting.push(Waiting { phrase, companion, element });
            }
        }
    }

    /// The number of a companion that is one of these words.
    fn companion(&mut self, ids: Vec<WordId>, companions: &mut HashMap<Vec<WordId>, u16>) -> u16 {
        if let Some(known) = companions.get(&ids) {
            return *known;
        }
        // Should they run out, the one that is always there does for the rest.
        let Some(next) = self.company.checked_add(1) else { return 0 };
        self.company = next;
        for id in &ids {
            if let Some(companies) = self.companies.get_mut(usize::from(*id)) {
                companies.push(next);
            }
        }
        companions.insert(ids, next);
        next
    }

    /// Finds the phrases of a text. The flag says that the search was cut short.
    pub(super) fn find(&self, tokens: &Tokens, hits: &mut Vec<Hit>) -> bool {
        let list = tokens.list.as_slice();
        let mut search =
            Search { phrases: self, tokens: list, left: list.len() * STEPS_A_WORD + STEPS_BESIDES };
        let mut company = Company { bits: vec![0; usize::from(self.company) / 64 + 1] };
        for sentence in tokens.sentences() {
            company.meet(list.get(sentence.clone()).unwrap_or_default(), &self.companies);
            for at in sentence {
                let Some(token) = list.get(at).filter(|token| !token.has(QUOTED)) else { continue };
                for id in token.ids.iter().take_while(|id| **id != 0) {
                    let waiting = self.waiting.get(usize::from(*id)).map(Vec::as_slice).unwrap_or_default();
                    search.left = search.left.saturating_sub(waiting.len() / LOOKS_A_STEP);
                    for waiting in waiting.iter().filter(|waiting| company.has(waiting.companion)) {
                        if let Some(phrase) = self.phrases.get(waiting.phrase as usize)
                            && let Some(hit) = search.around(phrase, usize::from(waiting.element), at)
                        {
                            hits.push(hit);
                        }
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
