//! Consent: what the customer has agreed to, and what they have agreed to no longer, with the evidence.
//!
//! Every word is kept, since somebody may ask years later what a message rested on.

use super::moment::Moment;
use super::words::Name;

/// The most words kept; of more, the oldest that later ones have replaced go first.
pub const MOST_CONSENTS: usize = 500;

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentWord {
    /// Asked for, and not confirmed yet (double opt-in). Changes nothing of what was said before.
    Pending,
    Granted,
    Withdrawn,
}

/// One word on consent, for one channel (or any) and one purpose (or any).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub channel: Option<Name>,
    pub purpose: Option<Name>,
    pub time: Moment,
    pub word: ConsentWord,
    /// When what was granted ends, or a confirmation is no longer waited for.
    pub expires_at: Option<Moment>,
    pub evidence: Option<Name>,
    pub source: Option<Name>,
}

/// How consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentState {
    Granted,
    Pending,
    Withdrawn,
    Expired,
}

impl ConsentState {
    pub const ALL: [Self; 4] = [Self::Granted, Self::Pending, Self::Withdrawn, Self::Expired];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Pending => "pending",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl Consent {
    /// How it stands at a moment, if nothing was said after it.
    #[must_use]
    pub fn state(&self, moment: Moment) -> ConsentState {
        match self.word {
            ConsentWord::Withdrawn => ConsentState::Withdrawn,
            _ if self.expires_at.is_some_and(|end| end <= moment) => ConsentState::Expired,
            ConsentWord::Granted => ConsentState::Granted,
            ConsentWord::Pending => ConsentState::Pending,
        }
    }

    fn is_about(&self, other: &Self) -> bool {
        self.channel == other.channel && self.purpose == other.purpose
    }

    /// Later words come after; at the same instant a withdrawal does.
    const fn place(&self) -> (Moment, ConsentWord) {
        (self.time, self.word)
    }
}

/// All that one customer has said on consent, oldest first, in whatever order it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consents(Vec<Consent>);

impl Consents {
    #[must_use]
    pub fn all(&self) -> &[Consent] {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, consent: Consent) {
        let place = self.0.partition_point(|other| other.place() <= consent.place());
        self.0.insert(place, consent);
        if self.0.len() > MOST_CONSENTS {
            let is_replaced = |place: usize, one: &Consent| {
                self.0.iter().skip(place + 1).any(|later| {
                    later.is_about(one) && (later.word != ConsentWord::Pending || one.word == later.word)
                })
            };
            let oldest = self.0.iter().enumerate().find(|(place, one)| is_replaced(*place, one));
            let place = oldest.map_or(0, |(place, _)| place);
            self.0.remove(place);
        }
    }

    /// Whether the latest word for this channel (or any) and purpose (or any) is a grant that has not ended.
    #[must_use]
    pub fn is_granted(&self, channel: &str, purpose: &str, moment: Moment) -> bool {
        let concerns = |named: Option<&Name>, asked: &str| named.is_none_or(|named| &**named == asked);
        self.0
            .iter()
            .rev()
            .filter(|consent| consent.word != ConsentWord::Pending)
            .find(|consent| {
                concerns(consent.channel.as_ref(), channel) && concerns(consent.purpose.as_ref(), purpose)
            })
            .is_some_and(|consent| consent.state(moment) == ConsentState::Granted)
    }

    /// When what was granted ends.
    pub fn ends(&self) -> impl Iterator<Item = Moment> {
        self.0.iter().filter(|consent| consent.word == ConsentWord::Granted).filter_map(|one| one.expires_at)
    }

    /// The latest word on each channel and purpose, and a confirmation waited for beside it.
    #[must_use]
    pub fn latest(&self) -> Vec<&Consent> {
        let is_last = |place: usize, one: &Consent| {
            !self.0.iter().skip(place + 1).any(|later| {
                later.is_about(one)
                    && (later.word != ConsentWord::Pending || one.word == ConsentWord::Pending)
            })
        };
        self.0.iter().enumerate().filter(|(place, one)| is_last(*place, one)).map(|(_, one)| one).collect()
    }
}

impl FromIterator<Consent> for Consents {
    fn from_iter<I: IntoIterator<Item = Consent>>(consents: I) -> Self {
        let mut all: Vec<Consent> = consents.into_iter().collect();
        all.sort_by_key(Consent::place);
        Self(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(word: ConsentWord, hour: i64) -> Consent {
        Consent {
            channel: Some("email".into()),
            purpose: None,
            time: Moment::from_millis(hour),
            word,
            expires_at: None,
            evidence: None,
            source: None,
        }
    }

    fn after(words: &[(ConsentWord, i64)]) -> Consents {
        let mut consents = Consents::default();
        for (word, hour) in words {
            consents.add(said(*word, *hour));
        }
        consents
    }

    #[test]
    fn the_latest_word_holds_in_whatever_order_it_is_told_and_a_pending_one_is_none() {
        use ConsentWord::{Granted, Pending, Withdrawn};
        let now = Moment::from_millis(100);
        for (words, granted) in [
            (&[][..], false),
            (&[(Pending, 1)], false),
            (&[(Pending, 1), (Granted, 2)], true),
            (&[(Granted, 1), (Pending, 2)], true),
            (&[(Withdrawn, 1), (Pending, 2)], false),
            (&[(Withdrawn, 5), (Granted, 1)], false),
            (&[(Granted, 5), (Withdrawn, 1)], true),
            (&[(Granted, 5), (Withdrawn, 5)], false),
            (&[(Withdrawn, 5), (Granted, 5)], false),
        ] {
            assert_eq!(after(words).is_granted("email", "marketing", now), granted, "{words:?}");
            assert!(!after(words).is_granted("sms", "marketing", now), "{words:?}");
        }
    }

    #[test]
    fn history_is_kept_and_bounded_without_losing_the_latest_word() {
        let mut consents = after(&[(ConsentWord::Withdrawn, 0)]);
        for hour in 0..MOST_CONSENTS as i64 + 50 {
            consents.add(Consent {
                channel: Some("sms".into()),
                ..said(if hour % 2 == 0 { ConsentWord::Granted } else { ConsentWord::Withdrawn }, hour + 1)
            });
        }
        assert_eq!(consents.all().len(), MOST_CONSENTS);
        assert_eq!(consents.all()[0], said(ConsentWord::Withdrawn, 0), "it is the only word on e-mail");
        let latest: Vec<_> = consents.latest().iter().map(|one| (one.channel.as_deref(), one.word)).collect();
        assert_eq!(latest, [(Some("email"), ConsentWord::Withdrawn), (Some("sms"), ConsentWord::Withdrawn)]);
    }
}
