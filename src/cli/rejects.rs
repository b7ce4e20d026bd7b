//! The rows that could not be used, with their reasons: a CSV file, made when there is the first.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::columns::IN_FRONT;
use super::failure::unwrapped;
use super::whole_file::WholeFile;

/// A row that is not used.
#[derive(Debug)]
pub struct Reject {
    pub line: u64,
    pub reason: String,
    pub fields: ByteRecord,
}

/// Where rejected rows go.
pub struct Rejects {
    path: PathBuf,
    header: Vec<String>,
    /// How many fields in front of each row stay out.
    in_front: usize,
    file: Option<csv::Writer<BufWriter<WholeFile>>>,
    length_bytes: u64,
}

impl Rejects {
    /// Goes on after so many bytes of an earlier run; what that run wrote beyond them is cut off. With none,
    /// an earlier run's rejects are removed.
    ///
    /// # Errors
    /// When the file is somebody else's, is shorter than that, or cannot be used.
    pub fn after(
        length_bytes: u64,
        path: PathBuf,
        header: &StringRecord,
        in_front: usize,
    ) -> io::Result<Self> {
        let header = header.iter().skip(in_front).map(str::to_owned).collect();
        let mut rejects = Self { path, header, in_front, file: None, length_bytes };
        if length_bytes > 0 {
            rejects.file = Some(writer(WholeFile::after(length_bytes, &rejects.path)?));
        } else if rejects.path.try_exists()? {
            if !is_ours(&rejects.path)? {
                return Err(io::Error::other("it is no rejects file, and would be overwritten"));
            }
            std::fs::remove_file(&rejects.path)?;
        }
        Ok(rejects)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes rows and returns, once they are on disk, how long the file is.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &[Reject]) -> io::Result<u64> {
        if rows.is_empty() {
            return Ok(self.length_bytes);
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = writer(WholeFile::create(&self.path)?);
                let own = IN_FRONT.map(str::to_owned);
                file.write_record(own.iter().chain(&self.header)).map_err(unwrapped)?;
                file
            }
        };
        for row in rows {
            let line = row.line.to_string();
            let own = [line.as_bytes(), row.reason.as_bytes()];
            let fields = row.fields.iter().skip(self.in_front);
            // What has too few fields is filled up, so that the rest of the file stays in its columns.
            let missing =
                (self.header.len() + self.in_front).saturating_sub(row.fields.len().max(self.in_front));
            let filled = std::iter::repeat_n(&b""[..], missing);
            file.write_record(own.into_iter().chain(fields).chain(filled)).map_err(unwrapped)?;
        }
        file.flush()?;
        self.length_bytes = file.get_ref().get_ref().settle()?;
        self.file = Some(file);
        Ok(self.length_bytes)
    }
}

fn writer(file: WholeFile) -> csv::Writer<BufWriter<WholeFile>> {
    csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(file))
}

/// Whether a file begins as ours do; an empty one may be anybody's.
fn is_ours(path: &Path) -> io::Result<bool> {
    let begins = IN_FRONT.join(",");
    let mut line = String::new();
    let mut start = BufReader::new(File::open(path)?.take(begins.len() as u64));
    // What is not text is not ours.
    Ok(start.read_line(&mut line).is_ok() && (line.is_empty() || line == begins))
}
