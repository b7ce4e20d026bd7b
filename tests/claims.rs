//! What the claims reader promises: what it reads, where, whatever it is given.

use contact_governor::claims::{Message, OwnPhrases, Part, PhraseList, Reader, Reading};
use contact_governor::domain::words::Claim;
use proptest::prelude::*;
use std::sync::LazyLock;

static READER: LazyLock<Reader> =
    LazyLock::new(|| Reader::new(&OwnPhrases::default()).expect("the built-in phrases are right"));

fn read(body: &str) -> Reading {
    READER.read(&Message { body, ..Message::default() })
}

fn names(reading: &Reading) -> String {
    reading.claims.iter().map(Claim::name).collect::<Vec<_>>().join(" ")
}

/// Each text and the claims read from it.
fn check(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(text, expected)| (names(&read(text)), text, expected))
        .filter(|(found, _, expected)| found != *expected)
        .map(|(found, text, expected)| format!("`{text}`: `{expected}` expected, `{found}` read"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_claim_is_read_in_four_languages() {
    check(&[
        ("We care about you and your family.", "care"),
        ("We are grateful for your trust over the years.", "gratitude"),
        ("We apologize for the late delivery.", "apology"),
        ("FINAL NOTICE: act now or lose your place.", "urgency"),
        ("I wrote this by hand, not a robot.", "personal"),
        ("Dear customer, the branch closes at five.", "generic_addressee"),
        ("Nos preocupamos por usted y por su salud.", "care"),
        ("Lamentamos mucho las molestias por el retraso.", "apology"),
        ("Estimado cliente, la oficina cierra a las cinco.", "generic_addressee"),
        ("Votre santé nous tient à cœur.", "care"),
        ("Nous vous prions d'accepter nos excuses.", "apology"),
        ("Madame, Monsieur, le guichet ferme à cinq heures.", "generic_addressee"),
        ("Ihre Gesundheit liegt uns am Herzen.", "care"),
        ("Wir entschuldigen uns für die Verspätung.", "apology"),
        ("Sehr geehrte Damen und Herren, die Filiale schließt um fünf.", "generic_addressee"),
    ]);
}

#[test]
fn look_alikes_claim_nothing() {
    check(&[
        ("Customer care is open from nine to five.", ""),
        ("Thanks to a new router the network is faster.", ""),
        ("Thank you for your payment of 12.50.", ""),
        ("Better safe than sorry: back up your files.", ""),
        ("You wrote: \"I miss you all so much.\" The ticket is closed.", ""),
        ("Personal loan rates start at 6 percent.", ""),
        ("Gracias por su pedido.", ""),
        ("Merci pour votre commande.", ""),
        ("Danke für Ihre Bestellung.", ""),
        ("Your code is 551204. It is valid for ten minutes.", ""),
    ]);
}

#[test]
fn disguises_are_read_through() {
    let plain = names(&read("We are so sorry for the mistake."));
    assert_eq!(plain, "apology");
    for disguised in [
        "We аre sо sоrry for the mistаke.",
        "We are so s\u{200b}o\u{200b}r\u{200b}r\u{200b}y for the mistake.",
        "We are so so\u{ad}rry for the mistake.",
        "We are so s0rry for the m1stake.",
        "We are so 𝐬𝐨𝐫𝐫𝐲 for the mistake.",
        "We are so ｓｏｒｒｙ for the mistake.",
        "We are so s o r r y for the mistake.",
        "We are so s.o.r.r.y for the mistake.",
        "We are so s\u{301}o\u{302}r\u{303}r\u{304}y for the mistake.",
        "We are so so<b></b>rry for the mistake.",
        "We are so so<!-- - -->rry for the mistake.",
        "We are so soooorry for the mistake.",
        "We are so so=\nrry for the mistake.=20",
        "We are so &#115;orry for the mistake.",
    ] {
        assert_eq!(names(&read(disguised)), plain, "{disguised}");
    }
}

#[test]
fn what_nobody_sees_claims_nothing() {
    check(&[
        ("<p style=\"display:none\">We miss you!</p><p>Your bill is ready.</p>", ""),
        ("<div hidden>We miss you!</div><p>Your bill is ready.</p>", ""),
        ("<td style=\"font-size:0px\">We miss you!</td>Your bill is ready.", ""),
        ("<!-- We miss you! --><p>Your bill is ready.</p>", ""),
        ("<style>p:before{content:'We miss you!'}</style><p>Your bill is ready.</p>", ""),
        ("<img alt=\"We miss you!\"><p>Your bill is ready.</p>", ""),
        ("Your bill is ready.\n\n> We miss you!\n> Come back!", ""),
        ("Your bill is ready.\n\nOn 3 May 2026 Al Ortiz <al@example.com> wrote:\nI miss you!", ""),
        ("{% if lapsed %}We miss you!{% endif %} The bill is ready.", "care"),
        ("<td style=\"font-size:0px\"><p style=\"font-size:14px\">We miss you!</p></td>", "care"),
    ]);
}

#[test]
fn spans_point_into_the_original() {
    let body = "<p>Guten Tag!</p><p>Es tut uns <b>l</b>eid, dass Ihr Paket zu spät kam.</p>";
    let reading = read(body);
    let span = reading.spans.iter().find(|span| span.claim == Claim::Apology).expect("an apology");
    assert_eq!(span.part, Part::Body);
    let words = body.get(span.start..span.end).expect("a span lies on character boundaries");
    assert!(words.contains("tut uns <b>l</b>eid"), "{words}");
    let subject =
        READER.read(&Message { subject: "We miss you!", body: "The bill is ready.", ..Message::default() });
    assert!(subject.spans.iter().all(|span| span.part == Part::Subject) && !subject.spans.is_empty());
}

#[test]
fn own_phrases_make_and_suppress() {
    let list = |list, phrase: &str| (Claim::Care, list, vec![phrase.to_owned()]);
    let reader = |lists| Reader::new(&OwnPhrases { lists }).expect("phrases are right");
    let care = |reader: &Reader, body| names(&reader.read(&Message { body, ..Message::default() }));
    let made = reader(vec![list(PhraseList::Phrases, "the (big|great) family hug*")]);
    assert_eq!(care(&made, "Here come the great family hugs on Monday."), "care");
    let suppressed = reader(vec![list(PhraseList::Not, "miss you at the checkout")]);
    assert_eq!(care(&suppressed, "We miss you at the checkout!"), "");
    assert_eq!(care(&suppressed, "We miss you!"), "care");
}

#[test]
fn wrong_phrases_are_all_told_with_their_place() {
    let phrases = ["fine", "open (bracket", "...", "{nobody}", "a*", ""].map(str::to_owned).to_vec();
    let mistakes = Reader::new(&OwnPhrases { lists: vec![(Claim::Value, PhraseList::Not, phrases)] })
        .expect_err("five of them are wrong");
    let places: Vec<usize> = mistakes.iter().map(|mistake| mistake.index).collect();
    assert_eq!(places, [1, 2, 3, 4, 5], "{mistakes:#?}");
    assert_eq!(mistakes[0].to_string(), "claims.value.not[1]: the phrase has a `(` without its `)`");
}

#[test]
fn long_messages_are_cut_and_said_to_be() {
    let body = format!("{}We miss you!", "The bill is ready. ".repeat(4_000));
    let reading = read(&body);
    assert!(reading.truncated && reading.claims.is_empty());
    let words = format!("{}We miss you!", "a ".repeat(13_000));
    assert!(read(&words).truncated, "more words than are read");
    assert!(!read("We miss you!").truncated);
}

/// Texts with more of what is special here than chance would bring.
fn odd_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<p>"),
        Just("</p>"),
        Just("<b"),
        Just("<!--"),
        Just("-->"),
        Just("<style>"),
        Just("&amp;"),
        Just("&#x1F600;"),
        Just("=E2=80=99"),
        Just("=\n"),
        Just("{{"),
        Just("}}"),
        Just("[NAME]"),
        Just("%A%"),
        Just("\""),
        Just("«"),
        Just("»"),
        Just("> "),
        Just("\n"),
        Just("On 1 May x wrote:\n"),
        Just("we care about you "),
        Just("s o r r y "),
        Just("c4re"),
        Just("\u{200b}"),
        Just("\u{301}"),
        Just("ß"),
        Just("𝐰𝐞"),
        Just("сare"),
        Just("ﬁ"),
        Just("’"),
        Just("❤️"),
        Just("Dear customer, "),
        Just("style=\"display:none\""),
        Just(">"),
        Just("<"),
        Just("."),
        Just(" "),
        Just("\u{202e}"),
    ]
    .prop_map(str::to_owned);
    let any = any::<String>();
    proptest::collection::vec(prop_oneof![4 => piece, 1 => any], 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spans_lie_on_character_boundaries(subject in odd_text(), body in odd_text()) {
        let message = Message { subject: &subject, body: &body, ..Message::default() };
        let reading = READER.read(&message);
        for span in &reading.spans {
            let text = if span.part == Part::Subject { &subject } else { &body };
            prop_assert!(span.start < span.end && text.get(span.start..span.end).is_some(), "{span:?}");
        }
        let claimed = reading.spans.iter().map(|span| span.claim).collect();
        prop_assert_eq!(reading.claims, claimed);
        prop_assert_eq!(READER.read(&message), reading);
    }

    #[test]
    fn markup_said_to_be_markup_is_read_too(body in odd_text()) {
        let message = Message { body: &body, media_type: Some("text/html"), ..Message::default() };
        let reading = READER.read(&message);
        prop_assert!(reading.spans.iter().all(|span| body.get(span.start..span.end).is_some()));
    }

}

proptest! {
    // Building a reader takes long, so many phrases are tried at once.
    #![proptest_config(ProptestConfig::with_cases(1))]

    #[test]
    fn no_phrase_makes_the_reader_panic(phrases in proptest::collection::vec("[a-z(){}|?*._^$ ]{0,40}", 256)) {
        let _ = Reader::new(&OwnPhrases { lists: vec![(Claim::Care, PhraseList::Phrases, phrases)] });
    }
}
