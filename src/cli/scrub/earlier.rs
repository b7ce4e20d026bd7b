//! What is remembered of the rows that were allowed, so that later ones are judged as if those had been
//! reserved: some 60 bytes each. Who the customers are is not kept, only digests of their ids.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::cli::lanes::digest;
use crate::decide::Change;
use crate::domain::contact::{Contact, Fingerprint, Standing};
use crate::domain::moment::Moment;
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::words::{Name, Tags};
use crate::gate::as_if::Earlier;

/// The most allowed rows that are remembered, some twelve gigabytes of them: a list that has more should be
/// cut, or be reserved as it is judged, which remembers nothing here.
pub const MOST_REMEMBERED: usize = 200_000_000;

/// An allowed row.
struct Row {
    at: Moment,
    question: Fingerprint,
    /// A digest of its contact's id; 0 where the row names none, and nothing can ask for it again.
    named: u64,
    tags: u32,
    /// The customer's allowed row before it, counted from 1; 0: this is the first.
    before: u32,
}

/// The rows that were allowed.
#[derive(Default)]
pub struct AllowedRows(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    /// Each customer's latest allowed row, counted from 1.
    latest: HashMap<u64, u32>,
    rows: Vec<Row>,
    /// Most rows of a list are tagged alike.
    tags: Vec<Tags>,
    known_tags: HashMap<Tags, u32>,
}

impl Earlier for AllowedRows {
    fn enter(&self, question: &Question, record: &mut Arc<Record>) {
        let contacts = self.0.borrow().of(&question.customer, &question.contact_id, !question.is_minted);
        for contact in contacts {
            Arc::make_mut(record).reserve(contact);
        }
    }

    fn keep(&self, question: &Question, change: &Change) -> bool {
        match change {
            Change::Reserve(contact) => {
                self.0.borrow_mut().add(&question.customer, contact, !question.is_minted)
            }
            Change::Nothing | Change::Confirm | Change::HandOver(_) | Change::Release => true,
        }
    }
}

impl Kept {
    /// A customer's contacts, oldest first. The one whose id is `asked` has that id, the others any.
    fn of(&self, customer: &str, asked: &Name, is_named: bool) -> Vec<Contact> {
        let mut contacts = Vec::new();
        let asked_digest = if is_named { digest(asked) | 1 } else { 0 };
        let mut number = self.latest.get(&digest(customer)).copied().unwrap_or_default();
        while let Some(row) = number.checked_sub(1).and_then(|place| self.rows.get(place as usize)) {
            let is_asked = row.named != 0 && row.named == asked_digest;
            contacts.push(Contact {
                // Control characters are in no id that anybody else could give.
                id: if is_asked { Name::clone(asked) } else { format!("\u{1}{number}").into() },
                question: Some(row.question),
                tags: self.tags.get(row.tags as usize).cloned().unwrap_or_default(),
                at: row.at,
                reserved_at: row.at,
                standing: Standing::Reserved,
                told_at: None,
            });
            number = row.before;
        }
        contacts.reverse();
        contacts
    }

    /// Remembers a contact that was allowed; `false` where there is no room for more.
    fn add(&mut self, customer: &str, contact: &Contact, is_named: bool) -> bool {
        if self.rows.len() >= MOST_REMEMBERED {
            return false;
        }
        let tags = match self.known_tags.get(&contact.tags) {
            Some(place) => *place,
            None => {
                let place = self.tags.len() as u32;
                self.tags.push(contact.tags.clone());
                self.known_tags.insert(contact.tags.clone(), place);
                place
            }
        };
        let number = self.rows.len() as u32 + 1;
        let before = self.latest.insert(digest(customer), number).unwrap_or_default();
        let named = if is_named { digest(&contact.id) | 1 } else { 0 };
        let question = contact.question.unwrap_or(Fingerprint(0));
        self.rows.push(Row { at: contact.at, question, named, tags, before });
        true
    }
}
