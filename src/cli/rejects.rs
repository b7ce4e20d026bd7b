//! The rows that could not be used, with their reasons: a CSV file, made when there is the first.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::columns::IN_FRONT;

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
    file: Option<csv::Writer<BufWriter<File>>>,
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
            let file = OpenOptions::new().append(true).open(&rejects.path)?;
            if file.metadata()?.len() < length_bytes {
                return Err(io::Error::other("it is shorter than the earlier run left it"));
            }
            file.set_len(length_bytes)?;
            rejects.file = Some(writer(file));
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
                let mut file = writer(File::create(&self.path)?);
                let own = IN_FRONT.map(str::to_owned);
                file.write_record(own.iter().chain(&self.header))?;
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
            file.write_record(own.into_iter().chain(fields).chain(std::iter::repeat_n(&b""[..], missing)))?;
        }
        file.flush()?;
        let inner = file.get_ref().get_ref();
        inner.sync_data()?;
        self.length_bytes = inner.metadata()?.len();
        self.file = Some(file);
        Ok(self.length_bytes)
    }
}

fn writer(file: File) -> csv::Writer<BufWriter<File>> {
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
