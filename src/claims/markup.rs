//! What a person sees of a text: markup read away, entities decoded, hidden parts and quoted replies out.
//!
//! This is a reader of mail as it is sent, not of documents as they should be: anything unclosed, misnested
//! or cut short still gives an answer, in one pass and with a bounded look ahead.

use super::tags::{self, Kind, Tag};
use super::transfer::Decoded;

/// A break between paragraphs or table cells, which no sentence crosses.
pub(super) const BLOCK: char = '\u{2029}';

/// How much is read, in characters a person would see. Longer than any letter; short enough to be read in
/// a few milliseconds.
pub(super) const MOST_VISIBLE: usize = 64 * 1024;

/// Longest entity: `&CounterClockwiseContourIntegral;`.
const LONGEST_ENTITY: usize = 34;

/// Elements deeper than this are taken as their parent's text.
const DEEPEST: usize = 256;

/// How far up an end tag looks for its element.
const FARTHEST_END: usize = 32;

/// One visible character and the bytes of the original it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) character: char,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The visible characters of a text, in order.
pub(super) struct Visible {
    pub(super) characters: Vec<Seen>,
    pub(super) truncated: bool,
}

struct Element {
    kind: Kind,
    name: u64,
    hidden: bool,
    no_size: bool,
}

struct Scan<'a> {
    decoded: &'a Decoded<'a>,
    text: &'a str,
    /// Declared as HTML or SSML: every tag is one, known or not.
    declared: bool,
    out: Vec<Seen>,
    open: Vec<Element>,
    hidden: usize,
    /// Nothing closes a quoted attribute, a tag, from here on: known, so not looked for again.
    quotes_broken: bool,
    no_more_tags: bool,
}

/// Reads `text` as its recipient would see it.
pub(super) fn visible(decoded: &Decoded<'_>, media_type: Option<&str>) -> Visible {
    let text = decoded.text.as_ref();
    let mut scan = Scan {
        decoded,
        text,
        declared: media_type.is_some_and(is_markup),
        out: Vec::with_capacity(text.len().min(MOST_VISIBLE)),
        open: Vec::new(),
        hidden: 0,
        quotes_broken: false,
        no_more_tags: false,
    };
    let complete = scan.run();
    Visible { characters: scan.out, truncated: !complete || decoded.truncated }
}

fn is_markup(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    ["html", "xml", "ssml"].iter().any(|word| lower.contains(word))
}

