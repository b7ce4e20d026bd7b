//! The file's rows: which client, last called when, how often in all.

use std::io::Read;

use csv::{ErrorKind, ReaderBuilder, StringRecord, StringRecordsIntoIter, Terminator, Trim};
use jiff::civil::Date;

/// The first row's year; the file names none.
const FIRST_YEAR: i16 = 2008;

/// The real file's most is 63. More than this is a slip, and a line is written for each.
const MOST_CALLS: u16 = 1_000;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The row, counted from 1 without the header; rows left out are counted too.
    pub number: u32,
    /// The line in the file.
    pub line: u64,
    pub last_day: Date,
    /// At least 1, at most [`MOST_CALLS`].
    pub calls: u16,
}

/// What is wrong with a file or a row of it.
#[derive(Debug, thiserror::Error)]
pub enum Bad {
    #[error("{0}")]
    Source(csv::Error),
    #[error("missing {missing}; the first line must name the columns, separated by `;`")]
    Columns { missing: String },
    #[error("line {line}: {detail}")]
    Row { line: u64, detail: String },
}

impl Bad {
    pub fn row(line: u64, detail: impl Into<String>) -> Self {
        Self::Row { line, detail: detail.into() }
    }
}

/// Where the columns are that matter here.
struct Columns {
    day: usize,
    month: usize,
    campaign: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, Bad> {
        let place = |name: &str| header.iter().position(|column| column == name);
        match (place("day"), place("month"), place("campaign")) {
            (Some(day), Some(month), Some(campaign)) => Ok(Self { day, month, campaign }),
            _ => {
                let missing = ["day", "month", "campaign"].into_iter().filter(|name| place(name).is_none());
                let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
                let kind = if missing.len() == 1 { "column" } else { "columns" };
                Err(Bad::Columns { missing: format!("{kind} {}", missing.join(", ")) })
            }
        }
    }
}

/// The clients in the file's order, a bad row in its place.
pub struct Rows<R> {
    records: StringRecordsIntoIter<R>,
    columns: Columns,
    read: u32,
    /// Year and month of the last good row: a month before it belongs to the next year.
    latest: (i16, i8),
}

impl<R: Read> Rows<R> {
    /// # Errors
    /// When the header cannot be read or lacks a column.
    pub fn read(source: R) -> Result<Self, Bad> {
        // A row ends with the line feed alone, so that rows are on the lines an editor shows; the carriage
        // return before it is trimmed away.
        let mut reader = ReaderBuilder::new()
            .delimiter(b';')
            .terminator(Terminator::Any(b'\n'))
            .trim(Trim::All)
            .from_reader(source);
        let columns = Columns::find(reader.headers().map_err(Bad::Source)?)?;
        Ok(Self { records: reader.into_records(), columns, read: 0, latest: (FIRST_YEAR, 1) })
    }

    fn client(&mut self, record: &StringRecord) -> Result<Client, Bad> {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or("");
        let bad = |detail: String| Bad::row(line, detail);

        let month = field(self.columns.month);
        let month = (1..)
            .zip(MONTHS)
            .find_map(|(number, name)| name.eq_ignore_ascii_case(month).then_some(number))
            .ok_or_else(|| bad(format!("`{month}` is not a month (`jan` to `dec`)")))?;
        let year = self.latest.0 + i16::from(month < self.latest.1);
        let day = field(self.columns.day);
        let last_day = day
            .parse()
            .ok()
            .and_then(|day| Date::new(year, month, day).ok())
            .ok_or_else(|| bad(format!("`{day}` is not a day of month {month} in {year}")))?;
        let calls = field(self.columns.campaign);
        let calls = calls
            .parse()
            .ok()
            .filter(|calls| (1..=MOST_CALLS).contains(calls))
            .ok_or_else(|| bad(format!("`{calls}` is not a number of calls (1 to {MOST_CALLS})")))?;

        self.latest = (year, month);
        Ok(Client { number: self.read, line, last_day, calls })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Client, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        self.read = self.read.saturating_add(1);
        Some(record.map_err(unreadable).and_then(|record| self.client(&record)))
    }
}

/// A row with too few fields or broken text is only a bad row; a file that cannot be read is the end.
fn unreadable(error: csv::Error) -> Bad {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Bad::row(line, format!("fields: {len}, in the header: {expected_len}"))
        }
        ErrorKind::Utf8 { .. } => Bad::row(line, "is not UTF-8 text"),
        _ => Bad::Source(error),
    }
}
