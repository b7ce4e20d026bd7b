//! Words written so that a machine would miss them: `c4re`, `c a r e`, `ca-re`, `sooo sorry`.
//!
//! A disguise is read through only when a known word comes out; what people write with digits or dots for
//! other reasons stays as it is.

use super::lexicon::Lexicon;
use super::tokens::{ASKED, EXCLAIMED, KNOWN, PAUSE, QUOTED, SENTENCE, STAND_IN, Token, Tokens};

/// The letter a symbol between letters is written for.
pub(super) const fn letter_for(symbol: char) -> Option<u8> {
    match symbol {
        '@' => Some(b'a'),
        '$' => Some(b's'),
        '!' | '|' | '¡' => Some(b'i'),
        '€' => Some(b'e'),
        '+' => Some(b't'),
        '(' => Some(b'c'),
        _ => None,
    }
}

const fn letter_for_digit(digit: u8) -> u8 {
    match digit {
        b'0' => b'o',
        b'1' | b'!' | b'|' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'6' | b'9' => b'g',
        b'7' | b'+' => b't',
        b'8' => b'b',
        b'2' => b'z',
        b'(' => b'c',
        other => other,
    }
}

/// The known word that letters mixed with digits and symbols stand for.
pub(super) fn read_digits(written: &[u8], lexicon: &Lexicon) -> Option<Vec<u8>> {
    if lexicon.knows(written) {
        return None;
    }
    let mut meant: Vec<u8> = written.iter().map(|byte| letter_for_digit(*byte)).collect();
    if meant.len() < 3 || !meant.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    if lexicon.knows(&meant) {
        return Some(meant);
    }
    // A one may be an L as well as an I.
    for (letter, byte) in meant.iter_mut().zip(written) {
        if matches!(byte, b'1' | b'!' | b'|') {
            *letter = b'l';
        }
    }
    if lexicon.knows(&meant) { Some(meant) } else { shorten(&meant, lexicon) }
}

/// `soooo` is `so`: letters written three times and more, once or twice.
pub(super) fn shorten(written: &[u8], lexicon: &Lexicon) -> Option<Vec<u8>> {
    if !written.windows(3).any(|three| matches!(three, [a, b, c] if a == b && b == c))
        || lexicon.knows(written)
    {
        return None;
    }
    let at_most = |most: usize| {
        let mut out: Vec<u8> = Vec::with_capacity(written.len());
        for byte in written {
            let run = out.iter().rev().take_while(|last| *last == byte).count();
            if run < most {
                out.push(*byte);
            }
        }
        out
    };
    let (twice, once) = (at_most(2), at_most(1));
    if lexicon.knows(&twice) {
        Some(twice)
    } else if lexicon.knows(&once) {
        Some(once)
    } else {
        None
    }
}

/// Fewest letters in a row that are taken for a spaced-out word.
const FEWEST_SPACED: usize = 3;

/// Longest word looked for in letters without spaces between words.
const LONGEST_SPACED: usize = 16;

/// Most letters of one text that are looked at so.
const MOST_SPACED: usize = 2048;

/// Longest row of single letters read as one.
const LONGEST_ROW: usize = 240;

/// Puts words together that were written in pieces.
pub(super) fn rejoin(tokens: &mut Tokens, lexicon: &Lexicon) {
    let suspicious = tokens.list.windows(3).any(|three| three.iter().all(|token| token.to - token.from == 1))
        || tokens.list.windows(2).any(|pair| matches!(pair, [a, b] if joinable(a, b)))
        || tokens.list.iter().any(|token| token.to - token.from == 1 && lexicon.alias(token.hash).is_some());
    if !suspicious {
        return;
    }
    let list = std::mem::take(&mut tokens.list);
    tokens.list.reserve(list.len());
    let mut left = MOST_SPACED;
    let mut at = 0;
    while let Some(token) = list.get(at) {
        let row = list
            .iter()
            .skip(at)
            .take(if token.to - token.from == 1 { LONGEST_ROW.min(left) } else { 0 })
            .scan(token.end, |end, next| {
                // Not over a wide gap: those are letters of a list.
                let near = next.start <= *end + 8;
                *end = next.end;
                (near && next.to - next.from == 1 && !next.has(QUOTED)).then_some(())
            })
            .count();
        if row >= FEWEST_SPACED
            && row <= left
            && let Some(letters) = list.get(at..at + row)
        {
            left -= row;
            if !read_spaced(tokens, letters, lexicon) {
                tokens.list.extend_from_slice(letters);
            }
            at += row;
            continue;
        }
        if let Some(next) = list.get(at + 1)
            && joinable(token, next)
            && join_pieces(tokens, token, next, lexicon)
        {
            at += 2;
            continue;
        }
        if token.to - token.from == 1 && lexicon.alias(token.hash).is_some() {
            let letters = tokens.letters_of(token).to_vec();
            add(tokens, &letters, token, token, lexicon);
        } else {
            tokens.list.push(*token);
        }
        at += 1;
    }
}

