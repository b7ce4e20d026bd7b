//! Secrets as settings write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Secret;

/// The shortest secret, in characters: a fresh one has 43, random ones of hexadecimal digits 64.
const SHORTEST_SECRET: usize = 32;

const SEPARATORS: [char; 4] = [' ', ',', '\n', '\t'];

/// The secrets of a list, separated by spaces or commas.
///
/// # Errors
/// What is wrong with one, without saying it.
pub fn secrets(text: &str) -> Result<Vec<Secret>, String> {
    text.split(SEPARATORS).filter(|secret| !secret.is_empty()).map(one).collect()
}

/// One secret, or none.
///
/// # Errors
/// What is wrong with it, without saying it.
pub fn secret(text: &str) -> Result<Option<Secret>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // One day it will stand in the list of former ones.
    if text.contains(SEPARATORS) {
        return Err("a secret has no spaces or commas in it".to_owned());
    }
    one(text).map(Some)
}

/// How a secret of the Standard Webhooks begins; the rest is base64.
const WEBHOOK_PREFIX: &str = "whsec_";

/// The secrets of a list, as the Standard Webhooks write them.
///
/// # Errors
/// What is wrong with one, without saying it.
pub fn webhook_secrets(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let given = text.split(SEPARATORS).filter(|secret| !secret.is_empty());
    given
        .map(|secret| {
            let encoded = secret.strip_prefix(WEBHOOK_PREFIX);
            let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
            bytes.filter(|bytes| (24..=64).contains(&bytes.len())).ok_or_else(|| {
                format!("a secret is `{WEBHOOK_PREFIX}` and 24 to 64 bytes in base64, as the Standard Webhooks say")
            })
        })
        .collect()
}

fn one(text: &str) -> Result<Secret, String> {
    match text.chars().count() {
        SHORTEST_SECRET.. => Ok(Secret::new(text.to_owned())),
        found => Err(format!(
            "a secret of {found} characters is too short; at least {SHORTEST_SECRET}, random ones: \
             `contact-governor key wishes-link` shows a fresh one where the page has none"
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
