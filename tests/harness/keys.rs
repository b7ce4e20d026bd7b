//! Keys and the settings that let them in.

use contact_governor::api_key::ApiKey;

use super::{Caller, Governor};

/// Keys with the settings for a governor that knows them.
#[derive(Default)]
pub struct Keys {
    settings: Vec<(String, String)>,
}

impl Keys {
    /// A fresh key under this name; `members` are those of its line but for the hash, each with its text.
    pub fn issue(&mut self, name: &str, members: &[(&str, &str)]) -> ApiKey {
        let key = ApiKey::fresh().expect("a key");
        let hash = key.hash().to_string();
        for (member, text) in members.iter().chain(&[("hash", &*hash)]) {
            let setting = format!("KEYS__{name}__{member}").to_uppercase();
            self.settings.push((setting, (*text).to_owned()));
        }
        key
    }

    pub fn set(&mut self, name: &str, text: &str) {
        self.settings.push((name.to_owned(), text.to_owned()));
    }

    /// As `Governor::start_with` and `Process::start_with` take them.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, text)| (&**name, &**text)).collect()
    }

    pub fn governor(&self) -> Governor {
        Governor::start_with(&self.settings())
    }
}

/// A governor that knows one key, and who holds it.
pub fn with_one(members: &[(&str, &str)]) -> (Governor, Caller) {
    let mut keys = Keys::default();
    let key = keys.issue("only", members);
    let governor = keys.governor();
    let holder = governor.caller.with_key(&key);
    (governor, holder)
}
