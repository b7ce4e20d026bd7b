//! The secrets behind the links to customers' own pages.

use super::Secret;

/// The shortest secret, in characters: a fresh one has 43, random ones of hexadecimal digits 64.
const SHORTEST_SECRET: usize = 32;

/// What links to a customer's own page are sealed with; without a secret there is no page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WishesPageSettings {
    pub secret: Option<Secret>,
    /// Links made with these still open.
    pub former_secrets: Vec<Secret>,
}

/// The secrets of a list, separated by spaces or commas.
///
/// # Errors
/// What is wrong with one, without saying it.
pub(super) fn secrets(text: &str) -> Result<Vec<Secret>, String> {
    text.split([' ', ',', '\n', '\t']).filter(|secret| !secret.is_empty()).map(one).collect()
}

/// One secret, or none.
///
/// # Errors
/// What is wrong with it, without saying it.
pub(super) fn secret(text: &str) -> Result<Option<Secret>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // One day it will stand in the list of former ones.
    if text.contains([' ', ',', '\n', '\t']) {
        return Err("a secret has no spaces or commas in it".to_owned());
    }
    one(text).map(Some)
}

fn one(text: &str) -> Result<Secret, String> {
    match text.chars().count() {
        SHORTEST_SECRET.. => Ok(Secret::new(text.to_owned())),
        found => Err(format!(
            "a secret of {found} characters is too short; at least {SHORTEST_SECRET}, random ones: \
             `contact-governor key wishes-link` shows a fresh one where none is set"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn secrets_are_long_and_separable() {
        assert_eq!(secret(""), Ok(None));
        assert_eq!(secret(LONG), Ok(Some(Secret::new(LONG.to_owned()))));
        let short = LONG.get(1..).expect("shorter");
        for wrong in [short, "a secret, with spaces, that is long enough"] {
            let mistake = secret(wrong).expect_err("refused");
            assert!(!mistake.contains(wrong), "it is not repeated: {mistake}");
        }
        assert_eq!(secrets("").map(|all| all.len()), Ok(0));
        assert_eq!(secrets(&format!("{LONG}, {LONG} {LONG}")).map(|all| all.len()), Ok(3));
        assert!(secrets(&format!("{LONG},{short}")).is_err());
    }
}