/// Two pieces with at most one mark between, or a space where neither is a word. Two words are never put
/// together, be what comes out a word or not.
fn joinable(first: &Token, second: &Token) -> bool {
    if first.has(KNOWN) && second.has(KNOWN) || first.has(STAND_IN) || second.has(QUOTED | STAND_IN) {
        return false;
    }
    let gap = second.start.saturating_sub(first.end);
    let (no_first, no_second) = (first.ids == [0; 4], second.ids == [0; 4]);
    no_first && no_second && (1..=4).contains(&gap) && !second.has(SENTENCE)
        || (gap == 1 || (2..=6).contains(&gap) && second.has(PAUSE)) && (no_first || no_second)
}

fn join_pieces(tokens: &mut Tokens, first: &Token, second: &Token, lexicon: &Lexicon) -> bool {
    let length = (first.to - first.from) as usize;
    let more = tokens.letters_of(second);
    if length + more.len() < 5 || !lexicon.knows_joined(first.hash, length, more) {
        return false;
    }
    let letters = [tokens.letters_of(first), more].concat();
    add(tokens, &letters, first, second, lexicon);
    true
}

fn add(tokens: &mut Tokens, letters: &[u8], first: &Token, last: &Token, lexicon: &Lexicon) {
    let words = lexicon
        .alias(super::lexicon::hash_word(letters))
        .map_or_else(|| vec![letters.to_vec()], <[Vec<u8>]>::to_vec);
    for (nth, word) in words.iter().enumerate() {
        let flags = if nth == 0 {
            first.flags & !(STAND_IN | KNOWN) | last.flags & (ASKED | EXCLAIMED)
        } else {
            super::tokens::SAME_SOURCE
        };
        tokens.add(word, &lexicon.look_up(word), first.start, last.end, flags);
    }
}

/// Reads a row of single letters: words where the gaps are wide, else wherever known words lie.
fn read_spaced(tokens: &mut Tokens, row: &[Token], lexicon: &Lexicon) -> bool {
    let gaps: Vec<u32> = row
        .windows(2)
        .map(|pair| match pair {
            [one, other] => other.start.saturating_sub(one.end),
            _ => 0,
        })
        .collect();
    let narrow = gaps.iter().min().copied().unwrap_or(0);
    let letters: Vec<u8> = row
        .iter()
        .map(|token| tokens.letters_of(token).first().copied().map_or(b'~', letter_for_digit))
        .collect();
    if row.iter().all(|token| token.has(STAND_IN)) {
        return false;
    }
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    for to in 1..=row.len() {
        if gaps.get(to - 1).is_some_and(|gap| *gap <= narrow) {
            continue;
        }
        for length in split_known(letters.get(from..to).unwrap_or_default(), lexicon) {
            words.push((from, from + length));
            from += length;
        }
        from = to;
    }
    let known = |(from, to): &(usize, usize)| {
        to - from > 2 && letters.get(*from..*to).is_some_and(|word| lexicon.knows(word))
    };
    let read: usize = words.iter().filter(|word| known(word)).map(|(from, to)| to - from).sum();
    if read * 2 < row.len() {
        return false;
    }
    for (from, to) in &words {
        if let (Some(first), Some(last), Some(word)) =
            (row.get(*from), row.get(to - 1), letters.get(*from..*to))
        {
            add(tokens, word, first, last, lexicon);
        }
    }
    true
}

/// Splits letters into known words, as few letters as possible left over; their lengths.
fn split_known(letters: &[u8], lexicon: &Lexicon) -> Vec<usize> {
    if lexicon.knows(letters) {
        return vec![letters.len()];
    }
    // best[i]: cost of the first i letters, length of the last word.
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for end in 1..=letters.len() {
        let mut found = (best.last().map_or(0, |before| before.0) + 12, 1);
        for length in 1..=LONGEST_SPACED.min(end) {
            let word = letters.get(end - length..end).unwrap_or_default();
            let Some(before) = best.get(end - length) else { continue };
            let known =
                if length == 1 { matches!(word, b"i" | b"a" | b"u" | b"y") } else { lexicon.knows(word) };
            // Each word costs, short ones more: "we care", not "w e car e".
            let cost = before.0 + if length < 3 { 6 } else { 4 };
            if known && cost < found.0 {
                found = (cost, length);
            }
        }
        best.push(found);
    }
    let mut pieces = Vec::new();
    let mut end = letters.len();
    while let Some((_, length)) = best.get(end).filter(|_| end > 0) {
        pieces.push((*length).max(1));
        end -= (*length).max(1);
    }
    pieces.reverse();
    pieces
}
