//! Words as the reader takes them, each with the bytes of the original it came from.

use super::fold::{Folded, Folding};
use super::lexicon::{self, Lexicon, MOST_IDS, WordId};
use super::markup::{BLOCK, Seen};
use super::{disguise, placeholders, quotes};

/// The first word of a sentence.
pub(super) const SENTENCE: u16 = 1;
/// Follows a comma, a dash, the end of a line.
pub(super) const PAUSE: u16 = 1 << 1;
/// Somebody else's words, or a title.
pub(super) const QUOTED: u16 = 1 << 2;
/// Written in capitals.
pub(super) const CAPITALS: u16 = 1 << 3;
/// Stands for something: a placeholder, a number, an address on the web.
pub(super) const STAND_IN: u16 = 1 << 4;
/// Another word of one written as one: `'re` of `we're`.
pub(super) const SAME_SOURCE: u16 = 1 << 5;
/// A question mark ends the sentence after this word.
pub(super) const ASKED: u16 = 1 << 6;
/// An exclamation mark does.
pub(super) const EXCLAIMED: u16 = 1 << 7;
/// It is a word, in a phrase or not.
pub(super) const KNOWN: u16 = 1 << 8;

/// Most words read. No letter has so many; texts made of one-letter words would, and take too long.
const MOST_WORDS: usize = 12 * 1024;

/// Longest word kept; what is longer is cut, and is no word.
const LONGEST_WORD: usize = 48;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) hash: u64,
    pub(super) stem: u64,
    pub(super) ids: [WordId; MOST_IDS],
    /// What it means, in whatever language; zero is none known.
    pub(super) concept: u16,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Its letters in [`Tokens::letters`].
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) flags: u16,
}

impl Token {
    pub(super) const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

#[derive(Default)]
pub(super) struct Tokens {
    pub(super) list: Vec<Token>,
    pub(super) letters: Vec<u8>,
    /// There were more words than are read.
    pub(super) truncated: bool,
}

impl Tokens {
    pub(super) fn letters_of(&self, token: &Token) -> &[u8] {
        self.letters.get(token.from as usize..token.to as usize).unwrap_or_default()
    }

    pub(super) fn add(&mut self, letters: &[u8], word: &lexicon::Word<'_>, start: u32, end: u32, flags: u16) {
        let from = self.letters.len() as u32;
        self.letters.extend_from_slice(letters.get(..LONGEST_WORD).unwrap_or(letters));
        let to = self.letters.len() as u32;
        let lexicon::Word { hash, stem, ids, concept, known, .. } = *word;
        let flags = if known { flags | KNOWN } else { flags };
        self.list.push(Token { hash, stem, ids, concept, start, end, from, to, flags });
    }

    /// The sentences, as ranges of `list`.
    pub(super) fn sentences(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let starts =
            self.list.iter().enumerate().skip(1).filter(|(_, token)| token.has(SENTENCE)).map(|(at, _)| at);
        let mut from = 0;
        starts.chain([self.list.len()]).filter_map(move |to| {
            let range = from..to;
            from = to;
            (!range.is_empty()).then_some(range)
        })
    }
}

/// Turns visible characters into words.
pub(super) struct Tokenizer<'a> {
    pub(super) folding: &'a Folding,
    pub(super) lexicon: &'a Lexicon,
    seen: &'a [Seen],
    tokens: Tokens,
    marks: Vec<quotes::Mark>,
    flags: u16,
    lines: u8,
    /// Looked at already: what stands before is no address.
    no_address_before: usize,
    /// Kept between words, so that none costs an allocation.
    letters: Vec<u8>,
}

/// The letters of one written word, before it is known to be one.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "five things that are true of a word or not")]
struct Word {
    letters: Vec<u8>,
    has_letter: bool,
    has_digit: bool,
    capitals: bool,
    symbols: bool,
    /// Three of a letter in a row.
    drawn_out: bool,
    last: u8,
    /// How often the last letter stands in a row.
    run: u8,
}

