//! Links to a customer's own page: whose it is, and until when, sealed.

use crate::domain::moment::{Moment, Span};
use crate::domain::words::Name;
use crate::sealed::Sealer;
use crate::settings::{Secret, WishesPageSettings};

use super::fields::{LONGEST_ID, name_error};

/// Keeps links apart from whatever else one secret seals.
const USE: &str = "contact-governor 2026-11-26 link to a customer's wishes page";

/// Where the page is, below whatever address the governor is reached at.
const PATH: &str = "/wishes/";

/// How long a link opens where nobody says: mails must let people unsubscribe for that long at least.
pub const USUAL_LIFE: Span = Span::from_days(30);

/// Why a token opens no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It was not made here, or is not whole.
    Unreadable,
    /// It was good until a moment that has come.
    Ended,
}

/// Makes links to customers' pages, and opens them.
#[derive(Debug)]
pub struct WishesLinks {
    sealer: Sealer,
}

impl WishesLinks {
    /// Nothing where no secret is set: then there is no page.
    #[must_use]
    pub fn new(settings: &WishesPageSettings) -> Option<Self> {
        let secret = settings.secret.as_ref()?.expose();
        let former = settings.former_secrets.iter().map(Secret::expose);
        Some(Self { sealer: Sealer::new(USE, secret, former) })
    }

    /// The token for this customer's page until `end`: the end in milliseconds, eight bytes little-endian,
    /// and the id, sealed.
    #[must_use]
    pub fn token(&self, customer: &str, end: Moment) -> String {
        self.sealer.seal(&[&end.millis().to_le_bytes()[..], customer.as_bytes()].concat())
    }

    /// The link, `base` being how the customer's browser reaches the governor.
    #[must_use]
    pub fn link(&self, base: &str, customer: &str, end: Moment) -> String {
        format!("{}{PATH}{}", base.trim_end_matches('/'), self.token(customer, end))
    }

    /// Whose page a token opens.
    ///
    /// # Errors
    /// When it opens none, or no longer.
    pub fn open(&self, token: &str, now: Moment) -> Result<Name, Unopened> {
        let sealed = self.sealer.open(token).ok_or(Unopened::Unreadable)?;
        let (end, customer) = sealed.split_first_chunk().ok_or(Unopened::Unreadable)?;
        let customer = std::str::from_utf8(customer).map_err(|_| Unopened::Unreadable)?;
        if customer.is_empty() || name_error(customer, LONGEST_ID).is_some() {
            return Err(Unopened::Unreadable);
        }
        if now >= Moment::from_millis(i64::from_le_bytes(*end)) {
            return Err(Unopened::Ended);
        }
        Ok(customer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(secret: &str, former: &[&str]) -> WishesLinks {
        let secrets = |text: &&str| Secret::new((*text).to_owned());
        WishesLinks::new(&WishesPageSettings {
            secret: Some(secrets(&secret)),
            former_secrets: former.iter().map(secrets).collect(),
        })
        .expect("a secret is set")
    }

    #[test]
    fn a_link_opens_one_customer_s_page_until_its_end() {
        let now = Moment::parse("2026-11-16T12:00:00Z").expect("a moment");
        let end = now + USUAL_LIFE;
        let ours = links("first", &[]);
        let just_before = Moment::from_millis(end.millis() - 1);
        let later = links("second", &["first"]);
        for customer in ["c-1001", "Ж", &"é".repeat(256)] {
            let token = ours.token(customer, end);
            assert_eq!(ours.open(&token, just_before), Ok(customer.into()));
            assert_eq!(ours.open(&token, end), Err(Unopened::Ended));
            assert_eq!(later.open(&token, now), Ok(customer.into()), "after a rotation");
            assert_eq!(links("second", &[]).open(&token, now), Err(Unopened::Unreadable));
        }
        for token in ["", "AQ", &ours.token("", end), &ours.sealer.seal(b"short")] {
            assert_eq!(ours.open(token, now), Err(Unopened::Unreadable), "{token}");
        }
    }

    #[test]
    fn without_a_secret_there_is_no_page() {
        assert!(WishesLinks::new(&WishesPageSettings::default()).is_none());
    }
}
