//! The reader: built once, asked for every message.

use std::fmt;

use super::features::{self, Feature};
use super::fold::Folding;
use super::lexicon::Lexicon;
use super::model::{Model, Scores};
use super::phrases::{Binding, Hit, Phrases, Says};
use super::syntax::{LONGEST_PHRASE, Sets};
use super::tokens::{self, Token, Tokens};
use super::transfer::Decoded;
use super::{languages, markup, quotes};
use crate::domain::question::Content;
use crate::domain::words::{Claim, ClaimSet};

/// A message as its sender gives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a> {
    pub subject: &'a str,
    pub body: &'a str,
    /// `text/html`, `text/plain`, `application/ssml+xml`; markup is read as such also where none is named.
    pub media_type: Option<&'a str>,
    /// Taken as said by the sender; what is written is read in every language all the same.
    pub language: Option<&'a str>,
    /// Taken as said by the sender; the same words claim the same on every channel.
    pub channel: Option<&'a str>,
}

impl<'a> Message<'a> {
    /// What a question is about, as the message it is.
    #[must_use]
    pub fn of(content: &'a Content, channel: Option<&'a str>) -> Self {
        Self {
            subject: &content.subject,
            body: &content.body,
            media_type: content.media_type.as_deref(),
            language: content.language.as_deref(),
            channel,
        }
    }
}

/// Which part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Subject,
    Body,
}

/// Where a claim was read: bytes of the part as it was given, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub claim: Claim,
    pub part: Part,
    pub start: usize,
    pub end: usize,
}

/// What a message asserts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub claims: ClaimSet,
    /// In the order of the text, subject first; at most sixteen for one claim and part.
    pub spans: Vec<Span>,
    /// Not all of it was read: it is longer than a message may be.
    pub truncated: bool,
}

/// Most words reported for a claim that no phrase was found for.
const ENOUGH: usize = 12;

/// Most places reported for one claim in one part.
pub const MOST_SPANS: usize = 16;

const TOO_LONG: &str = "is longer than 500 characters";

/// An operator's own phrases, by claim.
#[derive(Clone, Debug, Default)]
pub struct OwnPhrases {
    pub lists: Vec<(Claim, PhraseList, Vec<String>)>,
}

/// What the phrases of a list do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseList {
    /// Make the claim wherever they stand.
    Phrases,
    /// Keep the sentence they stand in from making it.
    Not,
}

impl PhraseList {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phrases => "phrases",
            Self::Not => "not",
        }
    }
}

/// A phrase that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhraseMistake {
    pub claim: Claim,
    pub list: PhraseList,
    pub index: usize,
    pub what: String,
}

impl fmt::Display for PhraseMistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { claim, list, index, what } = self;
        write!(out, "claims.{}.{}[{index}]: the phrase {what}", claim.name(), list.name())
    }
}

impl std::error::Error for PhraseMistake {}

/// Reads messages.
pub struct Reader {
    folding: &'static Folding,
    lexicon: Lexicon,
    phrases: Phrases,
    model: Model,
}

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reader").field("phrases", &self.phrases.len()).finish_non_exhaustive()
    }
}

/// One part, taken apart.
struct Taken {
    tokens: Tokens,
    hits: Vec<Hit>,
    truncated: bool,
}

impl Reader {
    /// A reader of the built-in languages and an operator's own phrases.
    ///
    /// # Errors
    /// Every phrase that cannot be read, with its place.
    pub fn new(own: &OwnPhrases) -> Result<Self, Vec<PhraseMistake>> {
        Self::build(own, Model::built_in())
    }

    /// A reader of these weights, which [`super::model::file`] writes: for training.
    #[doc(hidden)]
    #[must_use]
    pub fn of_weights(weights: &'static [u8]) -> Option<Self> {
        Self::build(&OwnPhrases::default(), Model::from_bytes(weights)?).ok()
    }

