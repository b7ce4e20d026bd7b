//! The secrets behind the links to customers' own pages.

use super::Secret;

/// What links to a customer's own page are sealed with; without a secret there is no page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WishesPageSettings {
    pub secret: Option<Secret>,
    /// Links made with these still open.
    pub former_secrets: Vec<Secret>,
}
