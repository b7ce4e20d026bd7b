//! A block of questions: what the ledger knows is read for all at once, judged customer by customer, and stored for all at
//! once. Who loses a race for a record goes the way of a single question.

use std::collections::HashMap;

use futures_util::future::join_all;
use smallvec::SmallVec;

use crate::domain::answer::Answer;
use crate::domain::moment::Moment;
use crate::domain::question::Misuse;
use crate::ledger::{Committed, LedgerError, Loaded};

use super::Gate;
use super::ask::{Item, Turns, Wanted};
use super::commit::Storing;

/// The places in a block of one customer's questions.
type Places = SmallVec<[usize; 2]>;

/// An answer that is cheap to move.
pub(super) type BoxedAnswer = Result<Box<Answer>, Vec<Misuse>>;

/// What came of one customer's questions at the first try.
enum Tried {
    /// Their answers, in their order.
    Answered(SmallVec<[BoxedAnswer; 1]>),
    Lost,
    Failed(LedgerError),
}

impl Gate {
    /// Judges each question as [`Gate::ask`] does, those about one customer in their order; their answers, in the order of
    /// the block, with no note of what was refused.
    pub(super) async fn ask_block(&self, block: &[Item], wanted: Wanted) -> Vec<BoxedAnswer> {
        let lanes = by_customer(block);
        let tried = self.within(async { Ok(self.try_block(block, &lanes, wanted).await) }).await;
        let tried = match tried {
            Ok(tried) => tried,
            Err(error) => lanes.iter().map(|_| Tried::Failed(error.clone())).collect(),
        };
        let mut answers: Vec<(usize, BoxedAnswer)> = Vec::with_capacity(block.len());
        let mut again = Vec::new();
        for ((_, places), tried) in lanes.into_iter().zip(tried) {
            match tried {
                Tried::Answered(answered) => answers.extend(places.into_iter().zip(answered)),
                Tried::Lost => again.push((places, None)),
                Tried::Failed(error) => again.push((places, Some(error))),
            }
        }
        let again = again.into_iter().map(|(places, error)| self.ask_in_turn(block, places, wanted, error));
        answers.extend(join_all(again).await.into_iter().flatten());
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answered)| answered).collect()
    }

    /// One customer's questions as single ones; blind, where the ledger has failed.
    async fn ask_in_turn(
        &self,
        block: &[Item],
        places: Places,
        wanted: Wanted,
        error: Option<LedgerError>,
    ) -> Vec<(usize, BoxedAnswer)> {
        let mut answers = Vec::with_capacity(places.len());
        for place in places {
            let Some(Item { question, now }) = block.get(place) else { continue };
            let answered = match &error {
                None => self.ask_unnoted(question, wanted, *now).await,
                Some(error) => self.ask_blind(question, *now, error).await,
            };
            answers.push((place, answered.map(Box::new)));
        }
        answers
    }

    async fn try_block(&self, block: &[Item], lanes: &[(&str, Places)], wanted: Wanted) -> Vec<Tried> {
        let customers: Vec<&str> = lanes.iter().map(|(customer, _)| *customer).collect();
        let loads = self.load_all(&customers).await;
        let mut storing = Vec::with_capacity(lanes.len());
        let mut stored = Vec::with_capacity(lanes.len());
        let mut tried: Vec<Tried> = Vec::with_capacity(lanes.len());
        for (place, ((customer, places), loaded)) in lanes.iter().zip(loads).enumerate() {
            tried.push(match loaded {
                Err(error) => Tried::Failed(error),
                Ok(loaded) => {
                    let items = places.iter().filter_map(|place| block.get(*place));
                    let (answers, change) = self.judge_in_turn(customer, loaded, items, wanted);
                    if let Some(change) = change {
                        storing.push(change);
                        stored.push(place);
                    }
                    Tried::Answered(answers)
                }
            });
        }
        let latest = block.last().map_or(Moment::from_millis(0), |item| item.now);
        for (place, committed) in stored.into_iter().zip(self.commit_all(storing, latest).await) {
            let Some(tried) = tried.get_mut(place) else { continue };
            match committed {
                Ok(Committed::Stored) => {}
                Ok(Committed::Conflict) => *tried = Tried::Lost,
                Err(error) => *tried = Tried::Failed(error),
            }
        }
        tried
    }

    /// Judges one customer's questions, each as if what was decided on those before it were stored.
    fn judge_in_turn<'i>(
        &self,
        customer: &str,
        loaded: Loaded,
        items: impl Iterator<Item = &'i Item>,
        wanted: Wanted,
    ) -> (SmallVec<[BoxedAnswer; 1]>, Option<Storing>) {
        let mut turns = Turns::of(self, customer, loaded);
        let mut latest = Moment::from_millis(0);
        let answers = items
            .map(|Item { question, now }| {
                latest = *now;
                turns.take(question, wanted, *now).map(Box::new)
            })
            .collect();
        (answers, turns.end(latest))
    }
}

/// The places of each customer's questions in a block, in their order; customers in that of their first.
pub(super) fn by_customer(block: &[Item]) -> Vec<(&str, Places)> {
    let mut lanes: Vec<(&str, Places)> = Vec::with_capacity(block.len());
    let mut known: HashMap<&str, usize> = HashMap::with_capacity(block.len());
    for (place, item) in block.iter().enumerate() {
        let customer = &*item.question.customer;
        let lane = *known.entry(customer).or_insert(lanes.len());
        match lanes.get_mut(lane) {
            Some((_, places)) => places.push(place),
            None => lanes.push((customer, SmallVec::from_slice(&[place]))),
        }
    }
    lanes
}
