//! Who holds a key, one line a key; and how often each may call.

use std::num::NonZeroU32;

use serde_json::{Map, Value};

use crate::api_key::{KeyHash, looks_like_a_key};
use crate::domain::caller::{Caller, Channels, Scope, Scopes};
use crate::domain::moment::Moment;
use crate::domain::words::{Name, nearest};

use super::Reading;

const MEMBERS: [&str; 7] = ["scopes", "channels", "hash", "expires", "caller", "per_second", "burst"];
/// Names stand in metrics and in names of environment variables.
const LONGEST_NAME: usize = 64;
/// A microsecond each: more than any instance answers.
const MOST_PER_SECOND: u32 = 1_000_000;
const SEPARATORS: [char; 2] = [' ', ','];

/// A key that is known, and what its holder may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySettings {
    pub name: Name,
    /// Who holds it; several keys may have one holder.
    pub caller: Name,
    pub hash: KeyHash,
    pub scopes: Scopes,
    pub channels: Channels,
    /// From this moment on it opens nothing.
    pub expires: Option<Moment>,
    /// `None`: as often as they like.
    pub rate: Option<Rate>,
}

/// How often somebody may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    /// So many at once.
    pub burst: NonZeroU32,
}

/// Reads the keys; `usual` is how often they may be used where their lines say nothing of it.
pub(super) fn read(reading: &mut Reading<'_>, usual: Option<Rate>) -> Vec<KeySettings> {
    let Some(Value::Object(lines)) = reading.layered.get("keys") else { return Vec::new() };
    let mut keys: Vec<KeySettings> = Vec::new();
    for (name, line) in lines {
        match read_line(name, line, usual) {
            Ok(key) => {
                reading.mistakes.extend(among_others(&key, &keys));
                keys.push(key);
            }
            Err(mistakes) => reading.mistakes.extend(mistakes),
        }
    }
    keys
}

/// Reads `rate_limit`.
pub(super) fn read_rate(reading: &mut Reading<'_>) -> Option<Rate> {
    let per_second = reading.number("rate_limit.per_second", 0, MOST_PER_SECOND as usize) as u32;
    let burst = reading.number("rate_limit.burst", 1, MOST_PER_SECOND as usize) as u32;
    rate(per_second, burst)
}

