//! Where rows come from: a file, its unzipped content, or standard input.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, stdin};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::bookmark::Identity;

/// How every gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What a path is called that is none.
pub const STANDARD_INPUT: &str = "-";

/// An input that is open.
pub struct Input {
    source: Source,
    /// What a plain file is known by: one that can be gone on with.
    pub identity: Option<Identity>,
    /// How long the file is, zipped where it is; `None` for standard input.
    pub length_bytes: Option<u64>,
    /// How much of that was read.
    pub read_bytes: Arc<AtomicU64>,
}

enum Source {
    File(Counting<File>),
    Stream(Box<dyn Read>),
}

impl Input {
    /// Opens a file, or standard input where it is called `-`; either may be zipped.
    ///
    /// # Errors
    /// When it cannot be opened, or its beginning not be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let read_bytes = Arc::new(AtomicU64::new(0));
        if path == Path::new(STANDARD_INPUT) {
            let mut input = stdin();
            let mut beginning = Vec::new();
            input.by_ref().take(GZIP.len() as u64).read_to_end(&mut beginning)?;
            let is_zipped = beginning == GZIP;
            let whole = Cursor::new(beginning).chain(input);
            let source: Box<dyn Read> =
                if is_zipped { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
            return Ok(Self {
                source: Source::Stream(source),
                identity: None,
                length_bytes: None,
                read_bytes,
            });
        }
        let mut file = File::open(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let identity = Identity::of(&name, &mut file)?;
        let mut beginning = Vec::new();
        file.by_ref().take(GZIP.len() as u64).read_to_end(&mut beginning)?;
        file.seek(SeekFrom::Start(0))?;
        let length_bytes = Some(identity.length_bytes);
        let counting = Counting { inner: file, read_bytes: Arc::clone(&read_bytes) };
        if beginning == GZIP {
            let source = Source::Stream(Box::new(MultiGzDecoder::new(counting)));
            return Ok(Self { source, identity: None, length_bytes, read_bytes });
        }
        Ok(Self { source: Source::File(counting), identity: Some(identity), length_bytes, read_bytes })
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::File(file) => file.read(buffer),
            Source::Stream(stream) => stream.read(buffer),
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.source {
            Source::File(file) => {
                let place = file.inner.seek(to)?;
                self.read_bytes.store(place, Ordering::Relaxed);
                Ok(place)
            }
            Source::Stream(_) => Err(io::Error::from(io::ErrorKind::NotSeekable)),
        }
    }
}

struct Counting<R> {
    inner: R,
    read_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read_bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
