//! "Do not contact me": per channel and purpose or for all, until taken back or until it ends.
//!
//! Every word on it is kept that still matters, so the order of telling does not; two sets of words can be
//! put together, which is how those outlive an erasure.

use super::moment::Moment;
use super::words::Name;

/// The most suppressions that end by themselves kept for one channel and scope: of more, one is made that
/// holds at least as long as each.
const MOST_ENDING: usize = 8;

/// Which purposes a suppression is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every purpose the policy does not exempt from suppressions.
    Ordinary,
    /// One purpose, if the policy does not exempt it from suppressions.
    Purpose(Name),
    /// Every purpose without exception, `let_through` included (`"purposes": "all"`).
    EveryPurpose,
}

impl Scope {
    /// What purposes that were named mean: `all` of them without exception, some, or the ordinary ones.
    #[must_use]
    pub fn of(every_purpose: bool, purposes: &[Name]) -> Vec<Self> {
        match (every_purpose, purposes) {
            (true, _) => vec![Self::EveryPurpose],
            (false, []) => vec![Self::Ordinary],
            (false, purposes) => purposes.iter().cloned().map(Self::Purpose).collect(),
        }
    }

    /// The one purpose it is about.
    #[must_use]
    pub const fn purpose(&self) -> Option<&Name> {
        match self {
            Self::Purpose(purpose) => Some(purpose),
            Self::Ordinary | Self::EveryPurpose => None,
        }
    }
}

/// How far a suppression that binds reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Exempt purposes, and what the policy lets through, are spared.
    Ordinary,
    /// Nothing is spared.
    EveryPurpose,
}

/// "Leave me alone", on one channel or on all (`channel` is `None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub channel: Option<Name>,
    pub scope: Scope,
    pub since: Moment,
    /// When it ends by itself; `None`: never.
    pub until: Option<Moment>,
    pub reason: Option<Name>,
    pub source: Option<Name>,
}

/// The latest "you may again", for one channel (or all) and one purpose (or all).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift {
    pub channel: Option<Name>,
    pub purpose: Option<Name>,
    pub at: Moment,
}

/// A customer's suppressions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    suppressions: Vec<Suppression>,
    lifts: Vec<Lift>,
}

/// A suppression that binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppressed {
    pub reach: Reach,
    pub since: Moment,
}

impl Suppression {
    const fn reach(&self) -> Reach {
        match self.scope {
            Scope::Ordinary | Scope::Purpose(_) => Reach::Ordinary,
            Scope::EveryPurpose => Reach::EveryPurpose,
        }
    }

    fn concerns(&self, channel: &str, purpose: &str) -> bool {
        self.channel.as_deref().is_none_or(|own| own == channel)
            && match &self.scope {
                Scope::Ordinary | Scope::EveryPurpose => true,
                Scope::Purpose(own) => **own == *purpose,
            }
    }

    fn is_alike(&self, other: &Self) -> bool {
        self.channel == other.channel && self.scope == other.scope
    }

    /// Whether `other`, alike, was said no earlier and ends no sooner.
    fn is_covered_by(&self, other: &Self) -> bool {
        let ends_no_sooner = match (self.until, other.until) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => other >= own,
        };
        self.is_alike(other) && other.since >= self.since && ends_no_sooner
    }

    fn has_ended(&self, moment: Moment) -> bool {
        self.until.is_some_and(|until| until <= moment)
    }
}

impl Lift {
    /// Whether it takes back all of a suppression said before it.
    fn ends(&self, suppression: &Suppression) -> bool {
        let purpose = match (&self.purpose, &suppression.scope) {
            (None, _) => true,
            (Some(own), Scope::Purpose(suppressed)) => own == suppressed,
            (Some(_), Scope::Ordinary | Scope::EveryPurpose) => false,
        };
        purpose
            && self.at > suppression.since
            && (self.channel.is_none() || self.channel == suppression.channel)
    }
}

impl Suppressions {
    /// Puts them together from their parts, in any order.
    #[must_use]
    pub fn of(
        suppressions: impl IntoIterator<Item = Suppression>,
        lifts: impl IntoIterator<Item = Lift>,
    ) -> Self {
        let mut all = Self::default();
        lifts.into_iter().for_each(|lift| all.lift(lift));
        suppressions.into_iter().for_each(|suppression| all.suppress(suppression));
        all
    }