fn rate(per_second: u32, burst: u32) -> Option<Rate> {
    Some(Rate { per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
}

/// Reads one line.
///
/// # Errors
/// Every mistake, each with its place.
pub fn read_line(name: &str, line: &Value, usual: Option<Rate>) -> Result<KeySettings, Vec<String>> {
    let mut line = Line { name, members: line.as_object(), mistakes: Vec::new() };
    line.check_name();
    line.check_members();
    let (caller, hash, scopes) = (line.caller(), line.hash(), line.scopes());
    let (channels, expires, rate) = (line.channels(), line.expires(), line.rate(usual));
    match hash {
        Some(hash) if line.mistakes.is_empty() => {
            Ok(KeySettings { name: name.into(), caller, hash, scopes, channels, expires, rate })
        }
        _ => Err(line.mistakes),
    }
}

/// What is wrong with a key beside those before it.
fn among_others(key: &KeySettings, others: &[KeySettings]) -> Vec<String> {
    let mut mistakes = Vec::new();
    let name = &key.name;
    if let Some(other) = others.iter().find(|other| other.hash == key.hash) {
        mistakes
            .push(format!("setting keys.{name}.hash: is that of `{}` too; each key has a line", other.name));
    }
    if let Some(other) = others.iter().find(|other| other.caller == key.caller && other.rate != key.rate) {
        mistakes.push(format!(
            "setting keys.{name}.per_second: `{}`, of the same caller, has another rate; a caller has one, \
             whichever key it uses",
            other.name
        ));
    }
    mistakes
}

struct Line<'v> {
    name: &'v str,
    members: Option<&'v Map<String, Value>>,
    mistakes: Vec<String>,
}

impl Line<'_> {
    fn wrong(&mut self, member: &str, detail: impl std::fmt::Display) {
        self.mistakes.push(format!("setting keys.{}.{member}: {detail}", self.name));
    }

    fn check_name(&mut self) {
        let name = self.name;
        if let Err(detail) = checked_name(name) {
            self.mistakes.push(format!("setting keys.{name}: {detail}"));
        }
        if self.members.is_none() {
            self.mistakes.push(format!(
                "setting keys.{name}: a key is written as `{name} = {{ scopes = [\"ask\"], hash = \"…\" }}`; \
                 `contact-governor key new` prints the line"
            ));
        }
    }

    fn check_members(&mut self) {
        let unknown =
            self.members.into_iter().flat_map(Map::keys).filter(|name| !MEMBERS.contains(&name.as_str()));
        for name in unknown.cloned().collect::<Vec<_>>() {
            let hint =
                nearest(&name, MEMBERS).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            self.wrong(&name, format!("there is no such setting{hint}"));
        }
    }

    fn get(&self, member: &str) -> Option<&Value> {
        self.members?.get(member)
    }

    /// A text, or what is wrong with it.
    fn text(&mut self, member: &str) -> Option<String> {
        match self.get(member)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(member, "expected a text");
                None
            }
        }
    }

    /// A list, or its words in one text, as the environment gives them.
    fn list(&mut self, member: &str) -> Option<Vec<String>> {
        let words = match self.get(member)? {
            Value::Array(values) => {
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            Value::String(text) => {
                Some(text.split(SEPARATORS).filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }
            _ => None,
        };
        if words.is_none() {
            self.wrong(member, "expected a list of texts");
        }
        words
    }

    fn caller(&mut self) -> Name {
        let Some(caller) = self.text("caller") else { return self.name.into() };
        if let Err(detail) = checked_name(&caller) {
            self.wrong("caller", detail);
        }
        caller.into()
    }

    /// What is wrong with it is told without it.
    fn hash(&mut self) -> Option<KeyHash> {
        let text = self.text("hash").unwrap_or_default();
        let detail = if looks_like_a_key(&text) {
            "this is a key, and not the hash of one: whoever can read these settings has it. Throw it away and \
             make another with `contact-governor key new`"
        } else if text.is_empty() {
            "is required; `contact-governor key new` prints it"
        } else {
            "is no hash of a key, which has 64 hexadecimal digits; `contact-governor key new` prints it"
        };
        let hash = KeyHash::parse(&text);
        if hash.is_none() {
            self.wrong("hash", detail);
        }
        hash
    }

    fn scopes(&mut self) -> Scopes {
        let known = || Scope::ALL.map(Scope::name).join("`, `");
        let mistakes_before = self.mistakes.len();
        let words = self.list("scopes").unwrap_or_default();
        let mut scopes = Vec::new();
        for word in &words {
            match Scope::parse(word) {
                Some(scope) => scopes.push(scope),
                None => self.wrong("scopes", format!("`{word}` is none of `{}`", known())),
            }
        }
        if words.is_empty() && self.mistakes.len() == mistakes_before {
            self.wrong("scopes", format!("a key without a scope opens nothing; name some of `{}`", known()));
        }
        scopes.into_iter().collect()
    }

    fn channels(&mut self) -> Channels {
        match self.list("channels") {
            None => Channels::every(),
            Some(words) => {
                if words.is_empty() {
                    self.wrong("channels", "names none; leave it out for every channel");
                }
                Channels::only(words.iter().map(|word| word.as_str().into()).collect())
            }
        }
    }

    fn expires(&mut self) -> Option<Moment> {
        let text = self.text("expires")?;
        let moment = Moment::parse(&text).or_else(|| Moment::parse(&format!("{text}T00:00:00Z")));
        if moment.is_none() {
            self.wrong(
                "expires",
                format!("`{text}` is no moment; write `2027-01-01`, when that day begins in UTC, or `2027-01-01T08:00:00Z`"),
            );
        }
        moment
    }

    fn rate(&mut self, usual: Option<Rate>) -> Option<Rate> {
        let Some(per_second) = self.number("per_second", 0) else {
            if self.get("burst").is_some() && self.get("per_second").is_none() {
                self.wrong("burst", "goes with `per_second`");
            }
            return usual;
        };
        let burst = self.number("burst", 1).unwrap_or(per_second);
        rate(per_second, burst)
    }

    fn number(&mut self, member: &str, least: u32) -> Option<u32> {
        let value = match self.get(member)? {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let number = value.and_then(|value| u32::try_from(value).ok());
        let number = number.filter(|number| (least..=MOST_PER_SECOND).contains(number));
        if number.is_none() {
            self.wrong(member, format!("expected a whole number from {least} to {MOST_PER_SECOND}"));
        }
        number
    }
}

fn checked_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
        return Err(format!("a name has 1 to {LONGEST_NAME} of the characters a-z, 0-9, `-` and `_`"));
    }
    if name == Caller::LOCAL {
        return Err(format!("`{name}` is who calls where there are no keys; choose another name"));
    }
    Ok(())
}

