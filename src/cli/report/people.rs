//! What a policy comes to for each customer: how many contacts were asked for, how many allowed.
//!
//! A few dozen bytes a customer, for at most [`MOST_CUSTOMERS`]; those who come after are counted together.

use std::collections::HashMap;

use serde::Serialize;

/// So many customers are followed one by one; with their ids that is some 400 MB.
const MOST_CUSTOMERS: usize = 4_000_000;
/// How many people are named in each list.
const MOST_NAMED: usize = 20;
/// The least contacts of each row of the histogram.
const ROWS: [u32; 10] = [0, 1, 2, 3, 4, 5, 6, 11, 21, 51];

/// Contacts of one customer.
#[derive(Clone, Copy, Debug, Default)]
struct Contacts {
    asked: u32,
    allowed: u32,
    /// What the other policy allowed, or what really was.
    otherwise: u32,
}

impl Contacts {
    const fn refused(self) -> u32 {
        self.asked.saturating_sub(self.allowed)
    }
}

/// One ask, as far as it counts here.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Whether it was about a contact that had not been allowed before.
    pub is_new: bool,
    pub is_allowed: bool,
    pub is_allowed_otherwise: bool,
}

/// All customers.
#[derive(Clone, Debug, Default)]
pub struct People {
    customers: HashMap<Box<str>, Contacts>,
    asks_of_others: u64,
}

impl People {
    pub fn add(&mut self, customer: &str, ask: Ask) {
        let contacts = if let Some(contacts) = self.customers.get_mut(customer) {
            contacts
        } else if self.customers.len() < MOST_CUSTOMERS {
            self.customers.entry(customer.into()).or_default()
        } else {
            self.asks_of_others += 1;
            return;
        };
        contacts.asked = contacts.asked.saturating_add(ask.is_new.into());
        contacts.allowed = contacts.allowed.saturating_add((ask.is_new && ask.is_allowed).into());
        contacts.otherwise = contacts.otherwise.saturating_add(ask.is_allowed_otherwise.into());
    }

    /// Sums up. `gains` says which way to look for those who get more, where there is something to compare with.
    #[must_use]
    pub fn sum(&self, gains: Option<Gains>) -> Sum {
        let otherwise = gains.map(|_| 0);
        let row = |place| Row { contacts: named(place), otherwise, ..Row::default() };
        let mut rows: Vec<Row> = (0..ROWS.len()).map(row).collect();
        let mut add = |contacts: u32, count: fn(&mut Row) -> &mut u64| {
            let place = ROWS.partition_point(|least| *least <= contacts).saturating_sub(1);
            if let Some(row) = rows.get_mut(place) {
                *count(row) += 1;
            }
        };
        let mut spared = Top::default();
        let mut more = More::default();
        let mut top_gains = Top::default();
        for (customer, contacts) in &self.customers {
            add(contacts.asked, |row| &mut row.asked);
            add(contacts.allowed, |row| &mut row.allowed);
            spared.offer(contacts.refused(), customer, *contacts);
            let Some(gains) = gains else { continue };
            add(contacts.otherwise, |row| row.otherwise.get_or_insert_default());
            let (before, after) = gains.before_and_after(*contacts);
            if after > before {
                more.customers += 1;
                more.contacts += u64::from(after - before);
                top_gains.offer(after - before, customer, *contacts);
            }
        }
        more.most = top_gains.named(|customer, contacts| {
            let (before, after) = gains
                .map_or((contacts.allowed, contacts.otherwise), |gains| gains.before_and_after(contacts));
            Gain { customer, before, after }
        });
        let most_spared = spared.named(|customer, contacts| Spared {
            customer,
            asked: contacts.asked,
            allowed: contacts.allowed,
            refused: contacts.refused(),
        });
        Sum {
            seen: self.customers.len(),
            asks_of_customers_not_followed: self.asks_of_others,
            contacts: rows,
            most_spared,
            would_get_more: gains.map(|_| more),
        }
    }
}

/// Which way somebody gets more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gains {
    /// Under the other policy, more than under the first.
    UnderTheOther,
    /// Under the policy, more than was really allowed.
    OverWhatWasAnswered,
}

impl Gains {
    const fn before_and_after(self, contacts: Contacts) -> (u32, u32) {
        match self {
            Self::UnderTheOther => (contacts.allowed, contacts.otherwise),
            Self::OverWhatWasAnswered => (contacts.otherwise, contacts.allowed),
        }
    }
}

