//! Lines at the rate at which their caller may ask: one that comes too early is held.

use std::sync::Arc;

use super::lines::{Line, Lines};
use crate::http::throttle::{Bucket, Empty};

/// Lines that each take one out of their caller's bucket.
pub struct Metered {
    pub lines: Lines,
    bucket: Option<Arc<Bucket>>,
    held: Option<(u64, Line)>,
    /// The request itself has paid for its first line.
    is_first: bool,
}

impl Metered {
    pub fn new(lines: Lines, bucket: Option<Arc<Bucket>>) -> Self {
        Self { lines, bucket, held: None, is_first: true }
    }

    /// The next line that has arrived and its number, if any has.
    ///
    /// # Errors
    /// When it must wait.
    pub fn next(&mut self) -> Result<Option<(u64, Line)>, Empty> {
        let has_waited = self.held.is_some();
        let Some(line) = self.held.take().or_else(|| self.lines.cut()) else { return Ok(None) };
        let paid = match &self.bucket {
            Some(bucket) if !std::mem::take(&mut self.is_first) => bucket.take_for_line(has_waited),
            Some(_) | None => Ok(()),
        };
        match paid {
            Ok(()) => Ok(Some(line)),
            Err(empty) => {
                self.held = Some(line);
                Err(empty)
            }
        }
    }
}
