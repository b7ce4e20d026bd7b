//! A CSV file, as `import` and `scrub` read it.

use std::io::Cursor;

use contact_governor::cli::columns::{Columns, Said};
use contact_governor::cli::import::entry::Import;
use contact_governor::cli::import::kind::Kind;
use contact_governor::cli::rows::{LONGEST_ROW_BYTES, Row, Rows};

/// More rows than this of one file tell nothing new.
const MOST_ROWS: usize = 200;

/// Rows go forward and cover the file; whoever goes on from the end of one reads what follows it, and the same of it;
/// a row becomes JSON or a reason why not.
pub fn csv_rows(bytes: &[u8]) {
    let Ok(mut rows) = Rows::open(Cursor::new(bytes)) else { return };
    let header = rows.header().clone();
    let mut all: Vec<Row> = Vec::new();
    while let Some(row) = rows.next_row().expect("bytes in memory can be read") {
        let before = all.last().map_or(0, |before| before.end.offset_bytes);
        assert!(row.end.offset_bytes > before, "{row:?} ends before it begins");
        assert!(row.end.offset_bytes <= bytes.len() as u64, "{row:?} ends behind the file");
        assert!(row.line <= row.end.lines, "{row:?}");
        if let Ok(fields) = &row.fields {
            assert_eq!(fields.len(), header.len(), "{row:?}");
            assert!(fields.as_slice().len() <= LONGEST_ROW_BYTES, "{row:?}");
        }
        all.push(row);
        if all.len() == MOST_ROWS {
            break;
        }
    }
    let half = all.len() / 2;
    if let Some(before) = half.checked_sub(1).and_then(|last| all.get(last)) {
        rows.go_on_from(before.end).expect("a place in the file");
        for expected in all.iter().skip(half) {
            let again = rows.next_row().expect("bytes in memory can be read");
            assert_eq!(again.as_ref(), Some(expected), "read again from the middle");
        }
    }
    for kind in [Kind::Consents, Kind::Suppressions, Kind::Facts] {
        entries(kind, &header, &all);
    }
}

fn entries(kind: Kind, header: &csv::StringRecord, rows: &[Row]) {
    let said = Said { maps: &[], sets: &[], texts: &[] };
    match Columns::find(kind.vocabulary(), header, said) {
        Err(mistakes) => assert!(!mistakes.is_empty(), "refused without a reason"),
        Ok(columns) => {
            let (file, source) = ("list.csv".to_owned(), "import:list".to_owned());
            let import = Import { kind, columns, file, source, begun: "2026-11-16T12:00:00Z".to_owned() };
            for row in rows {
                let Ok(fields) = &row.fields else { continue };
                match import.entry(row.line, fields) {
                    Ok(entry) => assert!(!entry.customer.is_empty() && entry.body.is_object(), "{entry:?}"),
                    Err(why) => assert!(!why.is_empty()),
                }
            }
        }
    }
}
