//! Rows of a CSV file, one at a time, so that a broken one costs only itself.
//!
//! A reader of whole files takes a quote that nobody closes for the beginning of a field that goes on to the
//! end. Here lines are read one by one and joined only while a quote is open, up to a bound; where it is not
//! closed by then, or not properly, its line alone is broken and reading goes on with the next. What a
//! column means is not known here.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use csv::{ByteRecord, StringRecord, Terminator};

use super::lines::{self, Line};

/// The longest row, in bytes: no cell of anything that is imported needs a fraction of it.
pub const LONGEST_ROW_BYTES: usize = 64 * 1024;
/// The most lines of one row; it bounds how far one stray quote makes us look ahead.
pub const MOST_LINES: usize = 100;

/// What says that a file is UTF-8, on Windows.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What says that it is UTF-16.
const OTHER_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A place between two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the beginning of the file.
    pub offset_bytes: u64,
    /// The lines before it.
    pub lines: u64,
}

/// One row, or what should have been one.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its first line, counted from 1.
    pub line: u64,
    /// Where the next row begins.
    pub end: Place,
    pub fields: Result<StringRecord, Broken>,
}

/// A row that is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    pub fault: Fault,
    /// Its fields as far as they could be told apart: all of the line in one, where they could not.
    pub fields: ByteRecord,
}

/// Why a row is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A quote is opened and never closed, or closed in the middle of a field.
    OpenQuote,
    TooLong,
    Count {
        expected: usize,
        found: usize,
    },
    /// The field, counted from 0.
    NotUtf8 {
        field: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenQuote => out.write_str("a quote is opened here and never closed"),
            Self::TooLong => write!(out, "a row may have at most {LONGEST_ROW_BYTES} bytes"),
            Self::Count { expected, found } if found < expected => {
                write!(out, "it has only {found} of the header's {expected} fields")
            }
            Self::Count { expected, found } => {
                write!(out, "it has {found} fields where the header has {expected}")
            }
            Self::NotUtf8 { field } => write!(out, "field {} is not UTF-8", field + 1),
        }
    }
}

/// A physical line and where it ends.
#[derive(Clone, Debug)]
struct Physical {
    /// `None` where it was too long to be kept.
    bytes: Option<Vec<u8>>,
    end: Place,
}

/// The rows of a file whose first row is a header.
pub struct Rows<R> {
    input: Counted<BufReader<R>>,
    header: StringRecord,
    /// Lines looked at in vain for the end of a quote, to be read again.
    ahead: VecDeque<Physical>,
    read: Place,
    manner: Manner,
    splitter: csv::Reader<Fed>,
}

/// How a file is written, so that another can be written alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub byte_order_mark: bool,
    /// Whether its header ends as lines end on Windows.
    pub carriage_returns: bool,
}

