//! A list that is written: to a file that can be gone on with, or to standard output.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::path::Path;

use csv::{Terminator, Writer, WriterBuilder};

use crate::cli::Exit;
use crate::cli::failure::{Failure, unwrapped};
use crate::cli::rows::{BYTE_ORDER_MARK, Manner};
use crate::cli::whole_file::WholeFile;

pub struct Sheet {
    rows: Writer<BufWriter<Place>>,
    /// What it is called when it cannot be written.
    name: String,
}

enum Place {
    File(WholeFile),
    Output(Stdout),
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Output(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Output(output) => output.flush(),
        }
    }
}

impl Sheet {
    /// To standard output.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn to_output(header: &[&str], manner: Manner) -> Result<Self, Failure> {
        Self::begin(Place::Output(stdout()), "to standard output".to_owned(), header, manner)
    }

    /// Goes on after so many bytes of an earlier run; what that run wrote beyond them is cut off. With none the
    /// file is made anew.
    ///
    /// # Errors
    /// When the file is shorter than that, or cannot be written.
    pub fn after(length_bytes: u64, path: &Path, header: &[&str], manner: Manner) -> Result<Self, Failure> {
        let name = format!("`{}`", path.display());
        if length_bytes == 0 {
            let file = WholeFile::create(path).map_err(|error| unwritable(&name, &error))?;
            return Self::begin(Place::File(file), name, header, manner);
        }
        let file = WholeFile::after(length_bytes, path).map_err(|error| unwritable(&name, &error))?;
        Ok(Self { rows: writer(Place::File(file), manner), name })
    }

    fn begin(mut place: Place, name: String, header: &[&str], manner: Manner) -> Result<Self, Failure> {
        if manner.byte_order_mark {
            place.write_all(BYTE_ORDER_MARK).map_err(|error| unwritable(&name, &error))?;
        }
        let mut sheet = Self { rows: writer(place, manner), name };
        sheet.write(header.iter().copied())?;
        Ok(sheet)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write<'f>(&mut self, fields: impl IntoIterator<Item = &'f str>) -> Result<(), Failure> {
        self.rows.write_record(fields).map_err(|error| unwritable(&self.name, &unwrapped(error)))
    }

    /// Sees that everything is written, to the disk where it is a file; then how long that is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle(&mut self) -> Result<u64, Failure> {
        let flushed = self.rows.flush();
        let settled = flushed.and_then(|()| match self.rows.get_ref().get_ref() {
            Place::File(file) => file.settle(),
            Place::Output(_) => Ok(0),
        });
        settled.map_err(|error| unwritable(&self.name, &error))
    }
}

fn writer(place: Place, manner: Manner) -> Writer<BufWriter<Place>> {
    let end = if manner.carriage_returns { Terminator::CRLF } else { Terminator::Any(b'\n') };
    WriterBuilder::new().terminator(end).from_writer(BufWriter::new(place))
}

/// Whoever read the list may have seen enough, as `head` does; that is no failure.
fn unwritable(name: &str, error: &io::Error) -> Failure {
    let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::Done } else { Exit::Refused };
    Failure { exit, why: format!("cannot write {name}: {error}") }
}