pub(super) fn tokenize(seen: &[Seen], folding: &Folding, lexicon: &Lexicon) -> Tokens {
    let mut tokenizer = Tokenizer {
        folding,
        lexicon,
        seen,
        tokens: Tokens::default(),
        marks: Vec::new(),
        flags: SENTENCE,
        lines: 0,
        no_address_before: 0,
        letters: Vec::new(),
    };
    tokenizer.tokens.list.reserve((seen.len() / 5).min(MOST_WORDS));
    tokenizer.tokens.letters.reserve(seen.len());
    tokenizer.run();
    let Tokenizer { mut tokens, marks, .. } = tokenizer;
    quotes::mark(&mut tokens.list, &marks);
    disguise::rejoin(&mut tokens, lexicon);
    tokens
}

impl Tokenizer<'_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(seen) = self.seen.get(at) {
            if self.tokens.list.len() >= MOST_WORDS {
                self.tokens.truncated = true;
                return;
            }
            at = match self.folding.of(seen.character) {
                Folded::Unseen => at + 1,
                Folded::Space => self.space(seen.character, at),
                Folded::Letters(_) | Folded::Foreign => self.chunk(at),
                Folded::Apostrophe => self.apostrophe(at),
                Folded::Mark => self.mark(seen.character, at),
            };
        }
    }

    fn character(&self, at: usize) -> char {
        self.seen.get(at).map_or(' ', |seen| seen.character)
    }

    fn space(&mut self, character: char, at: usize) -> usize {
        match character {
            BLOCK => self.flags |= SENTENCE,
            '\n' => {
                self.lines = self.lines.saturating_add(1);
                self.flags |= if self.lines > 1 { SENTENCE } else { PAUSE };
            }
            _ => {}
        }
        at + 1
    }

    fn apostrophe(&mut self, at: usize) -> usize {
        // Only one that stands before or after a word; inside a word it never comes here.
        self.marks.push(quotes::Mark {
            before: self.tokens.list.len(),
            character: '\'',
            after_space: self.after_space(at),
        });
        at + 1
    }

    fn after_space(&self, at: usize) -> bool {
        at.checked_sub(1).is_none_or(|before| {
            matches!(self.folding.of(self.character(before)), Folded::Space) || self.character(before) == '('
        })
    }

    fn mark(&mut self, character: char, at: usize) -> usize {
        if let Some((end, word)) = placeholders::read(self.seen, at) {
            if let Some(word) = word {
                self.stand_in(word, at, end);
            } else {
                self.flags |= PAUSE;
            }
            return end;
        }
        match character {
            '.' | '…' | '。' | '|' | '•' | '*' | '·' => {
                let next = self.folding.of(self.character(at + 1));
                if !matches!(next, Folded::Letters(_)) || character == '…' {
                    self.flags |= SENTENCE;
                }
            }
            '!' | '?' | '¿' | '¡' | '！' | '？' | ';' => {
                self.flags |= SENTENCE;
                let flag = match character {
                    '?' | '？' => ASKED,
                    '!' | '！' => EXCLAIMED,
                    _ => 0,
                };
                if let Some(last) = self.tokens.list.last_mut() {
                    last.flags |= flag;
                }
            }
            '"' | '“' | '”' | '„' | '«' | '»' | '‹' | '›' | '‟' | '″' => {
                self.marks.push(quotes::Mark {
                    before: self.tokens.list.len(),
                    character,
                    after_space: self.after_space(at),
                });
                self.flags |= PAUSE;
            }
            '❤' | '♥' | '💖' | '💗' | '💕' | '🧡' | '💛' | '💚' | '💙' | '💜' | '🖤' | '🤍'
                if self.tokens.list.last().is_some_and(|last| self.tokens.letters_of(last).len() < 10) =>
            {
                self.stand_in(b"_heart", at, at + 1);
            }
            '&' | '+' | '@' | '$' | '€' | '#' | '%' | '_' | '/' | '-' => {}
            _ => self.flags |= PAUSE,
        }
        at + 1
    }

    fn stand_in(&mut self, word: &[u8], from: usize, to: usize) {
        self.flags |= STAND_IN;
        self.push(word, from, to);
        self.flags = 0;
    }

    /// Reads what stands up to the next space: words, a number, an address.
    fn chunk(&mut self, at: usize) -> usize {
        self.lines = 0;
        if at >= self.no_address_before {
            let (end, is_address) = placeholders::address(self.seen, at);
            if is_address {
                self.stand_in(b"_url", at, end);
                return end;
            }
            self.no_address_before = end;
        }
        let mut letters = std::mem::take(&mut self.letters);
        letters.clear();
        let mut word = Word { letters, capitals: true, ..Word::default() };
        let mut end = at;
        while let Some(seen) = self.seen.get(end) {
            match self.folding.of(seen.character) {
                Folded::Letters(packed) => word.letters(packed, seen.character),
                Folded::Foreign => word.foreign(),
                Folded::Unseen => {}
                Folded::Mark if self.is_letter_symbol(seen.character, end) => word.symbol(seen.character),
                _ => break,
            }
            end += 1;
        }
        self.word(&word, at, end);
        self.letters = word.letters;
        let glued = matches!(self.folding.of(self.character(end)), Folded::Apostrophe)
            && matches!(self.folding.of(self.character(end + 1)), Folded::Letters(_));
        if glued { end + 1 } else { end }
    }

    /// `@`, `$` and the like count as letters only between letters.
    fn is_letter_symbol(&self, character: char, at: usize) -> bool {
        disguise::letter_for(character).is_some()
            && matches!(self.folding.of(self.character(at + 1)), Folded::Letters(_))
            && !self.character(at + 1).is_ascii_digit()
    }

    fn word(&mut self, word: &Word, at: usize, end: usize) {
        if word.capitals && word.letters.len() > 1 {
            self.flags |= CAPITALS;
        }
        if !word.has_letter {
            let number: &[u8] =
                if word.letters.len() == 1 && !word.symbols { &word.letters } else { b"_num" };
            self.stand_in(number, at, end);
            return;
        }
        if (word.has_digit || word.symbols)
            && let Some(meant) = disguise::read_digits(&word.letters, self.lexicon)
        {
            self.push(&meant, at, end);
            self.flags = 0;
            return;
        }
        if word.symbols {
            let mut from = 0;
            for piece in word.letters.split(|byte| !byte.is_ascii_alphanumeric()) {
                if !piece.is_empty() {
                    self.push(piece, at + from, end);
                    self.flags = 0;
                }
                from += usize::from(from > 0);
            }
            return;
        }
        let meant = if word.drawn_out { disguise::shorten(&word.letters, self.lexicon) } else { None };
        self.push(meant.as_deref().unwrap_or(&word.letters), at, end);
        self.flags = 0;
    }

    /// Adds the words that `letters` are, all with the same source.
    fn push(&mut self, letters: &[u8], from: usize, to: usize) {
        let start = self.seen.get(from).map_or(0, |seen| seen.start);
        let end = to.checked_sub(1).and_then(|last| self.seen.get(last)).map_or(start, |seen| seen.end);
        let lexicon = self.lexicon;
        let word = lexicon.look_up(letters);
        // Single letters may yet be put together; what is left of them is read as words then.
        match word.alias.filter(|_| letters.len() > 1) {
            Some(words) => {
                for (nth, letters) in words.iter().enumerate() {
                    let flags = if nth == 0 { self.flags } else { SAME_SOURCE };
                    self.tokens.add(letters, &lexicon.look_up(letters), start, end, flags);
                }
            }
            None => self.tokens.add(letters, &word, start, end, self.flags),
        }
    }
}

impl Word {
    fn letters(&mut self, packed: u32, character: char) {
        if self.letters.len() > LONGEST_WORD {
            return;
        }
        let [first, second, ..] = packed.to_le_bytes();
        self.run = if first == self.last { self.run.saturating_add(1) } else { 1 };
        self.last = first;
        self.drawn_out |= self.run > 2;
        self.letters.push(first);
        if second != 0 {
            let more = packed.to_le_bytes().into_iter().skip(1);
            self.letters.extend(more.take_while(|byte| *byte != 0));
        }
        if character.is_ascii_digit() {
            self.has_digit = true;
        } else {
            self.has_letter = true;
            self.capitals &= !character.is_lowercase();
        }
    }

    /// A letter of another script: the word is one, but none that is known.
    fn foreign(&mut self) {
        self.has_letter = true;
        if self.letters.len() <= LONGEST_WORD {
            self.letters.push(b'~');
        }
    }

    fn symbol(&mut self, character: char) {
        self.symbols = true;
        if self.letters.len() <= LONGEST_WORD {
            self.letters.push(u8::try_from(character).unwrap_or(b'?'));
        }
    }
}
