//! Quotation marks and quoted replies: words in them are not the sender's own.

use super::markup::{BLOCK, Seen};
use super::tokens::{QUOTED, Token};

/// A quotation mark or apostrophe, and how many words came before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) before: usize,
    pub(super) character: char,
    pub(super) after_space: bool,
}

/// Longest quotation, in words; a mark not closed within is taken for a stray one.
const LONGEST_QUOTE: usize = 120;

/// Flags the words between marks that belong together, unless that is the whole message.
pub(super) fn mark(tokens: &mut [Token], marks: &[Mark]) {
    let mut at = 0;
    while let Some(open) = marks.get(at) {
        at += 1;
        let Some(closers) = closers(open) else { continue };
        let close = marks
            .iter()
            .enumerate()
            .skip(at)
            .take_while(|(_, mark)| mark.before <= open.before + LONGEST_QUOTE)
            .take(16)
            .find(|(_, mark)| {
                closers.contains(mark.character)
                    && mark.before > open.before
                    && !(mark.after_space && mark.character != '»')
            });
        let Some((found, close)) = close else { continue };
        // A single mark may be an apostrophe: it quotes only within a sentence or two words and more.
        if open.character == '\'' && close.before - open.before < 2 {
            continue;
        }
        at = found + 1;
        if (close.before - open.before) * 10 >= tokens.len() * 9 {
            continue;
        }
        for token in tokens.get_mut(open.before..close.before).unwrap_or_default() {
            token.flags |= QUOTED;
        }
    }
}

fn closers(open: &Mark) -> Option<&'static str> {
    match open.character {
        '"' => Some("\"”"),
        '“' => Some("”\"“"),
        '„' => Some("“”\"‟"),
        '«' => Some("»"),
        '»' => Some("«"),
        '‹' => Some("›"),
        '\'' if open.after_space => Some("'"),
        _ => None,
    }
}

/// Longest line that may announce a quoted reply.
const LONGEST_ANNOUNCEMENT: usize = 160;

/// Leaves out quoted lines (`> …`) and everything below "On … wrote:".
pub(super) fn without_replies(seen: Vec<Seen>) -> Vec<Seen> {
    let suspicious = suspicious(&seen);
    if !suspicious {
        return seen;
    }
    let mut kept = Vec::with_capacity(seen.len());
    let mut out_until_blank = false;
    for line in seen.split_inclusive(|seen| matches!(seen.character, '\n' | BLOCK)) {
        let first = line.iter().find(|seen| !seen.character.is_whitespace());
        match first {
            None => out_until_blank = false,
            Some(first) if first.character == '>' => continue,
            Some(_) if out_until_blank => continue,
            Some(_) => {}
        }
        match announces(line) {
            Some(Announced::Reply) => break,
            Some(Announced::Yours) => out_until_blank = true,
            None => {}
        }
        kept.extend_from_slice(line);
    }
    kept
}

/// Whether any line is worth a look: it begins as quoted ones do, or ends with a colon.
fn suspicious(seen: &[Seen]) -> bool {
    let mut before = '\n';
    let mut colon = false;
    for seen in seen {
        let new = seen.character;
        let ends = matches!(new, '\n' | BLOCK);
        if colon && ends || matches!(before, '\n' | BLOCK) && matches!(new, '>' | '-' | '_' | '|') {
            return true;
        }
        colon = new == ':' || colon && matches!(new, ' ' | '\r' | '\t' | '\u{a0}');
        before = new;
    }
    colon
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    /// Everything below is an older message.
    Reply,
    /// The paragraph below is the reader's own words.
    Yours,
}

const WROTE: [&str; 8] =
    ["wrote:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "geschrieben:", "ha escrito:", "a ecrit :"];
const YOURS: [&str; 8] = [
    "you wrote:",
    "you said:",
    "your message:",
    "schrieben sie:",
    "écrit :",
    "escribió usted:",
    "su mensaje:",
    "ihre nachricht:",
];
const OLDER: [&str; 8] = [
    "original message",
    "forwarded message",
    "ursprüngliche nachricht",
    "mensaje original",
    "message d'origine",
    "message d’origine",
    "weitergeleitete nachricht",
    "mensaje reenviado",
];

fn announces(line: &[Seen]) -> Option<Announced> {
    if line.len() > LONGEST_ANNOUNCEMENT {
        return None;
    }
    let last = line.iter().rev().find(|seen| !seen.character.is_whitespace())?.character;
    if !matches!(last, ':' | '-' | '_') {
        return None;
    }
    let text: String = line.iter().flat_map(|seen| seen.character.to_lowercase()).collect();
    let text = text.trim();
    if text.starts_with(['-', '_']) && OLDER.iter().any(|words| text.contains(words)) {
        return Some(Announced::Reply);
    }
    if YOURS.iter().any(|words| text.ends_with(words)) && !text.contains('@') && !text.starts_with("le ") {
        return Some(Announced::Yours);
    }
    let dated = text.bytes().any(|byte| byte.is_ascii_digit()) || text.contains('@');
    (dated && WROTE.iter().any(|words| text.ends_with(words))).then_some(Announced::Reply)
}
