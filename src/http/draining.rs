//! Whether the instance was asked to stop and goes on answering for a little while, until nobody sends it more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cloning gives another handle to it.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
