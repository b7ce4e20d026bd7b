//! Whoever counts what passes the gate hears of it here, once it is stored.

use crate::domain::answer::Answer;
use crate::domain::event::Event;
use crate::domain::moment::{Moment, Span};
use crate::domain::question::Question;

use super::Gate;

/// Hears what was answered and told. It is called for every ask: it must be quick, and never wait.
pub trait Witness: Send + Sync {
    /// A question was answered, with the ledger or without; what the answer promises is stored.
    fn answered(&self, question: &Question, answer: &Answer, now: Moment);

    /// An event was stored. `sender`: who sent the contact it is about, where that is known.
    fn told(&self, event: &Event, sender: Option<&str>, now: Moment);

    /// Somebody waited for a person so long, by the kind of follow-up, and need not any more.
    fn waited(&self, kind: &str, span: Span);

    /// Something was not done, since too many others wrote the same record at once.
    fn gave_up(&self);
}

impl Gate {
    /// An answer is about to be given: it is counted, and compared with what is only tried.
    pub(super) fn observe(&self, question: &Question, answer: &Answer, now: Moment) {
        self.shadowing.compare(&self.force(), question, answer, now);
        if let Some(witness) = &self.terms.witness {
            witness.answered(question, answer, now);
        }
    }
}