impl<R: Read> Rows<R> {
    /// Reads the header; a byte order mark before it is passed over.
    ///
    /// # Errors
    /// When the input cannot be read, or begins with nothing that could be a header.
    pub fn open(input: R) -> io::Result<Self> {
        let splitter = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Lines end where `lines` says; a lone carriage return is part of a field.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Fed::default());
        let mut rows = Self {
            input: Counted { input: BufReader::with_capacity(LONGEST_ROW_BYTES, input), offset_bytes: 0 },
            header: StringRecord::new(),
            ahead: VecDeque::new(),
            read: Place { offset_bytes: 0, lines: 0 },
            manner: Manner::default(),
            splitter,
        };
        let unreadable = |why: &dyn fmt::Display| io::Error::new(io::ErrorKind::InvalidData, why.to_string());
        let beginning = rows.input.fill_buf()?;
        if OTHER_MARKS.iter().any(|mark| beginning.starts_with(mark)) {
            return Err(unreadable(&"it is written in UTF-16; save it as UTF-8"));
        }
        if beginning.starts_with(BYTE_ORDER_MARK) {
            rows.input.consume(BYTE_ORDER_MARK.len());
            rows.manner.byte_order_mark = true;
        }
        match rows.next_row()? {
            None => Err(unreadable(&"it is empty; the first row must name the columns")),
            Some(Row { fields: Err(broken), line, .. }) => {
                Err(unreadable(&format_args!("line {line}, the header: {}", broken.fault)))
            }
            Some(Row { fields: Ok(mut header), .. }) => {
                header.trim();
                rows.header = header;
                Ok(rows)
            }
        }
    }

    /// The names of the columns, without the blanks around them.
    #[must_use]
    pub const fn header(&self) -> &StringRecord {
        &self.header
    }

    #[must_use]
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// The next row; `None` at the end. Empty lines between rows are passed over.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        let first = loop {
            match self.line()? {
                None => return Ok(None),
                Some(Physical { bytes: Some(bytes), .. }) if without_return(&bytes).is_empty() => {}
                Some(first) => break first,
            }
        };
        let line = first.end.lines;
        let Some(mut bytes) = first.bytes else {
            return Ok(Some(broken(line, first.end, Fault::TooLong, ByteRecord::new())));
        };
        if bytes.len() > LONGEST_ROW_BYTES {
            return Ok(Some(broken(line, first.end, Fault::TooLong, ByteRecord::new())));
        }
        if self.header.is_empty() {
            self.manner.carriage_returns = bytes.ends_with(b"\r");
        }
        let mut quotes = Quotes::default();
        quotes.pass(&bytes);
        let length = bytes.len();
        let mut end = first.end;
        let mut joined = Vec::new();
        while quotes == Quotes::Open && joined.len() + 1 < MOST_LINES {
            let Some(more) = self.line()? else { break };
            let fits = |more: &Vec<u8>| bytes.len() + 1 + more.len() <= LONGEST_ROW_BYTES;
            let Some(text) = more.bytes.as_ref().filter(|more| fits(more)) else {
                joined.push(more);
                break;
            };
            bytes.push(b'\n');
            bytes.extend_from_slice(text);
            quotes.pass(b"\n");
            quotes.pass(text);
            end = more.end;
            joined.push(more);
        }
        if matches!(quotes, Quotes::Open | Quotes::Broken) {
            for more in joined.into_iter().rev() {
                self.ahead.push_front(more);
            }
            bytes.truncate(length);
            let whole = ByteRecord::from(vec![without_return(&bytes)]);
            return Ok(Some(broken(line, first.end, Fault::OpenQuote, whole)));
        }
        let fields = self.split(&bytes)?;
        Ok(Some(Row { line, end, fields }))
    }

    fn line(&mut self) -> io::Result<Option<Physical>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let Some(line) = lines::next(&mut self.input)? else { return Ok(None) };
        self.read = Place { offset_bytes: self.input.offset_bytes, lines: self.read.lines + 1 };
        let bytes = match line {
            Line::Whole(bytes) => Some(bytes),
            Line::TooLong => None,
        };
        Ok(Some(Physical { bytes, end: self.read }))
    }

    fn split(&mut self, row: &[u8]) -> io::Result<Result<StringRecord, Broken>> {
        self.splitter.get_mut().feed(without_return(row));
        let mut fields = ByteRecord::with_capacity(row.len(), self.header.len());
        self.splitter.read_byte_record(&mut fields)?;
        // The header, which sets the count, comes first.
        if !self.header.is_empty() && fields.len() != self.header.len() {
            let fault = Fault::Count { expected: self.header.len(), found: fields.len() };
            return Ok(Err(Broken { fault, fields }));
        }
        Ok(StringRecord::from_byte_record(fields).map_err(|error| Broken {
            fault: Fault::NotUtf8 { field: error.utf8_error().field() },
            fields: error.into_byte_record(),
        }))
    }
}

impl<R: Read + Seek> Rows<R> {
    /// Goes on from a place that [`Row::end`] told.
    ///
    /// # Errors
    /// When the input cannot be read there.
    pub fn go_on_from(&mut self, place: Place) -> io::Result<()> {
        self.input.input.seek(SeekFrom::Start(place.offset_bytes))?;
        self.input.offset_bytes = place.offset_bytes;
        self.read = place;
        self.ahead.clear();
        Ok(())
    }
}

