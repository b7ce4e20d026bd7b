//! Any text at all: it is read, and every span stands on character boundaries of what was given.

use contact_governor::claims::{Message, Part, built_in};

/// The first byte says what the text is; the first line is the subject, the rest the body.
pub fn claims(bytes: &[u8]) {
    const MEDIA_TYPES: [Option<&str>; 4] =
        [None, Some("text/html"), Some("text/plain"), Some("application/ssml+xml")];
    let (kind, text) = bytes.split_first().unwrap_or((&0, &[]));
    let text = String::from_utf8_lossy(text);
    let (subject, body) = text.split_once('\n').unwrap_or(("", &text));
    let media_type = MEDIA_TYPES[usize::from(*kind) % MEDIA_TYPES.len()];
    let message = Message { subject, body, media_type, ..Message::default() };
    let reading = built_in().read(&message);
    for span in &reading.spans {
        let part = match span.part {
            Part::Subject => subject,
            Part::Body => body,
        };
        assert!(span.start < span.end, "{span:?} is empty");
        assert!(part.get(span.start..span.end).is_some(), "{span:?} is not within {part:?}");
        assert!(reading.claims.iter().any(|claim| claim == span.claim), "{span:?} is not among the claims");
    }
    assert_eq!(built_in().read(&message), reading, "the same text read twice");
}
