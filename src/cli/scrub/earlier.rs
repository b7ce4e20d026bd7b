//! What is remembered of the rows that were allowed, so that later ones are judged as if those had been
//! reserved: some 60 bytes each. Who the customers are is not kept, only digests of their ids.

use std::collections::HashMap;

use crate::cli::lanes::digest;
use crate::domain::contact::{Contact, Fingerprint, Standing};
use crate::domain::moment::Moment;
use crate::domain::words::{Name, Tags};

/// The most allowed rows that are remembered, some twelve gigabytes of them: a list that has more should be
/// cut, or be reserved as it is judged, which remembers nothing here.
pub const MOST_REMEMBERED: usize = 200_000_000;

/// An allowed row.
struct Kept {
    at: Moment,
    question: Fingerprint,
    /// A digest of its contact's id; 0 where the row names none, and nothing can ask for it again.
    named: u64,
    tags: u32,
    /// The customer's allowed row before it, counted from 1; 0: this is the first.
    before: u32,
}

#[derive(Default)]
pub struct Earlier {
    /// Each customer's latest allowed row, counted from 1.
    latest: HashMap<u64, u32>,
    kept: Vec<Kept>,
    /// Most rows of a list are tagged alike.
    tags: Vec<Tags>,
    known_tags: HashMap<Tags, u32>,
}

impl Earlier {
    /// A customer's contacts, oldest first. The one whose id is `asked` has that id, the others any.
    #[must_use]
    pub fn of(&self, customer: &str, asked: &Name, is_named: bool) -> Vec<Contact> {
        let mut contacts = Vec::new();
        let asked_digest = if is_named { digest(asked) | 1 } else { 0 };
        let mut number = self.latest.get(&digest(customer)).copied().unwrap_or_default();
        while let Some(kept) = number.checked_sub(1).and_then(|place| self.kept.get(place as usize)) {
            let is_asked = kept.named != 0 && kept.named == asked_digest;
            contacts.push(Contact {
                // Control characters are in no id that anybody else could give.
                id: if is_asked { Name::clone(asked) } else { format!("\u{1}{number}").into() },
                question: Some(kept.question),
                tags: self.tags.get(kept.tags as usize).cloned().unwrap_or_default(),
                at: kept.at,
                reserved_at: kept.at,
                standing: Standing::Reserved,
                told_at: None,
            });
            number = kept.before;
        }
        contacts.reverse();
        contacts
    }

    /// Remembers a contact that was allowed; `false` where there is no room for more.
    #[must_use]
    pub fn add(&mut self, customer: &str, contact: Contact, is_named: bool) -> bool {
        if self.kept.len() >= MOST_REMEMBERED {
            return false;
        }
        let tags = match self.known_tags.get(&contact.tags) {
            Some(place) => *place,
            None => {
                let place = self.tags.len() as u32;
                self.tags.push(contact.tags.clone());
                self.known_tags.insert(contact.tags, place);
                place
            }
        };
        let number = self.kept.len() as u32 + 1;
        let before = self.latest.insert(digest(customer), number).unwrap_or_default();
        let named = if is_named { digest(&contact.id) | 1 } else { 0 };
        let question = contact.question.unwrap_or(Fingerprint(0));
        self.kept.push(Kept { at: contact.at, question, named, tags, before });
        true
    }
}