fn broken(line: u64, end: Place, fault: Fault, fields: ByteRecord) -> Row {
    Row { line, end, fields: Err(Broken { fault, fields }) }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How the quotes of a row stand. Stricter than the splitter: where something follows a closing quote, the
/// quote that was open was none, as when a stray one on one line meets the first sound one on the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Quotes {
    /// At the beginning of a field.
    #[default]
    Before,
    /// Within a field that began without one; quotes mean nothing there.
    Plain,
    Open,
    /// After a quote within quotes: the end of the field, or the first half of a quote that is meant.
    Closing,
    /// After a closing quote and a carriage return, which only the end of the line may follow.
    Returning,
    Broken,
}

impl Quotes {
    fn pass(&mut self, bytes: &[u8]) {
        // Most lines have none.
        if matches!(self, Self::Before) && !bytes.contains(&b'"') {
            return;
        }
        for byte in bytes {
            *self = match (*self, byte) {
                (Self::Open, b'"') => Self::Closing,
                (Self::Before | Self::Closing, b'"') | (Self::Open, _) => Self::Open,
                (Self::Before | Self::Plain | Self::Closing, b',') => Self::Before,
                (Self::Before | Self::Plain, _) => Self::Plain,
                (Self::Closing, b'\r') => Self::Returning,
                (Self::Closing | Self::Returning | Self::Broken, _) => Self::Broken,
            };
        }
    }
}

/// What is split next. The splitter keeps nothing from one row to the next, and never sees an end.
#[derive(Default)]
struct Fed {
    row: Vec<u8>,
    taken: usize,
}

