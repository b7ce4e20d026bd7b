//! A list that is written: to a file that can be gone on with, or to standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::path::Path;

use csv::{Terminator, Writer, WriterBuilder};

use crate::cli::rows::{BYTE_ORDER_MARK, Manner};

pub struct Sheet {
    rows: Writer<BufWriter<Place>>,
}

enum Place {
    File(File),
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
    pub fn to_output(header: &[&str], manner: Manner) -> io::Result<Self> {
        Self::begin(Place::Output(stdout()), header, manner)
    }

    /// Goes on after so many bytes of an earlier run; what that run wrote beyond them is cut off. With none the
    /// file is made anew.
    ///
    /// # Errors
    /// When the file is shorter than that, or cannot be written.
    pub fn after(length_bytes: u64, path: &Path, header: &[&str], manner: Manner) -> io::Result<Self> {
        if length_bytes == 0 {
            return Self::begin(Place::File(File::create(path)?), header, manner);
        }
        let file = OpenOptions::new().append(true).open(path)?;
        if file.metadata()?.len() < length_bytes {
            return Err(io::Error::other("it is shorter than the earlier run left it"));
        }
        file.set_len(length_bytes)?;
        Ok(Self { rows: writer(Place::File(file), manner) })
    }

    fn begin(mut place: Place, header: &[&str], manner: Manner) -> io::Result<Self> {
        if manner.byte_order_mark {
            place.write_all(BYTE_ORDER_MARK)?;
        }
        let mut sheet = Self { rows: writer(place, manner) };
        sheet.rows.write_record(header)?;
        Ok(sheet)
    }

    /// # Errors
    /// When it cannot be written.
    pub fn write<'f>(&mut self, fields: impl IntoIterator<Item = &'f str>) -> io::Result<()> {
        Ok(self.rows.write_record(fields)?)
    }

    /// Sees that everything is written, to the disk where it is a file; then how long that is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle(&mut self) -> io::Result<u64> {
        self.rows.flush()?;
        match self.rows.get_ref().get_ref() {
            Place::File(file) => {
                file.sync_data()?;
                Ok(file.metadata()?.len())
            }
            Place::Output(_) => Ok(0),
        }
    }
}

fn writer(place: Place, manner: Manner) -> Writer<BufWriter<Place>> {
    let end = if manner.carriage_returns { Terminator::CRLF } else { Terminator::Any(b'\n') };
    WriterBuilder::new().terminator(end).from_writer(BufWriter::new(place))
}
