//! What the ledger is asked for, as spans of the requests that need it.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::watched::{Ended, Listener, Operation};

use super::passage;
use super::spans::{Kind, Recorder, Span, Value};

/// Makes a span of each operation that a sampled request waits for.
pub struct LedgerSpans {
    recorder: Arc<Recorder>,
}

impl LedgerSpans {
    #[must_use]
    pub const fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder }
    }
}

impl Listener for LedgerSpans {
    fn ended(&self, operation: Operation, took: Duration, Ended { failed, .. }: Ended) {
        let sampled = passage::current().map(|passage| passage.trace).filter(|trace| trace.is_sampled());
        let Some(trace) = sampled else { return };
        let ended = self.recorder.now();
        let failed = failed > 0;
        let error = failed.then(|| ("error.type", Value::Text("ledger".to_owned())));
        self.recorder.record(Span {
            context: trace.child(),
            name: format!("ledger {}", operation.name()),
            kind: Kind::Internal,
            began: ended.saturating_sub_unsigned(took.as_nanos() as u64),
            ended,
            attributes: error.into_iter().collect(),
            failed,
            state: None,
        });
    }
}
