//! The search for the first moment at which everything would pass.
//!
//! Each clause that refuses at a candidate says when it might first do otherwise; the latest of those
//! is the next candidate, for nothing before it can be allowed. The first candidate nobody refuses is
//! therefore the very first moment there is: tight to the millisecond.

use crate::domain::condition::Circumstances;
use crate::domain::moment::Moment;
use crate::rules::earliest;
use crate::rules::scene::Scene;

use super::clause::Clause;

/// How many candidates one search may try: four hundred days of hours, twice over. A
/// policy that needs more than that to find a moment has none worth waiting for.
const MOST_CANDIDATES: usize = 20_000;

/// The first moment from `from` to `until`, both included, at which no clause refuses; advice counts
/// as refusal only if `heed_advice`. Leaves the scene wherever it last looked.
pub fn first_pass(
    scene: &mut Scene<'_>,
    clauses: &[Clause<'_>],
    from: Moment,
    until: Moment,
    heed_advice: bool,
) -> Option<Moment> {
    let mut candidate = from;
    for _ in 0..MOST_CANDIDATES {
        if candidate > until {
            return None;
        }
        scene.move_to(candidate);
        let mut next = candidate;
        for clause in clauses {
            let refuses = clause
                .judge(scene)
                .is_some_and(|judgement| heed_advice || clause.blocks(judgement).is_some());
            if refuses {
                let change = earliest(clause.next_change(scene), scene.next_forgetting())?;
                next = next.max(change.max(candidate.next()));
            }
        }
        if next == candidate {
            return Some(candidate);
        }
        candidate = next;
        debug_assert!(candidate > scene.moment(), "the search moves forward");
    }
    None
}