impl Fed {
    fn feed(&mut self, row: &[u8]) {
        self.row.clear();
        self.row.extend_from_slice(row);
        self.row.push(b'\n');
        self.taken = 0;
    }
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.row.get(self.taken..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

/// An input that knows how much of it was used.
struct Counted<R> {
    input: R,
    offset_bytes: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.offset_bytes += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, used: usize) {
        self.input.consume(used);
        self.offset_bytes += used as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// Every row as `line: field|field` or `line! reason [field|field]`.
    fn read(text: &[u8]) -> Vec<String> {
        let mut rows = Rows::open(Cursor::new(text)).expect("a header");
        let mut read = Vec::new();
        while let Some(row) = rows.next_row().expect("text") {
            read.push(match row.fields {
                Ok(fields) => format!("{}: {}", row.line, fields.iter().collect::<Vec<_>>().join("|")),
                Err(broken) => {
                    let fields: Vec<_> = broken.fields.iter().map(String::from_utf8_lossy).collect();
                    format!("{}! {} [{}]", row.line, broken.fault, fields.join("|"))
                }
            });
        }
        read
    }

    #[test]
    fn a_broken_row_costs_only_itself() {
        let open = "a quote is opened here and never closed";
        let cases: &[(&str, &[u8], &[&str])] = &[
            ("plain", b"a,b\n1,2\n3,4", &["2: 1|2", "3: 3|4"]),
            ("CRLF and a mark", b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,\"4\"\r\n", &["2: 1|2", "4: 3|4"]),
            ("a field of lines", b"a,b\n1,\"x\r\n\n\"\"y\"\"\"\n3,4\n", &["2: 1|x\r\n\n\"y\"", "5: 3|4"]),
            ("quotes within", b"a,b\n1,5\" pipe\n3,4\n", &["2: 1|5\" pipe", "3: 3|4"]),
            ("unclosed", b"a,b\n1,\"x\n3,4\n", &[&format!("2! {open} [1,\"x]"), "3: 3|4"]),
            (
                "unclosed before a sound one",
                b"a,b\n1,\"x\n\"3\",4\n5,6\n",
                &[&format!("2! {open} [1,\"x]"), "3: 3|4", "4: 5|6"],
            ),
            ("closed too soon", b"a,b\n1,\"x\"y\n3,4\n", &[&format!("2! {open} [1,\"x\"y]"), "3: 3|4"]),
            ("unclosed at the end", b"a,b\n1,2\n3,\"", &["2: 1|2", &format!("3! {open} [3,\"]")]),
            (
                "counts",
                b"a,b\n1\n1,2,3\n1,2\n",
                &[
                    "2! it has only 1 of the header's 2 fields [1]",
                    "3! it has 3 fields where the header has 2 [1|2|3]",
                    "4: 1|2",
                ],
            ),
            ("not UTF-8", b"a,b\n1,\xff\n1,2\n", &["2! field 2 is not UTF-8 [1|\u{fffd}]", "3: 1|2"]),
            ("a lone return", b"a,b\n1,x\ry\n", &["2: 1|x\ry"]),
            ("one column", b"a\nx\n\n\"\"\ny\n", &["2: x", "4: ", "5: y"]),
        ];
        for (name, text, expected) in cases {
            assert_eq!(read(text), *expected, "{name}");
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over() {
        let long = "x".repeat(LONGEST_ROW_BYTES);
        let longer = "x".repeat(lines::LONGEST_LINE_BYTES + 1);
        let text = format!("a,b\n{long},1\n{longer}\n1,2\n1,\"{long}\n3,4\n");
        let too_long = format!("a row may have at most {LONGEST_ROW_BYTES} bytes");
        let rows = read(text.as_bytes());
        assert_eq!(
            rows[..3],
            [format!("2! {too_long} []"), format!("3! {too_long} []"), "4: 1|2".to_owned()]
        );
        assert!(rows[3].starts_with(&format!("5! {too_long}")) && rows[4] == "6: 3|4", "{}", rows.len());

        let lines = "y\n".repeat(MOST_LINES);
        let text = format!("a\n\"x\n{lines}z\n");
        let rows = read(text.as_bytes());
        assert_eq!(rows[0], "2! a quote is opened here and never closed [\"x]");
        assert_eq!((rows.len(), rows[1].as_str()), (MOST_LINES + 2, "3: y"));
    }

    #[test]
    fn what_has_no_header_is_refused() {
        for (text, expected) in [
            (&b""[..], "it is empty"),
            (b"\n\n", "it is empty"),
            (b"\xff\xfea\0\n\0", "it is written in UTF-16; save it as UTF-8"),
            (b"a,\xff\n", "line 1, the header: field 2 is not UTF-8"),
            (b"a,\"b\n", "line 1, the header: a quote is opened"),
        ] {
            let error = Rows::open(Cursor::new(text)).err().expect("an error").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_as_csv_is_read_back(
            rows in (1_usize..4).prop_flat_map(|width| {
                let field = prop_oneof!["[a-c\"\r\n, ]{0,6}", any::<String>()];
                prop::collection::vec(prop::collection::vec(field, width), 1..8)
            }),
            returns in any::<bool>(),
            stop in any::<prop::sample::Index>(),
        ) {
            let terminator = if returns { Terminator::CRLF } else { Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            writer.write_record((0..rows[0].len()).map(|column| format!("column {column}"))).expect("a header");
            for row in &rows {
                writer.write_record(row).expect("a row");
            }
            let text = writer.into_inner().expect("text");
            let mut reader = Rows::open(Cursor::new(&text)).expect("a header");
            let (mut read, mut places) = (Vec::new(), Vec::new());
            while let Some(row) = reader.next_row().expect("text") {
                read.push(row.fields.expect("a sound row").iter().map(str::to_owned).collect::<Vec<_>>());
                places.push(row.end);
            }
            prop_assert_eq!(&read, &rows);
            // And from any place on it is the same again.
            let at = stop.index(places.len());
            reader.go_on_from(places[at]).expect("a place");
            let next = reader.next_row().expect("text").map(|row| row.fields.expect("a sound row"));
            let next = next.map(|fields| fields.iter().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(next.as_ref(), rows.get(at + 1));
        }
    }
}
