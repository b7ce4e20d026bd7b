//! One request on its way through this program: what it is called, and where it stands in its trace. Whatever is said or
//! written meanwhile, in a log line or another log, finds that here.
//!
//! It is no `tracing` span. A span is made, named, stored and dropped for each request whether or not anybody says
//! anything; this is a copy into a place of the thread, and back, each time the request goes on (ADR 15).

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use super::request_id::RequestId;
use super::trace_context::TraceContext;

thread_local! {
    static CURRENT: Cell<Option<Passage>> = const { Cell::new(None) };
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    pub request: RequestId,
    pub trace: TraceContext,
}

/// Puts back what was there before.
struct Before(Option<Passage>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The request that is being worked for on this thread, if it is one.
#[must_use]
pub fn current() -> Option<Passage> {
    CURRENT.get()
}

/// What that request is called.
#[must_use]
pub fn request() -> Option<RequestId> {
    current().map(|passage| passage.request)
}

impl Passage {
    /// Works for this request.
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _before = Before(CURRENT.replace(Some(self)));
        work()
    }

    /// Works for this request whenever the work goes on.
    pub async fn throughout<F: Future>(self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| self.during(|| work.as_mut().poll(context))).await
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::domain::moment::Moment;

    fn passage() -> Passage {
        Passage { request: RequestId::mint(Moment::from_millis(0)), trace: TraceContext::begin() }
    }

    #[test]
    fn it_is_current_for_as_long_as_it_is_worked_for_and_no_longer() {
        let (outer, inner) = (passage(), passage());
        outer.during(|| {
            assert_eq!(current(), Some(outer));
            inner.during(|| assert_eq!(current(), Some(inner)));
            let panicked = catch_unwind(AssertUnwindSafe(|| inner.during(|| panic!("a handler's"))));
            assert!(panicked.is_err());
            assert_eq!(current(), Some(outer));
        });
        assert_eq!(current(), None);
    }

    #[test]
    fn requests_that_take_turns_do_not_take_each_others_names() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let work = |passage: Passage| {
            passage.throughout(async move {
                for _ in 0..3 {
                    assert_eq!(current(), Some(passage));
                    tokio::task::yield_now().await;
                }
            })
        };
        runtime.block_on(async { tokio::join!(work(passage()), work(passage())) });
        assert_eq!(current(), None);
    }
}