impl KeySettings {
    /// Its line in the section `[keys]`, without how often it may be used.
    #[must_use]
    pub fn line(&self) -> String {
        let quoted = |words: Vec<&str>| format!("[\"{}\"]", words.join("\", \""));
        let mut line = format!("{} = {{ ", self.name);
        if self.caller != self.name {
            line += &format!("caller = \"{}\", ", self.caller);
        }
        line += &format!("scopes = {}", quoted(self.scopes.iter().map(Scope::name).collect()));
        if !self.channels.is_every() {
            let named = self.channels.named().iter().map(|channel| &**channel).collect();
            line += &format!(", channels = {}", quoted(named));
        }
        line += &format!(", hash = \"{}\"", self.hash);
        if let Some(expires) = self.expires {
            let moment = expires.to_string();
            line += &format!(", expires = \"{}\"", moment.strip_suffix("T00:00:00Z").unwrap_or(&moment));
        }
        line + " }"
    }
}

/// What is right as far as it goes, and probably not meant: a key that has expired, a channel that the policy, which
/// knows the `channels`, does not.
#[must_use]
pub fn doubts(keys: &[KeySettings], channels: &[&str], now: Moment) -> Vec<String> {
    let expired = keys.iter().filter(|key| key.expires.is_some_and(|expires| expires <= now)).map(|key| {
        format!("key `{}` has expired and opens nothing; take its line away, or make a new one", key.name)
    });
    let unknown = keys.iter().flat_map(|key| {
        let unknown = key.channels.named().iter().filter(|channel| !channels.contains(&&***channel));
        unknown.map(|channel| {
            let hint = nearest(channel, channels.iter().copied())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("key `{}` is for the channel `{channel}`, which the policy does not know{hint}", key.name)
        })
    });
    expired.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::settings::{Flags, Settings};

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let environment =
            pairs.iter().map(|(name, value)| (format!("CONTACT_GOVERNOR__{name}"), (*value).to_owned()));
        Settings::load(&Flags::default(), Some(environment.collect())).map_err(|mistakes| mistakes.0)
    }

    #[test]
    fn a_line_says_all_there_is_of_a_key() {
        let line = json!({"scopes": ["ask", "admin"], "channels": ["voice"], "hash": HASH, "expires": "2027-01-01",
            "caller": "dialler", "per_second": 20, "burst": 40});
        let key = read_line("dialler-2", &line, None).expect("a key");
        assert_eq!((&*key.name, &*key.caller), ("dialler-2", "dialler"));
        assert!(key.scopes.contains(Scope::Admin) && !key.scopes.contains(Scope::Read));
        assert!(key.channels.contains("voice") && !key.channels.contains("sms"));
        assert_eq!(key.expires, Moment::parse("2027-01-01T00:00:00Z"));
        assert_eq!(key.rate, rate(20, 40));
    }

    #[test]
    fn the_environment_says_the_same_as_a_line() {
        let key = settings(&[
            ("KEYS__DIALLER__SCOPES", "ask, tell"),
            ("KEYS__DIALLER__HASH", HASH),
            ("KEYS__DIALLER__EXPIRES", "2027-01-01T08:00:00+01:00"),
            ("KEYS__DIALLER__PER_SECOND", "20"),
            ("HTTP__LISTEN", "0.0.0.0:8080"),
        ]);
        let settings = key.expect("with keys, any address is served");
        let [key] = &settings.keys[..] else { panic!("{:?}", settings.keys) };
        assert_eq!((&*key.name, key.scopes.iter().count()), ("dialler", 2));
        assert_eq!(key.expires, Moment::parse("2027-01-01T07:00:00Z"));
        assert_eq!(key.rate, rate(20, 20));
    }

    #[test]
    fn every_mistake_in_a_line_is_named_and_no_key_is_repeated() {
        let secret = "cg_0123456789";
        for (member, value, expected) in [
            ("scopes", json!(["asks"]), "`asks` is none of `ask`, `tell`, `read`, `admin`"),
            ("scopes", json!([]), "opens nothing"),
            ("scopes", json!(7), "expected a list"),
            ("channels", json!([]), "names none"),
            ("hash", json!(secret), "this is a key, and not the hash of one"),
            ("hash", json!("ba78"), "64 hexadecimal digits"),
            ("hash", json!(""), "is required"),
            ("expires", json!("soon"), "`soon` is no moment"),
            ("caller", json!("Dialler"), "a name has"),
            ("per_second", json!(-1), "expected a whole number from 0"),
            ("burst", json!(4), "goes with `per_second`"),
            ("chanels", json!(["voice"]), "did you mean `channels`?"),
        ] {
            let mut line = json!({"scopes": ["ask"], "hash": HASH});
            line[member] = value;
            let mistakes = read_line("dialler", &line, None).expect_err(member);
            let [mistake] = &mistakes[..] else { panic!("{mistakes:?}") };
            assert!(mistake.starts_with(&format!("setting keys.dialler.{member}: ")), "{mistake}");
            assert!(mistake.contains(expected) && !mistake.contains(secret), "{mistake}");
        }
        for (name, line) in [("Dialler", json!({"scopes": ["ask"], "hash": HASH})), ("dialler", json!(HASH))]
        {
            assert!(!read_line(name, &line, None).expect_err(name).is_empty());
        }
        let several =
            settings(&[("KEYS__A__SCOPES", "asks"), ("KEYS__B__HASH", "x"), ("KEYS__B__CHANNELS", "")]);
        // a: scopes, hash; b: hash, channels, scopes.
        assert_eq!(several.expect_err("mistakes").len(), 5);
    }

    #[test]
    fn keys_are_told_apart_and_a_caller_has_one_rate() {
        let other = HASH.replace('b', "c");
        let twice = settings(&[
            ("KEYS__A__SCOPES", "ask"),
            ("KEYS__A__HASH", HASH),
            ("KEYS__B__SCOPES", "tell"),
            ("KEYS__B__HASH", HASH),
        ]);
        assert!(twice.expect_err("one hash").join("").contains("is that of `a` too"));
        let rates = settings(&[
            ("KEYS__A__SCOPES", "ask"),
            ("KEYS__A__HASH", HASH),
            ("KEYS__B__SCOPES", "ask"),
            ("KEYS__B__HASH", &other),
            ("KEYS__B__CALLER", "a"),
            ("KEYS__B__PER_SECOND", "7"),
        ]);
        assert!(rates.expect_err("two rates").join("").contains("a caller has one"));
    }

    #[test]
    fn what_was_probably_not_meant_is_doubted() {
        let line =
            json!({"scopes": ["ask"], "hash": HASH, "channels": ["voise", "sms"], "expires": "2026-11-16"});
        let key = read_line("old", &line, None).expect("a key");
        let now = Moment::parse("2026-11-16T00:00:00Z").expect("a moment");
        let doubts = doubts(&[key], &["voice", "sms"], now);
        let [expired, unknown] = &doubts[..] else { panic!("{doubts:?}") };
        assert!(expired.contains("`old` has expired"), "{expired}");
        assert!(unknown.contains("`voise`") && unknown.contains("did you mean `voice`?"), "{unknown}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_line_that_is_printed_is_read_as_the_same_key(
            name in "[a-z0-9_-]{1,64}",
            caller in proptest::option::of("[a-z0-9_-]{1,64}"),
            scopes in proptest::sample::subsequence(Scope::ALL.to_vec(), 1..=4),
            channels in proptest::option::of(proptest::collection::vec("[a-z]{1,9}", 1..4)),
            expires in proptest::option::of(0..4_000_000_000_000_i64),
            hash in any::<[u8; 32]>(),
        ) {
            let key = KeySettings {
                name: name.as_str().into(),
                caller: caller.unwrap_or_else(|| name.clone()).into(),
                hash: KeyHash::parse(&blake3::Hash::from_bytes(hash).to_string()).expect("a hash"),
                scopes: scopes.into_iter().collect(),
                channels: channels.map_or_else(Channels::every, |channels| {
                    Channels::only(channels.into_iter().map(Into::into).collect())
                }),
                expires: expires.map(Moment::from_millis),
                rate: None,
            };
            prop_assume!(*key.name != *Caller::LOCAL && *key.caller != *Caller::LOCAL);
            let section: Value = toml::from_str(&key.line()).expect("TOML");
            prop_assert_eq!(read_line(&key.name, &section[&*key.name], None), Ok(key));
        }
    }
}
