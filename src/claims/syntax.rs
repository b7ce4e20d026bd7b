//! How a phrase is written: `{we} (really|truly)? appreciat* ... {your} business`.
//!
//! | written | means |
//! |---|---|
//! | `word` | that word, accents and case aside |
//! | `stem*` | any word that starts so |
//! | `a\|b\|c` | one of these words |
//! | `(a b\|c)` | one of these phrases |
//! | `{name}` | one of a named set of words |
//! | `x?` | x or nothing |
//! | `_` | any one word |
//! | `...` | up to three words, none of them a negation; `..5`: up to five |
//! | `^`, `$` | the first, the last word of a sentence |
//! | `,` | a pause after the word before: a comma, a colon, the end of a line or sentence |

use std::collections::HashMap;

/// One thing a phrase wants next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// One of these words (sorted); stems end in `*`.
    Words(Vec<String>),
    Any,
    Gap(u8),
    Start,
    End,
    Pause,
}

/// An item that may be left out or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Want {
    pub(super) item: Item,
    pub(super) optional: bool,
}

/// A phrase without alternatives: what is wanted, in order.
pub(super) type Line = Vec<Want>;

/// Named sets, each as it is written.
pub(super) type Sets = HashMap<String, String>;

/// Most lines one phrase may spread into.
const MOST_LINES: usize = 600;

/// Longest phrase of an operator, in characters.
pub(super) const LONGEST_PHRASE: usize = 500;

/// Deepest nesting of brackets and named sets.
const DEEPEST: usize = 8;

/// Widest gap.
const WIDEST_GAP: u8 = 8;

struct Parser<'a> {
    rest: &'a str,
    sets: &'a Sets,
    depth: usize,
}

/// Spreads a written phrase into lines.
pub(super) fn parse(written: &str, sets: &Sets) -> Result<Vec<Line>, String> {
    let mut parser = Parser { rest: written, sets, depth: 0 };
    let lines = parser.alternatives()?;
    if !parser.rest.is_empty() {
        return Err("has a `)` without its `(`".to_owned());
    }
    if lines.iter().any(|line| !line.iter().any(|want| matches!(want.item, Item::Words(_)) && !want.optional))
    {
        return Err("names no word that must be there".to_owned());
    }
    Ok(lines)
}

impl Parser<'_> {
    /// `a b|c d`, up to the closing bracket or the end.
    fn alternatives(&mut self) -> Result<Vec<Line>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST}"));
        }
        let inside = self.depth > 1;
        let mut lines = Vec::new();
        loop {
            lines.extend(self.sequence(inside)?);
            if inside && self.rest.starts_with('|') {
                self.rest = self.rest.get(1..).unwrap_or_default();
            } else {
                break;
            }
        }
        self.depth -= 1;
        Ok(merge_words(lines))
    }

    fn sequence(&mut self, inside: bool) -> Result<Vec<Line>, String> {
        let mut lines: Vec<Line> = vec![Vec::new()];
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') || (inside && self.rest.starts_with('|')) {
                return Ok(lines);
            }
            let next = self.item(inside)?;
            if lines.len() * next.len() > MOST_LINES {
                return Err(format!("spreads into more than {MOST_LINES} phrases"));
            }
            lines = lines
                .iter()
                .flat_map(|line| next.iter().map(|tail| [line.as_slice(), tail].concat()))
                .collect();
        }
    }

    fn item(&mut self, inside: bool) -> Result<Vec<Line>, String> {
        let mut lines = self.atom()?;
        while !inside && let Some(rest) = self.rest.strip_prefix('|') {
            self.rest = rest;
            lines.extend(self.atom()?);
            lines = merge_words(lines);
        }
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            match lines.as_mut_slice() {
                [line] if line.len() == 1 => line.iter_mut().for_each(|want| want.optional = true),
                _ => lines.push(Vec::new()),
            }
        }
        Ok(lines)
    }

    fn atom(&mut self) -> Result<Vec<Line>, String> {
        let one = |item| vec![vec![Want { item, optional: false }]];
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let lines = self.alternatives()?;
            self.rest = self.rest.strip_prefix(')').ok_or("has a `(` without its `)`")?;
            return Ok(lines);
        }
        if let Some(rest) = self.rest.strip_prefix('{') {
            let (name, rest) = rest.split_once('}').ok_or("has a `{` without its `}`")?;
            let set = self.sets.get(name.trim()).ok_or_else(|| format!("names the unknown set `{name}`"))?;
            self.rest = rest;
            let mut parser = Parser { rest: set, sets: self.sets, depth: self.depth + 1 };
            return parser.alternatives();
        }
        let end = self
            .rest
            .find(|character: char| character.is_whitespace() || "()?{}|".contains(character))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        match word {
            "_" => return Ok(one(Item::Any)),
            "^" => return Ok(one(Item::Start)),
            "$" => return Ok(one(Item::End)),
            "," => return Ok(one(Item::Pause)),
            "..." => return Ok(one(Item::Gap(3))),
            "" => return Err(format!("has a `{}` out of place", self.rest.chars().next().unwrap_or(' '))),
            _ => {}
        }
        if let Some(width) = word.strip_prefix("..") {
            let width: u8 = width.parse().map_err(|_| format!("has the gap `{word}`, which is no number"))?;
            if width > WIDEST_GAP {
                return Err(format!("has a gap of more than {WIDEST_GAP} words"));
            }
            return Ok(one(Item::Gap(width)));
        }
        Ok(vec![plain_words(word)?])
    }
}

/// The words of one written word: two where there is an apostrophe or a hyphen.
fn plain_words(written: &str) -> Result<Line, String> {
    let line: Line = written
        .split(['\'', '’', '-'])
        .filter(|piece| !piece.is_empty())
        .map(|piece| Want { item: Item::Words(vec![piece.to_owned()]), optional: false })
        .collect();
    if line.is_empty() || written.trim_end_matches('*').contains('*') {
        return Err(format!("has `{written}`, which is no word"));
    }
    Ok(line)
}

/// Alternatives of one word each become one item.
fn merge_words(lines: Vec<Line>) -> Vec<Line> {
    let mut words = Vec::new();
    let mut others = Vec::new();
    for line in lines {
        match line.as_slice() {
            [Want { item: Item::Words(some), optional: false }] => words.extend(some.iter().cloned()),
            _ => others.push(line),
        }
    }
    if !words.is_empty() {
        words.sort();
        words.dedup();
        others.insert(0, vec![Want { item: Item::Words(words), optional: false }]);
    }
    others
}