    /// Those not taken back as a whole, ended ones among them.
    #[must_use]
    pub fn all(&self) -> &[Suppression] {
        &self.suppressions
    }

    #[must_use]
    pub fn lifts(&self) -> &[Lift] {
        &self.lifts
    }

    /// Whether nobody ever said anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.suppressions.is_empty() && self.lifts.is_empty()
    }

    /// Whether the same was said before and still holds, for no shorter a time.
    #[must_use]
    pub fn says(&self, one: &Suppression) -> bool {
        let alike =
            self.suppressions.iter().filter(|known| known.is_alike(one) && !known.has_ended(one.since));
        alike
            .into_iter()
            .any(|known| known.until.is_none() || (one.until.is_some() && known.until >= one.until))
    }

    pub fn suppress(&mut self, new: Suppression) {
        if self.lifts.iter().any(|lift| lift.ends(&new)) {
            return;
        }
        if let Some(known) = self.suppressions.iter_mut().find(|known| new.is_covered_by(known)) {
            if (known.since, known.until) == (new.since, new.until) {
                // Said twice: whatever accounts for it is kept.
                known.reason = known.reason.take().or(new.reason);
                known.source = known.source.take().or(new.source);
            }
            return;
        }
        self.suppressions.retain(|known| !known.is_covered_by(&new));
        let ending = self.suppressions.iter().filter(|known| known.is_alike(&new) && known.until.is_some());
        if new.until.is_some() && ending.count() >= MOST_ENDING {
            self.suppress_for_longest(new);
        } else {
            self.suppressions.push(new);
        }
    }

    /// Puts all that are alike and end into one that binds no less.
    fn suppress_for_longest(&mut self, mut new: Suppression) {
        self.suppressions.retain(|known| {
            let joins = known.is_alike(&new) && known.until.is_some();
            if joins {
                new.since = new.since.max(known.since);
                new.until = new.until.max(known.until);
            }
            !joins
        });
        self.suppressions.push(new);
    }

    pub fn lift(&mut self, new: Lift) {
        self.suppressions.retain(|known| !new.ends(known));
        let alike = |known: &&mut Lift| known.channel == new.channel && known.purpose == new.purpose;
        match self.lifts.iter_mut().find(alike) {
            Some(known) => known.at = known.at.max(new.at),
            None => self.lifts.push(new),
        }
    }

    /// Adds everything that was said in `other`.
    pub fn join(&mut self, other: &Self) {
        other.lifts.iter().for_each(|lift| self.lift(lift.clone()));
        other.suppressions.iter().for_each(|suppression| self.suppress(suppression.clone()));
    }

    /// What binds a contact on `channel` for `purpose` that takes place at `moment`, given everything known:
    /// at the same instant the stricter wins.
    #[must_use]
    pub fn binding(&self, channel: &str, purpose: &str, moment: Moment) -> Option<Suppressed> {
        let in_force = self.in_force(channel, purpose, moment);
        let found = in_force.map(|one| Suppressed { reach: one.reach(), since: one.since });
        found.max_by_key(|found| (found.reach, found.since))
    }

    /// When, after `moment`, one of those that bind then ends.
    #[must_use]
    pub fn next_end(&self, channel: &str, purpose: &str, moment: Moment) -> Option<Moment> {
        self.in_force(channel, purpose, moment).filter_map(|one| one.until).min()
    }

    fn in_force(&self, channel: &str, purpose: &str, moment: Moment) -> impl Iterator<Item = &Suppression> {
        let lifted = self.lifts.iter().filter(|lift| {
            lift.channel.as_deref().is_none_or(|own| own == channel)
                && lift.purpose.as_deref().is_none_or(|own| own == purpose)
        });
        let lifted = lifted.map(|lift| lift.at).max();
        self.suppressions.iter().filter(move |one| {
            one.concerns(channel, purpose)
                && !one.has_ended(moment)
                && lifted.is_none_or(|lifted| one.since >= lifted)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Word {
        Stop(Suppression),
        Again(Lift),
    }

    fn name(of: &'static [&'static str]) -> impl Strategy<Value = Option<Name>> {
        prop::option::of(prop::sample::select(of).prop_map(Name::from))
    }

    fn moments() -> impl Strategy<Value = Moment> {
        (0_i64..6).prop_map(Moment::from_millis)
    }

    fn words() -> impl Strategy<Value = Vec<Word>> {
        let channels = || name(&["email", "sms"]);
        let purposes = || name(&["marketing", "service"]);
        let stop = (channels(), purposes(), any::<bool>(), moments(), prop::option::of(moments())).prop_map(
            |(channel, purpose, every, since, until)| {
                let scope = match purpose {
                    Some(purpose) => Scope::Purpose(purpose),
                    None if every => Scope::EveryPurpose,
                    None => Scope::Ordinary,
                };
                Word::Stop(Suppression { channel, scope, since, until, reason: None, source: None })
            },
        );
        let again = (channels(), purposes(), moments())
            .prop_map(|(channel, purpose, at)| Word::Again(Lift { channel, purpose, at }));
        prop::collection::vec(prop_oneof![stop, again], 0..12)
    }

    fn said(words: &[Word]) -> Suppressions {
        let mut all = Suppressions::default();
        for word in words.iter().cloned() {
            match word {
                Word::Stop(suppression) => all.suppress(suppression),
                Word::Again(lift) => all.lift(lift),
            }
        }
        all
    }

    /// Counts naively: of all words on this channel and purpose, does a stop that has not ended stand that no
    /// "again" came after?
    fn naive(words: &[Word], channel: &str, purpose: &str, moment: Moment) -> bool {
        let is = |own: &Option<Name>, asked: &str| own.as_deref().is_none_or(|own| own == asked);
        words.iter().any(|word| {
            let Word::Stop(stop) = word else { return false };
            stop.concerns(channel, purpose)
                && stop.until.is_none_or(|until| until > moment)
                && !words.iter().any(|word| {
                    matches!(word, Word::Again(again)
                        if is(&again.channel, channel) && is(&again.purpose, purpose) && again.at > stop.since)
                })
        })
    }

    fn all_binding(all: &Suppressions) -> Vec<bool> {
        let mut binding = Vec::new();
        for channel in ["email", "sms", "mail"] {
            for purpose in ["marketing", "service", "relationship"] {
                for moment in 0..7 {
                    binding.push(all.binding(channel, purpose, Moment::from_millis(moment)).is_some());
                }
            }
        }
        binding
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_binds_is_what_a_naive_reader_of_all_words_would_say(words in words()) {
            let all = said(&words);
            for channel in ["email", "sms", "mail"] {
                for purpose in ["marketing", "service", "relationship"] {
                    for moment in (0..7).map(Moment::from_millis) {
                        prop_assert_eq!(
                            all.binding(channel, purpose, moment).is_some(),
                            naive(&words, channel, purpose, moment)
                        );
                    }
                }
            }
        }

        #[test]
        fn the_order_of_telling_does_not_matter_nor_who_was_told(words in words(), cut in any::<prop::sample::Index>()) {
            let mut reversed = words.clone();
            reversed.reverse();
            let binding = all_binding(&said(&words));
            prop_assert_eq!(&all_binding(&said(&reversed)), &binding);
            let (here, there) = words.split_at(cut.index(words.len() + 1));
            let mut joined = said(here);
            joined.join(&said(there));
            prop_assert_eq!(&all_binding(&joined), &binding);
        }
    }

    #[test]
    fn many_that_end_become_one_that_binds_no_less() {
        let mut all = Suppressions::default();
        for number in 0..100 {
            all.suppress(Suppression {
                channel: None,
                scope: Scope::Ordinary,
                since: Moment::from_millis(number),
                until: Some(Moment::from_millis(1_000 - number)),
                reason: None,
                source: None,
            });
        }
        assert!(all.all().len() <= MOST_ENDING, "{}", all.all().len());
        assert!(all.binding("email", "marketing", Moment::from_millis(999)).is_some());
        assert!(all.binding("email", "marketing", Moment::from_millis(1_000)).is_none());
    }
}
