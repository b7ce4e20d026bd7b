//! The key with which commands call a governor that is running.

use std::path::Path;

use crate::api_key::ApiKey;

/// Where a key stands that is in no file. It is never given as an argument, which everybody on the machine could read.
const VARIABLE: &str = "CONTACT_GOVERNOR_KEY";

/// The key in the file, or else in the environment, if there is any.
///
/// # Errors
/// When the file cannot be read, or what is there is no whole key; it is not said.
#[expect(clippy::disallowed_methods, reason = "settings are the home of the environment")]
pub fn client_key(file: Option<&Path>) -> Result<Option<ApiKey>, String> {
    let (place, text) = match file {
        Some(file) => {
            let place = file.display().to_string();
            let text = std::fs::read_to_string(file);
            (place.clone(), text.map_err(|error| format!("cannot read the key in `{place}`: {error}"))?)
        }
        None => match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => (VARIABLE.to_owned(), text),
            Ok(_) | Err(_) => return Ok(None),
        },
    };
    let key = ApiKey::parse(text.trim());
    key.map(Some).ok_or_else(|| {
        format!("what is in `{place}` is no whole key, which begins with `cg_` and has 75 characters")
    })
}
