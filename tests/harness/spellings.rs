//! Finding what should not be there, however it is spelt: in clear, in hexadecimal digits, in base64 at any offset, in
//! per cent, as a list of numbers.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::bytes::Regex;

/// Any of the texts, in any spelling, in capitals or not.
pub fn any_of(texts: &[&str]) -> Regex {
    let needles: Vec<String> =
        texts.iter().flat_map(|text| spellings(text)).map(|spelt| regex::escape(&spelt)).collect();
    Regex::new(&format!("(?i-u){}", needles.join("|"))).expect("an expression")
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hexed, byte| hexed + &format!("{byte:02x}"))
}

fn spellings(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let hex = hexed(bytes);
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut spellings = vec![
        text.to_owned(),
        hex,
        numbers.join(", "),
        numbers.join(","),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        text.replace(' ', "+"),
        text.replace(' ', "%20"),
        text.escape_default().to_string(),
    ];
    for before in 0..3 {
        // Characters that depend on what stands around it are left out.
        let encoded = STANDARD_NO_PAD.encode([&b"xx"[..before], bytes].concat());
        let own = before + usize::from(before > 0)..encoded.len() - 2;
        let inner = encoded.get(own).expect("it is longer than that");
        spellings.extend([inner.to_owned(), inner.replace('+', "-").replace('/', "_")]);
    }
    spellings
}

/// What of the texts these bytes contain.
pub fn found_in(bytes: &[u8], texts: &[&str]) -> Vec<String> {
    let any = any_of(texts);
    any.find_iter(bytes).map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned()).collect()
}

/// The files under a folder that contain any of the texts, and what they contain.
pub fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
            continue;
        }
        let texts = found_in(&std::fs::read(&path).expect("bytes"), texts);
        found.extend(texts.iter().map(|text| format!("{text} in {}", path.display())));
    }
    found
}

#[test]
fn every_spelling_is_found() {
    let text = "Zoë at the pub";
    let around = [&b"a"[..], text.as_bytes(), b"b"].concat();
    for spelt in [
        String::from_utf8_lossy(&around).into_owned(),
        hexed(&around).to_uppercase(),
        STANDARD_NO_PAD.encode(&around),
        STANDARD_NO_PAD.encode(&around[1..]),
        format!("{:?}", text.as_bytes()),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().to_lowercase(),
    ] {
        assert!(!found_in(spelt.as_bytes(), &[text]).is_empty(), "{spelt}");
    }
    assert!(found_in(b"somebody else at the pub", &[text]).is_empty());
}
