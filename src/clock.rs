//! The wall clock, read once a request.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::domain::moment::Moment;

/// The only thing that knows what time it is.
#[derive(Clone, Debug)]
pub enum Clock {
    System,
    /// A clock that somebody sets: for tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn manual(start: Moment) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.millis())))
    }

    /// Sets a manual clock; the system's cannot be set.
    pub fn set(&self, moment: Moment) {
        if let Self::Manual(millis) = self {
            millis.store(moment.millis(), Ordering::SeqCst);
        }
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one home of the wall clock")]
    pub fn now(&self) -> Moment {
        match self {
            Self::System => Moment::from_millis(jiff::Timestamp::now().as_millisecond()),
            Self::Manual(millis) => Moment::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// The time since some moment or other. Unlike the wall clock it is never set back, so that nobody who may call
    /// again in a second waits for an hour.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the home of clocks")]
    pub fn elapsed(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => FIRST.elapsed(),
            Self::Manual(millis) => {
                Duration::from_millis(u64::try_from(millis.load(Ordering::SeqCst)).unwrap_or(0))
            }
        }
    }
}