/// What a row of the histogram is called.
fn named(place: usize) -> String {
    let least = ROWS.get(place).copied().unwrap_or_default();
    match ROWS.get(place + 1) {
        Some(next) if *next == least + 1 => least.to_string(),
        Some(next) => format!("{least} to {}", next - 1),
        None => format!("{least} or more"),
    }
}

/// The first few by a number, and by name where that is the same.
#[derive(Default)]
struct Top<'c>(Vec<(u32, &'c str, Contacts)>);

impl<'c> Top<'c> {
    fn offer(&mut self, number: u32, customer: &'c str, contacts: Contacts) {
        let place = self
            .0
            .partition_point(|(other, name, _)| *other > number || *other == number && **name < *customer);
        if number > 0 && place < MOST_NAMED {
            self.0.insert(place, (number, customer, contacts));
            self.0.truncate(MOST_NAMED);
        }
    }

    fn named<T>(self, shown: impl Fn(String, Contacts) -> T) -> Vec<T> {
        self.0.into_iter().map(|(_, customer, contacts)| shown(customer.to_owned(), contacts)).collect()
    }
}

/// What it comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Sum {
    pub seen: usize,
    #[serde(skip_serializing_if = "is_nought")]
    pub asks_of_customers_not_followed: u64,
    /// How many customers had so many contacts.
    pub contacts: Vec<Row>,
    pub most_spared: Vec<Spared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_get_more: Option<More>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_nought(number: &u64) -> bool {
    *number == 0
}

/// Customers by contacts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub contacts: String,
    pub asked: u64,
    pub allowed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spared {
    pub customer: String,
    pub asked: u32,
    pub allowed: u32,
    pub refused: u32,
}

/// Those who would get more than before.
#[derive(Clone, Debug, Default, Serialize)]
pub struct More {
    pub customers: u64,
    pub contacts: u64,
    pub most: Vec<Gain>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gain {
    pub customer: String,
    pub before: u32,
    pub after: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> People {
        let mut people = People::default();
        let ask = |is_allowed, is_allowed_otherwise| Ask { is_new: true, is_allowed, is_allowed_otherwise };
        for number in 0..30 {
            let customer = format!("c-{number:02}");
            (0..=number).for_each(|turn| people.add(&customer, ask(turn == 0, turn < 2)));
        }
        people
    }

    #[test]
    fn rows_hold_every_customer_once() {
        let sum = people().sum(Some(Gains::UnderTheOther));
        let names: Vec<&str> = sum.contacts.iter().map(|row| &*row.contacts).collect();
        let expected = ["0", "1", "2", "3", "4", "5", "6 to 10", "11 to 20", "21 to 50", "51 or more"];
        assert_eq!(names, expected);
        let asked: Vec<u64> = sum.contacts.iter().map(|row| row.asked).collect();
        assert_eq!(asked, [0, 1, 1, 1, 1, 1, 5, 10, 10, 0]);
        assert_eq!(sum.contacts.iter().map(|row| row.allowed).sum::<u64>(), 30);
    }

    #[test]
    fn those_spared_most_come_first_and_gains_go_one_way() {
        let sum = people().sum(Some(Gains::UnderTheOther));
        assert_eq!(sum.most_spared.len(), MOST_NAMED);
        let first = Spared { customer: "c-29".to_owned(), asked: 30, allowed: 1, refused: 29 };
        assert_eq!(sum.most_spared[0], first);
        let more = sum.would_get_more.expect("compared");
        assert_eq!((more.customers, more.contacts), (29, 29));
        assert_eq!(more.most[0], Gain { customer: "c-01".to_owned(), before: 1, after: 2 });
        let back = people().sum(Some(Gains::OverWhatWasAnswered)).would_get_more.expect("compared");
        assert_eq!(back.customers, 0);
    }

    #[test]
    fn a_contact_asked_again_counts_once() {
        let mut people = People::default();
        for is_new in [true, false] {
            people.add("c", Ask { is_new, is_allowed: true, is_allowed_otherwise: false });
        }
        let sum = people.sum(None);
        assert_eq!((sum.contacts[1].asked, sum.contacts[1].allowed), (1, 1));
    }
}