impl Scan<'_> {
    /// Whether all of the text was read.
    fn run(&mut self) -> bool {
        let mut at = 0;
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(at) {
            if self.out.len() >= MOST_VISIBLE {
                return false;
            }
            let step = match byte {
                b'<' => self.tag(at),
                b'&' => self.entity(at),
                _ => {
                    at = self.plain(at);
                    continue;
                }
            };
            at = match step {
                Some(next) => next,
                None => self.character(at),
            };
        }
        true
    }

    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    fn shown(&self) -> bool {
        self.hidden == 0 && !self.open.last().is_some_and(|element| element.no_size)
    }

    fn emit(&mut self, character: char, from: usize, to: usize) {
        if self.shown() {
            let (start, end) = (self.decoded.origin(from), self.decoded.origin(to));
            self.out.push(Seen { character, start, end });
        }
    }

    /// Takes over characters up to the next that may be markup.
    fn plain(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let room = MOST_VISIBLE.saturating_sub(self.out.len());
        let length = rest
            .bytes()
            .take(room)
            .position(|byte| matches!(byte, b'<' | b'&'))
            .unwrap_or(rest.len().min(room));
        let length = rest.ceil_char_boundary(length);
        if self.shown() {
            let run = rest.get(..length).unwrap_or_default();
            let decoded = self.decoded;
            if run.is_ascii() && decoded.is_original() {
                let first = at as u32;
                self.out.extend(run.bytes().zip(first..).map(|(byte, start)| Seen {
                    character: char::from(byte),
                    start,
                    end: start.wrapping_add(1),
                }));
                return at + length;
            }
            self.out.extend(run.char_indices().map(|(from, character)| Seen {
                character,
                start: decoded.origin(at + from),
                end: decoded.origin(at + from + character.len_utf8()),
            }));
        }
        at + length
    }

    fn character(&mut self, at: usize) -> usize {
        let byte = self.text.as_bytes().get(at).copied().unwrap_or_default();
        if byte.is_ascii() {
            self.emit(char::from(byte), at, at + 1);
            return at + 1;
        }
        let character = self.rest(at).chars().next().unwrap_or(' ');
        let next = at + character.len_utf8();
        self.emit(character, at, next);
        next
    }

    /// Decodes an entity; also outside markup, where mailers leave `&nbsp;` behind.
    fn entity(&mut self, at: usize) -> Option<usize> {
        let window = self.text.as_bytes().get(at..self.text.len().min(at + LONGEST_ENTITY))?;
        let length = window.iter().position(|byte| *byte == b';')? + 1;
        let written = self.text.get(at..at + length)?;
        let meant = htmlize::unescape(written);
        if meant == written {
            return None;
        }
        for character in meant.chars() {
            self.emit(character, at, at + length);
        }
        Some(at + length)
    }

    /// Reads a tag or comment at `at`; none if the `<` is only a `<`.
    fn tag(&mut self, at: usize) -> Option<usize> {
        if self.rest(at).starts_with("<!--") {
            let end = self.rest(at + 4).find("-->").map_or(self.text.len(), |found| at + 4 + found + 3);
            return Some(end);
        }
        if self.no_more_tags {
            return None;
        }
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1)? {
            b'!' | b'?' if self.declared || bytes.get(at + 2).is_some_and(u8::is_ascii_alphabetic) => {
                return self.end_of_tag(at);
            }
            b'/' if bytes.get(at + 2).is_some_and(u8::is_ascii_alphabetic) => {}
            byte if byte.is_ascii_alphabetic() => {}
            _ => return None,
        }
        // Told by its name before its end is looked for: a text full of `<` would be gone over again and again.
        let known =
            tags::kind_of(tags::name_of(self.rest(at + 1).strip_prefix('/').unwrap_or(self.rest(at + 1))))
                != Kind::Unknown;
        if !(known || self.declared) {
            return None;
        }
        let end = self.end_of_tag(at)?;
        let tag = Tag::parse(self.text.get(at + 1..end - 1)?);
        Some(self.take(&tag, at, end))
    }

    /// One past the `>` that ends the tag at `at`, `>` in quoted attributes left alone.
    fn end_of_tag(&mut self, at: usize) -> Option<usize> {
        let rest = self.text.as_bytes().get(at..)?;
        if !self.quotes_broken {
            let mut quote = None;
            let mut before = b' ';
            for (length, byte) in rest.iter().enumerate() {
                match (quote, byte) {
                    (Some(open), _) if byte == open => quote = None,
                    (None, b'"' | b'\'') if before == b'=' || before.is_ascii_whitespace() => {
                        quote = Some(byte);
                    }
                    (None, b'>') => return Some(at + length + 1),
                    _ => {}
                }
                before = *byte;
            }
            self.quotes_broken = true;
        }
        let end = rest.iter().position(|byte| *byte == b'>');
        self.no_more_tags |= end.is_none();
        end.map(|length| at + length + 1)
    }

    fn take(&mut self, tag: &Tag<'_>, at: usize, end: usize) -> usize {
        match tag.kind {
            Kind::Block | Kind::Cell | Kind::Quotation => self.emit(BLOCK, at, at),
            Kind::Line => self.emit('\n', at, at),
            Kind::Quote if tag.closing => self.emit('”', at, at),
            _ => {}
        }
        if tag.closing {
            self.close(tag);
        } else if tag.kind == Kind::Raw {
            return self.end_of_raw(tag, end);
        } else if tag.kind != Kind::Line && tag.kind != Kind::Void && !tag.self_closing {
            self.open(tag);
        }
        if tag.kind == Kind::Quote && !tag.closing {
            self.emit('“', at, at);
        }
        end
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if tag.kind == Kind::Cell
            && self.open.last().is_some_and(|top| top.kind == Kind::Cell && top.name == tag.name)
        {
            self.pop();
        }
        if self.open.len() >= DEEPEST {
            return;
        }
        let looks = tags::looks(tag.attributes);
        let inherited = self.open.last().is_some_and(|parent| parent.no_size);
        let element = Element {
            kind: tag.kind,
            name: tag.name,
            hidden: looks.hidden || tag.kind == Kind::Quotation,
            no_size: looks.no_size.unwrap_or(inherited),
        };
        self.hidden += usize::from(element.hidden);
        self.open.push(element);
    }

    fn close(&mut self, tag: &Tag<'_>) {
        let above = self.open.iter().rev().take(FARTHEST_END).position(|element| element.name == tag.name);
        for _ in 0..above.map_or(0, |above| above + 1) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if self.open.pop().is_some_and(|element| element.hidden) {
            self.hidden -= 1;
        }
    }

    /// Past the end tag of a script or style sheet; past everything if there is none.
    fn end_of_raw(&self, tag: &Tag<'_>, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(found) =
            bytes.get(at..).and_then(|rest| rest.windows(2).position(|pair| pair == b"</"))
        {
            at += found + 2;
            let name = tags::name_of(self.text.get(at..).unwrap_or_default());
            if tags::hash_name(name) == tag.name {
                let close = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'>'));
                return close.map_or(bytes.len(), |length| at + length + 1);
            }
        }
        bytes.len()
    }
}
