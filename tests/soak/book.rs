//! Who was told what: kept apart from the governor, and compared with what it has stored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::harness::{Caller, event, question, time_until, with};

use super::LIMIT;

/// Asks, customers, so many of each other.
const ASKS_A_BLOCK: u64 = 400;
const CUSTOMERS_A_BLOCK: u64 = 16;

/// One contact somebody asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    is_receipt: bool,
    /// `None` until there is an answer that stands.
    is_allowed: Option<bool>,
    /// Said while the ledger was away, and allowed so.
    is_blind: bool,
    cancelled: Told,
}

/// Whether something was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    No,
    /// Nobody knows whether it was stored.
    Perhaps,
    Stored,
}

/// What somebody asks next.
#[derive(Clone, Debug)]
pub struct Ask {
    pub customer: String,
    pub contact_id: String,
    pub is_receipt: bool,
}

impl Ask {
    pub fn body(&self) -> Value {
        let purpose = if self.is_receipt { "transactional" } else { "marketing" };
        let members = json!({"contact_id": self.contact_id, "purpose": purpose});
        with(question(&self.customer, "email"), &members)
    }
}

#[derive(Default)]
pub struct Book {
    numbers: AtomicU64,
    /// By customer and contact.
    asked: Mutex<BTreeMap<(String, String), Asked>>,
}

impl Book {
    fn asked(&self) -> MutexGuard<'_, BTreeMap<(String, String), Asked>> {
        self.asked.lock().expect("the book")
    }

    /// Another question: a few customers are asked about by everybody at once, then others are.
    pub fn next(&self, random: &mut fastrand::Rng) -> Ask {
        let number = self.numbers.fetch_add(1, Ordering::SeqCst);
        let customer =
            format!("c-{}", number / ASKS_A_BLOCK * CUSTOMERS_A_BLOCK + random.u64(..CUSTOMERS_A_BLOCK));
        let ask = Ask { customer, contact_id: format!("m-{number}"), is_receipt: random.u8(..8) == 0 };
        let asked = Asked { is_receipt: ask.is_receipt, ..Asked::default() };
        self.asked().insert((ask.customer.clone(), ask.contact_id.clone()), asked);
        ask
    }

    /// What was answered. A refusal that was given blind does not stand: the ledger may have stored the contact before
    /// it fell silent, so the same question is asked again.
    pub fn answered(&self, ask: &Ask, answer: &Value) {
        let is_allowed = answer["verdict"] == "allow";
        let is_blind = answer["degraded"] == true;
        let mut book = self.asked();
        let asked = book.get_mut(&(ask.customer.clone(), ask.contact_id.clone())).expect("it was asked");
        asked.is_blind = is_blind && is_allowed;
        if is_allowed || !is_blind {
            asked.is_allowed = Some(is_allowed);
        }
    }

    /// A cancellation is about to be told, or was, and is stored.
    pub fn cancelled(&self, ask: &Ask, is_stored: bool) {
        let mut book = self.asked();
        let asked = book.get_mut(&(ask.customer.clone(), ask.contact_id.clone())).expect("it was asked");
        asked.cancelled = if is_stored { Told::Stored } else { Told::Perhaps };
    }

    /// Asks and tells again whatever was never answered for certain.
    pub fn settle(&self, caller: &Caller) {
        let open = |asked: &Asked| asked.is_allowed.is_none() || asked.cancelled == Told::Perhaps;
        let left: Vec<((String, String), Asked)> = self
            .asked()
            .iter()
            .filter(|(_, asked)| open(asked))
            .map(|(key, asked)| (key.clone(), *asked))
            .collect();
        for ((customer, contact_id), asked) in left {
            let ask = Ask { customer, contact_id, is_receipt: asked.is_receipt };
            if asked.is_allowed.is_none() {
                // A machine that is busy may be too slow for an answer that is not blind.
                time_until(|| {
                    let answer = caller.ask(&ask.body());
                    assert_eq!(answer.status, 200, "{answer:?}");
                    self.answered(&ask, &answer.body);
                    answer.body["degraded"] == false
                });
            }
            if asked.cancelled == Told::Perhaps {
                time_until(|| caller.tell(&cancellation(&ask)).status == 202);
                self.cancelled(&ask, true);
            }
        }
    }

    /// Every customer whose stored contacts are not those that were allowed, and what is wrong with them.
    pub fn compare(&self, caller: &Caller) -> Vec<String> {
        let book = self.asked();
        let mut customers: BTreeMap<&str, Vec<(&str, &Asked)>> = BTreeMap::new();
        for ((customer, contact), asked) in book.iter() {
            customers.entry(customer).or_default().push((contact, asked));
        }
        let mut wrong = Vec::new();
        for (customer, contacts) in customers {
            let export = caller.get(&format!("/v1/customers/{customer}/export")).body;
            let stored: BTreeMap<&str, bool> = export["contacts"]
                .as_array()
                .expect("contacts")
                .iter()
                .map(|one| (one["contact_id"].as_str().expect("an id"), one["standing"] != "cancelled"))
                .collect();
            for (contact, asked) in &contacts {
                let expected = asked.is_allowed.expect("settled") && asked.cancelled != Told::Stored;
                let found = stored.get(contact).copied().unwrap_or(false);
                if expected != found {
                    wrong.push(format!("{customer}: {contact} is stored: {found}, and {asked:?}"));
                }
            }
            let known = |contact: &str| contacts.iter().any(|(known, _)| *known == contact);
            wrong.extend(
                stored
                    .keys()
                    .filter(|contact| !known(contact))
                    .map(|contact| format!("{customer}: who asked {contact}?")),
            );
            let counted = contacts
                .iter()
                .filter(|(id, asked)| !asked.is_receipt && stored.get(id) == Some(&true))
                .count();
            if counted > LIMIT {
                wrong.push(format!("{customer} has {counted} contacts"));
            }
        }
        wrong
    }

    /// Whether all that is wrong is a contact allowed blind that the ledger was not told of yet.
    pub fn may_be_on_its_way(wrong: &[String]) -> bool {
        wrong.iter().all(|one| one.contains("is_blind: true"))
    }

    pub fn summary(&self) -> String {
        let book = self.asked();
        let allowed = book.values().filter(|asked| asked.is_allowed == Some(true));
        let (mut all, mut blind, mut cancelled) = (0, 0, 0);
        for asked in allowed {
            all += 1;
            blind += usize::from(asked.is_blind);
            cancelled += usize::from(asked.cancelled == Told::Stored);
        }
        let open = book.values().filter(|asked| asked.is_allowed.is_none()).count();
        format!(
            "{} asked, {all} allowed ({blind} of them blind, {cancelled} cancelled), {open} without an answer",
            book.len()
        )
    }
}

/// That a contact will not be after all; told twice, it is told once.
pub fn cancellation(ask: &Ask) -> Value {
    event(&ask.contact_id, "contact.cancelled", &ask.customer, &json!({"contact_id": ask.contact_id}))
}
