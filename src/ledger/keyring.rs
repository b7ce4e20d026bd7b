//! The keys under which customers are known where their ids must not stand.

use crate::domain::words::Name;
use crate::sealed::Sealer;

/// What a customer is called where their id must not stand: the first half of a keyed hash of it. Whoever has
/// no key can neither read an id out of it nor tell whether an id is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 16]);

/// A secret, as bytes.
pub type Key = [u8; 32];

/// The present key, and those that were used before it, latest first.
pub struct Keyring {
    present: Key,
    former: Vec<Key>,
    sealer: Sealer,
}

/// What keys are derived for: bytes made for one use are of no use for another.
const PSEUDONYMS: &str = "contact-governor 2026-11-26 pseudonyms of customers";
const NAMES: &str = "contact-governor 2026-11-26 names of follow-ups";

impl Keyring {
    /// The keys that the settings name, then the one that the ledger itself keeps, if it has one; `None` where there is
    /// no key at all.
    #[must_use]
    pub fn new(secrets: &[Name], kept: Option<Key>) -> Option<Self> {
        let derived = secrets.iter().map(|secret| blake3::derive_key(PSEUDONYMS, secret.as_bytes()));
        let mut keys = derived.chain(kept);
        let present = keys.next()?;
        let former: Vec<Key> = keys.collect();
        let text = |key: &Key| blake3::Hash::from_bytes(*key).to_string();
        let former_texts: Vec<String> = former.iter().map(text).collect();
        let sealer = Sealer::new(NAMES, &text(&present), former_texts.iter().map(String::as_str));
        Some(Self { present, former, sealer })
    }

    /// What a customer is called now.
    #[must_use]
    pub fn pseudonym(&self, customer: &str) -> Pseudonym {
        pseudonym(&self.present, customer)
    }

    /// What makes the names by which follow-ups are known outside.
    #[must_use]
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// What a customer is called now, and was before keys were changed.
    pub fn pseudonyms(&self, customer: &str) -> impl Iterator<Item = Pseudonym> {
        std::iter::once(&self.present).chain(&self.former).map(move |key| pseudonym(key, customer))
    }
}

/// A key of nobody's choosing.
#[must_use]
pub fn fresh_key() -> Key {
    let (first, second) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
    // Two times 122 random bits, spread over the key.
    blake3::derive_key(PSEUDONYMS, &[*first.as_bytes(), *second.as_bytes()].concat())
}

fn pseudonym(key: &Key, customer: &str) -> Pseudonym {
    let mut bytes = [0; 16];
    blake3::Hasher::new_keyed(key).update(customer.as_bytes()).finalize_xof().fill(&mut bytes);
    Pseudonym(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_gives_one_name_and_another_key_another() {
        let keyring = |secrets: &[Name]| Keyring::new(secrets, Some([7; 32])).expect("a key");
        let (kept, set) = (keyring(&[]), keyring(&["s".into()]));
        assert!(Keyring::new(&[], None).is_none(), "without a key nobody is called anything");
        assert_eq!(kept.pseudonym("c-1"), kept.pseudonym("c-1"));
        assert_ne!(kept.pseudonym("c-1"), kept.pseudonym("c-2"));
        assert_ne!(kept.pseudonym("c-1"), set.pseudonym("c-1"));
        // Who was known under the ledger's own key is still found.
        assert!(set.pseudonyms("c-1").any(|one| one == kept.pseudonym("c-1")));
    }
}
