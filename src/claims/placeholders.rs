//! What stands for something else: `{{first_name}}`, `[NAME]`, `%FNAME%`, an address on the web.

use super::markup::Seen;

/// Longest placeholder looked for, in characters.
const LONGEST: usize = 72;

/// Longest address looked at.
const LONGEST_ADDRESS: usize = 2048;

const OPENINGS: [(&str, &str); 9] = [
    ("{%", "%}"),
    ("{{", "}}"),
    ("${", "}"),
    ("#{", "}"),
    ("*|", "|*"),
    ("<%", "%>"),
    ("{", "}"),
    ("[", "]"),
    ("%", "%"),
];

/// Names of things that end in `name` and are no person's.
const NOT_PEOPLE: &str = "company business shop store product brand operator event webinar clinic practice dealer workshop plan \
    service order file tienda empresa boutique entreprise firma produkt producto produit team agent sender rep me \
    dealership salon restaurant hotel project user";

const PEOPLE: &str = "name fname lname first last full nombre apellido prenom nom vorname nachname anrede salutation contact \
    client cliente kunde customer patient member guest recipient";

/// The end of a placeholder that starts at `at`, and the word it is read as; none of these for a template's
/// own commands, whose contents count.
pub(super) fn read(seen: &[Seen], at: usize) -> Option<(usize, Option<&'static [u8]>)> {
    let first = seen.get(at)?.character;
    if !matches!(first, '{' | '$' | '#' | '*' | '<' | '[' | '%') {
        return None;
    }
    let window = seen.get(at..seen.len().min(at + LONGEST))?;
    let (open, close) = OPENINGS.iter().find(|(open, _)| starts_with(window, open))?;
    let inside_from = open.chars().count();
    let inside = window.get(inside_from..)?;
    let length =
        (0..inside.len()).find(|from| inside.get(*from..).is_some_and(|rest| starts_with(rest, close)))?;
    let inside: String = inside.iter().take(length).map(|seen| seen.character).collect();
    let end = at + inside_from + length + close.chars().count();
    if *open == "{%" || (*open == "{{" && inside.starts_with(['#', '/', '^', '!'])) || inside.trim() == "else"
    {
        return Some((end, None));
    }
    if !plausible(open, &inside) {
        return None;
    }
    let word: &[u8] = if is_person(&inside) { b"_name" } else { b"_place" };
    Some((end, Some(word)))
}

fn starts_with(seen: &[Seen], what: &str) -> bool {
    what.chars()
        .enumerate()
        .all(|(at, character)| seen.get(at).is_some_and(|seen| seen.character == character))
}

/// Brackets also hold remarks, and per cent signs follow numbers.
fn plausible(open: &str, inside: &str) -> bool {
    if inside.is_empty() || inside.contains('\n') {
        return false;
    }
    match open {
        "%" => {
            inside.len() < 32
                && inside.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        }
        "[" => inside.len() < 48 && inside.split_whitespace().count() <= 4,
        "{" => inside.split_whitespace().count() <= 4,
        _ => true,
    }
}

fn is_person(inside: &str) -> bool {
    let lower = inside.to_ascii_lowercase();
    let words = || lower.split(|character: char| !character.is_ascii_alphabetic());
    let among = |list: &str, word: &str| list.split_ascii_whitespace().any(|known| known == word);
    let named = words().any(|word| {
        among(PEOPLE, word) || (word.len() > 4 && (word.ends_with("name") || word.starts_with("first")))
    });
    named && !words().any(|word| among(NOT_PEOPLE, word))
}

const DOMAINS: &str = "com net org co uk us es fr de at ch io info biz app ly me eu gov edu shop store online link cat be nl it mx example test";

/// How far the written chunk at `at` goes, and whether it is an address on the web or of mail.
pub(super) fn address(seen: &[Seen], at: usize) -> (usize, bool) {
    let bytes = seen.get(at..seen.len().min(at + LONGEST_ADDRESS)).unwrap_or_default();
    // Cheap first: most words hold none of these.
    let (mut length, mut joined, mut joins) = (0, false, false);
    for seen in bytes {
        match seen.character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '/' => joins |= joined,
            '.' | '@' | ':' => joined = true,
            '?' | '=' | '&' | '%' | '#' | '+' | '~' => {}
            _ => break,
        }
        length += 1;
    }
    let chunk = bytes.get(..length).unwrap_or_default();
    if !joins {
        return (at + length, false);
    }
    let text: String = chunk.iter().map(|seen| seen.character.to_ascii_lowercase()).collect();
    let text = text.trim_end_matches(['.', ':', '?', '-', '&', ',']);
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let is_address = text.contains("://")
        || text.starts_with("www.")
        || host.rsplit_once('.').is_some_and(|(before, top)| {
            before.len() > 1
                && before.rsplit('.').next().is_none_or(|label| label.len() != 1)
                && DOMAINS.split_ascii_whitespace().any(|known| known == top)
        });
    if is_address { (at + text.len(), true) } else { (at + chunk.len(), false) }
}
