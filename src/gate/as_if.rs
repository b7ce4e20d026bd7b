//! Ask as if: what would be answered had earlier questions been asked in earnest. Nothing is stored.

use std::sync::Arc;

use crate::decide::Change;
use crate::domain::answer::Answer;
use crate::domain::question::{Misuse, Question};
use crate::domain::record::Record;
use crate::ledger::LedgerError;

use super::Gate;
use super::ask::{Item, Wanted};
use super::block::by_customer;

/// What earlier questions would have changed.
pub trait Earlier {
    /// Enters into the customer's record what matters to this question.
    fn enter(&self, question: &Question, record: &mut Arc<Record>);

    /// Remembers what this question would change; `false` says that there is no room for it.
    fn keep(&self, question: &Question, change: &Change) -> bool;
}

/// What came of a question that was not asked in earnest.
#[derive(Debug)]
pub enum AsIf {
    Answered(Box<Answer>),
    Misused(Vec<Misuse>),
    /// What it would change cannot be remembered; what comes after it would be judged wrongly.
    Crowded,
    /// The ledger could not be read.
    Failed(LedgerError),
}

impl Gate {
    /// Judges a block of questions as [`Gate::ask`] would, had `earlier` and those before them in the block been asked
    /// in earnest.
    pub async fn ask_as_if(&self, earlier: &impl Earlier, block: &[Item], wanted: Wanted) -> Vec<AsIf> {
        let lanes = by_customer(block);
        let customers: Vec<&str> = lanes.iter().map(|(customer, _)| *customer).collect();
        let loads = self.within(async { Ok(self.load_all(&customers).await) }).await;
        let loads = loads.unwrap_or_else(|error| vec![Err(error); lanes.len()]);
        let mut outcomes: Vec<AsIf> = block.iter().map(|_| AsIf::Crowded).collect();
        for ((_, places), loaded) in lanes.iter().zip(loads) {
            let loaded = loaded.map(|loaded| loaded.record);
            for place in places {
                let (Some(item), Some(outcome)) = (block.get(*place), outcomes.get_mut(*place)) else {
                    continue;
                };
                *outcome = match &loaded {
                    Ok(record) => self.judge_as_if(earlier, Arc::clone(record), item, wanted),
                    Err(error) => AsIf::Failed(error.clone()),
                };
            }
        }
        outcomes
    }

    fn judge_as_if(
        &self,
        earlier: &impl Earlier,
        mut record: Arc<Record>,
        item: &Item,
        wanted: Wanted,
    ) -> AsIf {
        let Item { question, now, .. } = item;
        earlier.enter(question, &mut record);
        match self.judge(&self.policy(), &record, question, wanted, *now) {
            Err(misuses) => AsIf::Misused(misuses),
            Ok(decision) if !earlier.keep(question, &decision.change) => AsIf::Crowded,
            Ok(decision) => AsIf::Answered(Box::new(self.with_names(decision.answer))),
        }
    }
}
