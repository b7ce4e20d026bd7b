//! Any text at all: it is read, and every span stands on character boundaries of what was given.

#![no_main]

use contact_governor::claims::{Message, Part, built_in};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str, u8)| {
    let (subject, body, kind) = texts;
    let media_type = [None, Some("text/html"), Some("text/plain"), Some("application/ssml+xml")];
    let message = Message {
        subject,
        body,
        media_type: media_type[usize::from(kind) % media_type.len()],
        ..Message::default()
    };
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
});
