//! Who calls: a name, what it may do, and on which channels. How it shows who it is, is not known here.

use super::words::Name;

/// What a caller may do. No scope implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Ask whether somebody may be contacted.
    Ask,
    /// Tell what happened, and what is known of customers.
    Tell,
    /// Read what is kept, and how the governor does.
    Read,
    /// Stop campaigns, erase customers, take suppressions back.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Ask, Self::Tell, Self::Read, Self::Admin];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Tell => "tell",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == text)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    #[must_use]
    pub fn every() -> Self {
        Scope::ALL.into_iter().collect()
    }

    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }
}

/// The channels a caller speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels(Option<Box<[Name]>>);

impl Channels {
    /// Whatever the policy knows, now and later.
    #[must_use]
    pub const fn every() -> Self {
        Self(None)
    }

    /// These and no others.
    #[must_use]
    pub fn only(channels: Vec<Name>) -> Self {
        Self(Some(channels.into()))
    }

    #[must_use]
    pub const fn is_every(&self) -> bool {
        self.0.is_none()
    }

    #[must_use]
    pub fn contains(&self, channel: &str) -> bool {
        self.0.as_ref().is_none_or(|channels| channels.iter().any(|known| **known == *channel))
    }

    /// Those it is limited to; empty where it is not.
    #[must_use]
    pub fn named(&self) -> &[Name] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What limits, metrics and logs know it by.
    pub name: Name,
    /// The name of the key it showed, of several it may have; `None` where nobody needs one.
    pub key: Option<Name>,
    pub scopes: Scopes,
    pub channels: Channels,
}

impl Caller {
    /// The name of whoever calls where nobody needs a key.
    pub const LOCAL: &str = "local";

    /// Whoever calls where nobody needs a key: somebody on this machine, who may do everything.
    #[must_use]
    pub fn local() -> Self {
        Self { name: Self::LOCAL.into(), key: None, scopes: Scopes::every(), channels: Channels::every() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_the_scopes_it_was_made_of() {
        let scopes: Scopes = [Scope::Admin, Scope::Ask].into_iter().collect();
        assert_eq!(scopes.iter().collect::<Vec<_>>(), [Scope::Ask, Scope::Admin]);
        assert!(!scopes.contains(Scope::Tell));
        assert!(Scopes::default().is_empty());
        assert_eq!(Scopes::every().iter().count(), 4);
    }

    #[test]
    fn channels_are_every_one_or_those_named() {
        let voice = Channels::only(vec!["voice".into()]);
        assert!(voice.contains("voice") && !voice.contains("email") && !voice.is_every());
        assert!(Channels::every().contains("anything"));
        assert!(!Channels::only(Vec::new()).contains("voice"));
    }
}
