//! How long it takes to read a message: an e-mail of two kilobytes, and a quarter of a megabyte.

#![expect(clippy::expect_used, reason = "a benchmark that is set up wrongly should stop")]

use contact_governor::claims::{Message, OwnPhrases, Reader};
use divan::Bencher;
use divan::counter::BytesCount;

const LETTER: &str = "Dear Ms Ortiz,\n\nthe parcel with your order 8841 left the depot this morning and will be at the \
    door between nine and noon. The driver has the code for the gate. The invoice is in the portal under documents.\n\n\
    We are sorry that it took so long, and thank you for your trust over all these years. ";

fn main() {
    divan::main();
}

fn bench(bencher: Bencher<'_, '_>, text: &str) {
    let reader = Reader::new(&OwnPhrases::default()).expect("the built-in phrases are right");
    let message = Message { body: text, ..Message::default() };
    bencher.counter(BytesCount::of_str(text)).bench(|| reader.read(divan::black_box(&message)));
}

#[divan::bench]
fn two_kilobytes(bencher: Bencher<'_, '_>) {
    bench(bencher, &LETTER.repeat(2048 / LETTER.len()));
}

#[divan::bench]
fn quarter_of_a_megabyte(bencher: Bencher<'_, '_>) {
    bench(bencher, &LETTER.repeat(256 * 1024 / LETTER.len()));
}

#[divan::bench]
fn quarter_of_a_megabyte_of_markup(bencher: Bencher<'_, '_>) {
    let cell =
        "<tr><td style=\"padding:0 3px;font-size:14px\"><p>The invoice is in the portal.</p></td></tr>";
    bench(bencher, &cell.repeat(256 * 1024 / cell.len()));
}

#[divan::bench]
fn building_the_reader() -> Reader {
    Reader::new(&OwnPhrases::default()).expect("the built-in phrases are right")
}
