//! Writes the document of the HTTP interface to standard output; `make openapi` puts it where the program finds it.

#![expect(clippy::print_stdout, reason = "it is what this is for")]

// The tests find it in the same way.
#[path = "document.rs"]
mod document;

fn main() -> serde_json::Result<()> {
    print!("{}", document::text()?);
    Ok(())
}
