//! Placeholder until tables.
use std::io::Write;
#[cfg(not(feature = "lab"))]
use contact_governor::claims::{Message, OwnPhrases, Reader};
#[cfg(feature = "lab")]
use claims_lab::claims::{Message, OwnPhrases, Reader};
fn main() {
    let reader = Reader::new(&OwnPhrases::default()).unwrap();
    let path = std::env::args().nth(1).unwrap();
    let out = std::io::stdout();
    let mut out = out.lock();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let x: serde_json::Value = serde_json::from_str(line).unwrap();
        let reading = reader.read(&Message { body: x["text"].as_str().unwrap(), ..Message::default() });
        let labels: Vec<_> = reading.claims.iter().map(|c| c.name()).collect();
        writeln!(out, "{}", serde_json::json!({"id": x["id"], "labels": labels})).unwrap();
    }
}