    fn build(own: &OwnPhrases, model: Model) -> Result<Self, Vec<PhraseMistake>> {
        let folding = Folding::shared();
        let mut lexicon = Lexicon::default();
        model.ordinary_words().for_each(|word| lexicon.add_ordinary(word));
        let mut binding = Binding::new(folding);
        let broken = languages::add_all(&mut binding, &mut lexicon, folding);
        debug_assert!(broken.is_empty(), "{broken:#?}");
        let mut mistakes = Vec::new();
        for (claim, list, written) in &own.lists {
            let says = if *list == PhraseList::Not { Says::Not } else { Says::Makes };
            for (index, phrase) in written.iter().enumerate() {
                let short = phrase.chars().count() <= LONGEST_PHRASE;
                let added = if short {
                    binding.add(*claim, says, true, phrase, &Sets::new())
                } else {
                    Err(TOO_LONG.to_owned())
                };
                if let Err(what) = added {
                    mistakes.push(PhraseMistake { claim: *claim, list: *list, index, what });
                }
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let phrases = binding.bind(&mut lexicon);
        Ok(Self { folding, lexicon, phrases, model })
    }

    /// Reads a message.
    #[must_use]
    pub fn read(&self, message: &Message<'_>) -> Reading {
        let mut reading = Reading::default();
        for (part, text) in [(Part::Subject, message.subject), (Part::Body, message.body)] {
            let media_type = message.media_type.filter(|_| part == Part::Body);
            let taken = self.take(text, media_type);
            reading.truncated |= taken.truncated;
            self.judge(part, &taken, &mut reading);
        }
        reading.claims = reading.spans.iter().map(|span| span.claim).collect();
        reading
    }

    fn take(&self, text: &str, media_type: Option<&str>) -> Taken {
        let decoded = Decoded::new(text);
        let visible = markup::visible(&decoded, media_type);
        let own_words = quotes::without_replies(visible.characters);
        let tokens = tokens::tokenize(&own_words, self.folding, &self.lexicon);
        let mut hits = Vec::new();
        let cut = self.phrases.find(&tokens, &mut hits);
        hits.sort_by_key(|hit| (hit.from, hit.to));
        drop_overruled(&mut hits);
        let truncated = visible.truncated || tokens.truncated || cut;
        Taken { tokens, hits, truncated }
    }

    fn judge(&self, part: Part, taken: &Taken, reading: &mut Reading) {
        let mut features = Vec::new();
        let mut counts = [0_usize; Claim::ALL.len()];
        let mut hits = taken.hits.as_slice();
        for (nth, sentence) in taken.tokens.sentences().enumerate() {
            let split = hits.partition_point(|hit| hit.from < sentence.end);
            let (mine, later) = hits.split_at_checked(split).unwrap_or((hits, &[]));
            hits = later;
            features::of_sentence(&taken.tokens, sentence.clone(), mine, nth == 0, &mut features);
            let scores = self.model.scores(&features);
            for ((claim, count), score) in Claim::ALL.into_iter().zip(&mut counts).zip(scores) {
                let own = |says| mine.iter().find(|hit| hit.own && hit.claim == claim && hit.says == says);
                let made = own(Says::Makes).is_some() || (score > 0.0 && own(Says::Not).is_none());
                if !made || *count >= MOST_SPANS {
                    continue;
                }
                *count += 1;
                let words = self.evidence(claim, sentence.clone(), mine, &features);
                if let Some(span) = span_of(claim, part, taken.tokens.list.get(words).unwrap_or_default()) {
                    reading.spans.push(span);
                }
            }
        }
    }

    /// The words a claim was read from: those of its phrases, else those that weigh most.
    fn evidence(
        &self,
        claim: Claim,
        sentence: std::ops::Range<usize>,
        hits: &[Hit],
        features: &[Feature],
    ) -> std::ops::Range<usize> {
        let makes = || hits.iter().filter(|hit| hit.claim == claim && hit.says == Says::Makes);
        if let Some(from) = makes().map(|hit| hit.from).min() {
            return from..makes().map(|hit| hit.to).max().unwrap_or(sentence.end);
        }
        if sentence.len() <= ENOUGH {
            return sentence;
        }
        let mut weights = vec![0.0_f32; sentence.len()];
        for feature in features {
            let weight =
                self.model.weight(feature, claim as usize) / (feature.to - feature.from).max(1) as f32;
            for at in feature.from as usize..feature.to as usize {
                if let Some(sum) = at.checked_sub(sentence.start).and_then(|at| weights.get_mut(at)) {
                    *sum += weight;
                }
            }
        }
        let heaviest = weights
            .windows(ENOUGH)
            .map(|window| window.iter().sum::<f32>())
            .enumerate()
            .max_by(|(_, one), (_, other)| one.total_cmp(other))
            .map_or(0, |(at, _)| at);
        sentence.start + heaviest..sentence.start + heaviest + ENOUGH
    }

    /// What training sees of a text: the features of each sentence.
    #[doc(hidden)]
    #[must_use]
    pub fn features(&self, text: &str) -> Vec<Vec<u32>> {
        let taken = self.take(text, None);
        let mut hits = taken.hits.as_slice();
        let mut features = Vec::new();
        let mut out = Vec::new();
        for (nth, sentence) in taken.tokens.sentences().enumerate() {
            let split = hits.partition_point(|hit| hit.from < sentence.end);
            let (mine, later) = hits.split_at_checked(split).unwrap_or((hits, &[]));
            hits = later;
            features::of_sentence(&taken.tokens, sentence, mine, nth == 0, &mut features);
            out.push(features.iter().map(|feature| feature.key).collect());
        }
        out
    }

    /// The phrases found in a text, for those who write them: claim, number, the words.
    #[doc(hidden)]
    #[must_use]
    pub fn phrases_in(&self, text: &str) -> Vec<(Claim, u64, String)> {
        let taken = self.take(text, None);
        let words = |hit: &Hit| {
            let list = taken.tokens.list.get(hit.from..hit.to).unwrap_or_default();
            let words: Vec<_> =
                list.iter().map(|token| String::from_utf8_lossy(taken.tokens.letters_of(token))).collect();
            words.join(" ")
        };
        taken.hits.iter().map(|hit| (hit.claim, hit.written, words(hit))).collect()
    }

    /// The words of a text as they are read, and each one's hash.
    #[doc(hidden)]
    #[must_use]
    pub fn words_in(&self, text: &str) -> Vec<(String, u64)> {
        let taken = self.take(text, None);
        let words = taken.tokens.list.iter();
        words
            .map(|token| (String::from_utf8_lossy(taken.tokens.letters_of(token)).into_owned(), token.hash))
            .collect()
    }

    /// The scores of each sentence.
    #[doc(hidden)]
    #[must_use]
    pub fn scores(&self, text: &str) -> Vec<Scores> {
        let sentences = self.features(text);
        let feature = |key: &u32| Feature { key: *key, from: 0, to: 0 };
        sentences
            .iter()
            .map(|list| self.model.scores(&list.iter().map(feature).collect::<Vec<_>>()))
            .collect()
    }
}

/// A phrase that makes a claim gives way to one that says it is not made there, if that is as long.
fn drop_overruled(hits: &mut Vec<Hit>) {
    if hits.iter().all(|hit| hit.says != Says::Not) {
        return;
    }
    let overrules: Vec<Hit> = hits.iter().filter(|hit| hit.says == Says::Not).take(256).copied().collect();
    hits.retain(|hit| {
        hit.own
            || hit.says == Says::Not
            || !overrules.iter().any(|not| {
                not.claim == hit.claim
                    && not.from < hit.to
                    && hit.from < not.to
                    && not.to - not.from + 1 >= hit.to - hit.from
            })
    });
}

fn span_of(claim: Claim, part: Part, words: &[Token]) -> Option<Span> {
    let start = words.iter().map(|token| token.start).min()? as usize;
    let end = words.iter().map(|token| token.end).max()? as usize;
    (start < end).then_some(Span { claim, part, start, end })
}
