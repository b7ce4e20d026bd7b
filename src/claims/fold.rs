//! One character as a reader takes it: which plain letters it looks like, or what else it is.
//!
//! Cyrillic and Greek lookalikes, full-width and mathematical letters, accents and letters in circles all
//! become the letters `a` to `z`. The answers are worked out once, for every character at once, so that
//! reading is one table access a character.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// What one character is to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folded {
    /// One to three lower-case letters or digits, as bytes in the low end (first letter lowest).
    Letters(u32),
    /// A letter of a script that looks like no Latin letter.
    Foreign,
    /// Nothing anybody sees: zero-width, soft hyphen, combining mark, direction mark.
    Unseen,
    Space,
    Apostrophe,
    /// Punctuation, symbols, emoji.
    Mark,
}

/// Pairs of a lookalike and the letter it stands for, where the Unicode tables know none or another.
const LOOKALIKES: &str = "аa бb вb гr дd еe ёe жx зe иu йu кk лn мm нh оo пn рp сc тt уy фo хx цu чy шw щw ъb ыbi \
     ьb эe юio яr ѕs іi їi јj ћh ќk ўy ґr һh ԁd ԛq ԝw ӏl \
     αa βb γy δd εe ζz ηn θo ιi κk λl μm νv ξe οo πn ρp σo ςs τt υu φo χx ψw ωw ϲc ϳj \
     ɑa ɡg ɩi ɪi ʀr ʟl ɴn ʏy ʜh ʙb ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜰf ꜱs ɢg ʍm ĸk ǝe ɐa ɔo ʇt ʌv \
     øo łl đd ħh ıi ŋn ŧt ðd ƒf ƙk ɓb ɗd ɠg ɦh ɩi ɯw ɹr ʃs ʋv ʒz ƨs ƽs ꭱr ꮃw ꭺa ꮯc ꭼe ꮋh ꮖi ꭻj ꮶk ꮮl ꮇm ꮲp ꮪs ꭲt ꮩv";

/// Letters that stand for two.
const DOUBLE: [(char, &str); 5] = [('ß', "ss"), ('ẞ', "ss"), ('æ', "ae"), ('œ', "oe"), ('þ', "th")];

const BASIC_END: u32 = 0x3000;
const HIGH_START: u32 = 0xA640;
const HIGH_END: u32 = 0x1_0000;
const MATHEMATICAL: std::ops::Range<u32> = 0x1_D400..0x1_D800;
const ENCLOSED: std::ops::Range<u32> = 0x1_F100..0x1_F200;

/// The answers for the blocks where lookalikes live.
pub(super) struct Folding {
    ranges: [(u32, Vec<Folded>); 4],
}

impl Folding {
    /// The same for every reader; to make it takes as long as all the rest of one.
    pub(super) fn shared() -> &'static Self {
        static SHARED: LazyLock<Folding> = LazyLock::new(Folding::new);
        &SHARED
    }

    fn new() -> Self {
        let table = |range: std::ops::Range<u32>| {
            let first = range.start;
            (first, range.map(|code| char::from_u32(code).map_or(Folded::Mark, fold)).collect())
        };
        Self {
            ranges: [table(0..BASIC_END), table(HIGH_START..HIGH_END), table(MATHEMATICAL), table(ENCLOSED)],
        }
    }

    #[inline]
    pub(super) fn of(&self, character: char) -> Folded {
        let [(_, basic), ..] = &self.ranges;
        basic.get(character as usize).copied().unwrap_or_else(|| self.high(character))
    }

    #[cold]
    fn high(&self, character: char) -> Folded {
        let code = u32::from(character);
        for (first, answers) in &self.ranges {
            if let Some(answer) = code.checked_sub(*first).and_then(|at| answers.get(at as usize)) {
                return *answer;
            }
        }
        beyond(character)
    }
}

/// Characters outside the tables: ideographs, emoji, tags.
fn beyond(character: char) -> Folded {
    match character {
        '\u{E0000}'..='\u{E0FFF}' => Folded::Unseen,
        _ if is_combining_mark(character) => Folded::Unseen,
        _ if character.is_whitespace() => Folded::Space,
        _ if character.is_alphabetic() => Folded::Foreign,
        _ => Folded::Mark,
    }
}

fn fold(character: char) -> Folded {
    if character.is_ascii_alphanumeric() {
        return letters([character.to_ascii_lowercase()]);
    }
    if unseen(character) {
        return Folded::Unseen;
    }
    if character.is_whitespace() {
        return Folded::Space;
    }
    if matches!(character, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '′' | '＇' | 'ʹ' | '‛') {
        return Folded::Apostrophe;
    }
    if character.is_ascii() {
        return Folded::Mark;
    }
    if let Some(letter) = enclosed(character) {
        return letters([letter]);
    }
    let lower = character.to_lowercase().next().unwrap_or(character);
    if let Some((_, two)) = DOUBLE.iter().find(|(from, _)| *from == lower) {
        return letters(two.chars());
    }
    let plain: Vec<char> = character
        .nfkd()
        .filter(|part| !is_combining_mark(*part))
        .flat_map(char::to_lowercase)
        .map(|part| lookalike(part).unwrap_or(part))
        .collect();
    if plain.is_empty() {
        return Folded::Unseen;
    }
    if plain.len() <= 3 && plain.iter().all(char::is_ascii_alphanumeric) {
        return letters(plain);
    }
    if !character.is_alphanumeric() {
        return Folded::Mark;
    }
    let seen: String =
        skeleton(character.encode_utf8(&mut [0; 4])).nfkd().flat_map(char::to_lowercase).collect();
    if !seen.is_empty() && seen.len() <= 3 && seen.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return letters(seen.chars());
    }
    Folded::Foreign
}

fn letters(of: impl IntoIterator<Item = char>) -> Folded {
    let packed = of.into_iter().take(3).enumerate().fold(0, |packed, (at, letter)| {
        let byte = u32::from(letter) & 0x7f;
        packed | byte << (8 * at)
    });
    Folded::Letters(packed)
}

fn lookalike(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return None;
    }
    LOOKALIKES.split_whitespace().find(|pair| pair.starts_with(letter)).and_then(|pair| pair.chars().nth(1))
}

/// White letters in black circles and squares, and the letters flags are spelt with: Unicode gives these no
/// decomposition.
fn enclosed(character: char) -> Option<char> {
    let code = u32::from(character);
    let at = match code {
        0x1_F150..=0x1_F169 => code - 0x1_F150,
        0x1_F170..=0x1_F189 => code - 0x1_F170,
        0x1_F1E6..=0x1_F1FF => code - 0x1_F1E6,
        _ => return None,
    };
    char::from_u32(u32::from('a') + at)
}

fn unseen(character: char) -> bool {
    matches!(
        character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\0'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{7F}'
    ) || is_combining_mark(character)
}
