//! Ask as if: what would be answered had some contacts been reserved before. Nothing is stored.

use std::sync::Arc;

use crate::decide::{self, Decision};
use crate::domain::contact::Contact;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question};
use crate::ledger::LedgerError;

use super::Gate;

impl Gate {
    /// Judges the question as [`Gate::ask`] would, had `earlier` been reserved for its customer before. What
    /// the decision would have stored is left to the caller, who may judge the next question as if it were.
    ///
    /// # Errors
    /// When the ledger cannot be read; within, when the question cannot be judged.
    pub async fn ask_as_if(
        &self,
        question: &Question,
        earlier: Vec<Contact>,
        now: Moment,
    ) -> Result<Result<Decision, Vec<Misuse>>, LedgerError> {
        let mut record = self.within(self.load(&question.customer)).await?.record;
        if !earlier.is_empty() {
            let record = Arc::make_mut(&mut record);
            for contact in earlier {
                record.reserve(contact);
            }
        }
        Ok(decide::decide(&self.policy, &self.ledger.halts(), &record, question, now))
    }
}
