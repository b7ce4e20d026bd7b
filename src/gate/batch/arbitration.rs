//! Fair order: of one customer's lines in a block, the heavier are judged first.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::domain::words::Name;

/// The most contact ids named in [`Arbitration::before`]: those judged last before a line, which are nearest to it in
/// weight. All of them would grow with the square of a customer's lines.
const MOST_NAMED: usize = 20;

/// What is weighed; nothing but questions is.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<'a> {
    pub customer: &'a Name,
    pub contact_id: &'a Name,
    pub priority: i64,
}

/// When a line was judged among its customer's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arbitration {
    /// From 1, which was judged first.
    pub rank: usize,
    pub of: usize,
    /// The contact ids judged before it, the first first; of many, the last.
    pub before: Vec<Name>,
}

/// The order among each customer's lines: by weight, and as they came where that is equal. `None` for a line that
/// has no other beside it.
#[must_use]
pub fn arbitrate(block: &[Option<Weighed<'_>>]) -> Vec<Option<Arbitration>> {
    let mut customers: HashMap<&Name, Vec<(usize, Weighed<'_>)>> = HashMap::new();
    for (place, weighed) in block.iter().enumerate() {
        if let Some(weighed) = weighed {
            customers.entry(weighed.customer).or_default().push((place, *weighed));
        }
    }
    let mut rulings = vec![None; block.len()];
    for mut lines in customers.into_values().filter(|lines| lines.len() > 1) {
        lines.sort_by_key(|(_, weighed)| Reverse(weighed.priority));
        for (index, (place, _)) in lines.iter().enumerate() {
            let before = lines.iter().take(index).skip(index.saturating_sub(MOST_NAMED));
            let before = before.map(|(_, weighed)| weighed.contact_id.clone()).collect();
            if let Some(ruling) = rulings.get_mut(*place) {
                *ruling = Some(Arbitration { rank: index + 1, of: lines.len(), before });
            }
        }
    }
    rulings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_goes_first_and_equals_as_they_came() {
        let name = |text: &str| Name::from(text);
        let lines = [("a", "1", 0), ("b", "2", 0), ("a", "3", 5), ("a", "4", 5), ("a", "5", -1)];
        let names = lines.map(|(customer, id, priority)| (name(customer), name(id), priority));
        let mut block: Vec<_> = names
            .iter()
            .map(|(customer, contact_id, priority)| {
                Some(Weighed { customer, contact_id, priority: *priority })
            })
            .collect();
        block.push(None);
        let shown: Vec<_> = arbitrate(&block)
            .into_iter()
            .map(|ruling| ruling.map(|ruling| (ruling.rank, ruling.of, ruling.before.join(" "))))
            .collect();
        let ruled = |rank, before: &str| Some((rank, 4, before.to_owned()));
        assert_eq!(shown, [ruled(3, "3 4"), None, ruled(1, ""), ruled(2, "3"), ruled(4, "3 4 1"), None]);
    }

    #[test]
    fn no_more_than_so_many_are_named() {
        let (customer, ids): (Name, Vec<Name>) =
            ("a".into(), (0..100).map(|n| n.to_string().into()).collect());
        let block: Vec<_> = ids
            .iter()
            .map(|contact_id| Some(Weighed { customer: &customer, contact_id, priority: 0 }))
            .collect();
        let last = arbitrate(&block).pop().flatten().expect("a ruling");
        assert_eq!((last.rank, last.before.len()), (100, MOST_NAMED));
        assert_eq!(last.before.last().map(|id| &**id), Some("98"));
    }
}
