//! Tags of HTML and SSML: what each does to the text around it, and which attributes hide what is inside.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a tag does to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its text is part of the line: `<b>`, `<span>`.
    Inline,
    /// Starts and ends a paragraph.
    Block,
    /// A block that the next of its name ends: `<p>`, `<li>`, `<td>`.
    Cell,
    /// `<br>`.
    Line,
    /// Has no content: `<img>`.
    Void,
    /// Its content is not text: `<style>`.
    Raw,
    /// Somebody else's words: `<blockquote>`.
    Quotation,
    /// Words in quotation marks: `<q>`.
    Quote,
    Unknown,
}

const KINDS: [(Kind, &str); 8] = [
    (
        Kind::Inline,
        "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark o:p s samp small span \
         strike strong sub sup tt u var wbr emphasis prosody say-as phoneme voice amazon:effect audio lang w \
         button nobr",
    ),
    (
        Kind::Block,
        "html body head address article aside center dd details dialog div dl dt fieldset figcaption figure \
         footer form h1 h2 h3 h4 h5 h6 header main nav ol pre section summary table tbody tfoot thead tr ul caption \
         speak par seq media",
    ),
    (Kind::Cell, "p li td th option"),
    (Kind::Line, "br hr break"),
    (Kind::Void, "img meta link input base col area embed source track param v:fill v:rect"),
    (Kind::Raw, "script style title template textarea svg math desc metadata"),
    (Kind::Quotation, "blockquote"),
    (Kind::Quote, "q"),
];

/// One start or end tag.
pub(super) struct Tag<'a> {
    pub(super) kind: Kind,
    pub(super) name: u64,
    pub(super) closing: bool,
    pub(super) self_closing: bool,
    pub(super) attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// `inside` is what stands between `<` and `>`.
    pub(super) fn parse(inside: &'a str) -> Self {
        let (closing, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
        let name = name_of(inside);
        let attributes = inside.get(name.len()..).unwrap_or_default();
        Self {
            kind: kind_of(name),
            name: hash_name(name),
            closing,
            self_closing: attributes.ends_with('/'),
            attributes,
        }
    }
}

pub(super) fn name_of(inside: &str) -> &str {
    let end = inside
        .bytes()
        .take(32)
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':')));
    inside.get(..end.unwrap_or(inside.len().min(32))).unwrap_or_default()
}

/// A name as a number, upper and lower case alike.
pub(super) fn hash_name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x100_0000_01b3)
    })
}

static KIND_OF: LazyLock<HashMap<u64, Kind>> = LazyLock::new(|| {
    KINDS
        .iter()
        .flat_map(|(kind, names)| names.split_ascii_whitespace().map(|name| (hash_name(name), *kind)))
        .collect()
});

pub(super) fn kind_of(name: &str) -> Kind {
    KIND_OF.get(&hash_name(name)).copied().unwrap_or(Kind::Unknown)
}

/// What the attributes of a start tag make of its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    pub(super) hidden: bool,
    /// A font size of nothing, or of something; none if the tag does not say. Layouts set nothing on a table
    /// and something on its cells, so that one has to be inherited.
    pub(super) no_size: Option<bool>,
}

/// How much of a tag's attributes is looked at.
const MOST_ATTRIBUTES: usize = 2048;

pub(super) fn looks(attributes: &str) -> Looks {
    if attributes.len() < 6 {
        return Looks::default();
    }
    let bare: String = attributes
        .chars()
        .take(MOST_ATTRIBUTES)
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_ascii_lowercase())
        .collect();
    let size = bare.rfind("font-size:").map(|at| is_nothing(bare.get(at + 10..).unwrap_or_default()));
    let no_opacity =
        bare.find("opacity:").is_some_and(|at| is_nothing(bare.get(at + 8..).unwrap_or_default()));
    let hidden = ["display:none", "visibility:hidden", "mso-hide:all", "gmail_quote"]
        .iter()
        .any(|style| bare.contains(style))
        || no_opacity
        || has_hidden_attribute(attributes);
    Looks { hidden, no_size: size }
}

/// Whether a length is zero: `0`, `0px`, `0.0em`, but not `0.5`.
fn is_nothing(value: &str) -> bool {
    value.starts_with('0')
        && !value
            .bytes()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'.'))
            .any(|byte| matches!(byte, b'1'..=b'9'))
}

/// `hidden` as a name of its own, not inside a value.
fn has_hidden_attribute(attributes: &str) -> bool {
    let mut quote = None;
    let mut name_starts = 0;
    for (at, byte) in attributes.bytes().chain([b' ']).enumerate().take(MOST_ATTRIBUTES) {
        match (quote, byte) {
            (Some(open), _) if byte == open => (quote, name_starts) = (None, at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'=') => {
                if attributes.get(name_starts..at).is_some_and(|name| name.eq_ignore_ascii_case("hidden")) {
                    return true;
                }
                // A value without quotes is not a name either.
                name_starts = if byte == b'=' { usize::MAX } else { at + 1 };
            }
            _ => {}
        }
    }
    false
}
