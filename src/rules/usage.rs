//! How full a window is, with contacts behind and ahead.
//!
//! The promise is the strong one: no window of its length, anywhere, that contains the contact may
//! hold more than the limit. Windows are counted in [`Window::position`]s, `(e - length, e]` for every
//! end `e`; a window that contains position `p` ends in `[p, p + length)`.

use smallvec::SmallVec;

use crate::domain::condition::Circumstances;
use crate::domain::contact::Contact;
use crate::domain::moment::{Moment, Span};
use crate::domain::window::Window;
use crate::domain::words::Tags;

use super::earliest;
use super::scene::Scene;

/// What a cap adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    Contacts,
    /// The channels' weights.
    Attention,
    /// Distinct channels.
    Channels,
}

/// A count over one window of the contacts that `selects`.
pub struct Usage<'s, 'a, S> {
    pub scene: &'s Scene<'a>,
    pub window: Window,
    pub counts: Counts,
    /// Which contacts are counted, besides having to count at all.
    pub selects: S,
}

/// The fullest window the question would add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fullest {
    used: u64,
    /// The position the window ends at.
    end: i64,
}

impl<'s, S: Fn(&Tags) -> bool> Usage<'s, '_, S> {
    /// What the question's contact would add to a window, if it adds anything.
    #[must_use]
    pub fn weight(&self) -> u64 {
        match self.counts {
            Counts::Contacts | Counts::Channels => 1,
            Counts::Attention => u64::from(self.scene.company.attention(Some(self.scene.question.channel()))),
        }
    }

    /// How much the fullest window holds that the contact would add to; `None` when it adds to none.
    #[must_use]
    pub fn used(&self) -> Option<u64> {
        match self.counts {
            Counts::Contacts => Some(self.fullest_by_weight().used),
            Counts::Attention => (self.weight() > 0).then(|| self.fullest_by_weight().used),
            Counts::Channels => self.fullest_by_channels().map(|fullest| fullest.used),
        }
    }

    /// How much the fullest window around the moment holds, whether or not the contact adds to it.
    #[must_use]
    pub fn held(&self) -> u64 {
        match self.counts {
            Counts::Contacts | Counts::Attention => self.fullest_by_weight().used,
            Counts::Channels => self.ends().map(|end| self.channels_in(end).len() as u64).max().unwrap_or(0),
        }
    }

    /// The next moment at which [`Self::used`] may be down to `ceiling`, being above it now.
    #[must_use]
    pub fn next_change(&self, ceiling: u64) -> Option<Moment> {
        let room = match self.counts {
            Counts::Contacts | Counts::Attention => self.room_by_weight(ceiling),
            Counts::Channels => self.room_by_channels(),
        };
        earliest(room, self.scene.next_lapse(self.counted()))
    }

    fn here(&self) -> i64 {
        self.position(self.scene.moment())
    }

    fn position(&self, moment: Moment) -> i64 {
        self.window.position(moment, |moment| self.scene.local(moment), self.scene.company.week_start)
    }

    /// The first moment with that position, if the clock has not jumped since.
    fn begin(&self, position: i64) -> Option<Moment> {
        self.window.first_moment(position, || self.scene.stretch(), self.scene.company.week_start)
    }

    /// The first moment that may have that position.
    fn reaches(&self, position: i64) -> Option<Moment> {
        let moment = self.scene.moment();
        let reached = self.window.reaches(position, moment, self.scene.zone(), self.scene.company.week_start);
        (reached < Moment::NEVER).then(|| reached.max(moment.next()))
    }

    /// The counted contacts that may share a window with the moment, oldest first.
    fn counted(&self) -> impl Iterator<Item = &'s Contact> + Clone {
        self.counted_within(self.scene.moment() + self.window.reach())
    }

    /// The counted contacts from where a window may begin up to `before`, oldest first.
    fn counted_within(&self, before: Moment) -> impl Iterator<Item = &'s Contact> + Clone {
        self.counted_between(self.scene.back(self.window.reach()), before)
    }

    /// The counted contacts strictly between two moments, oldest first.
    fn counted_between(&self, after: Moment, before: Moment) -> impl Iterator<Item = &'s Contact> + Clone {
        self.scene
            .contacts_between(after, before)
            .filter(|contact| (self.selects)(&contact.tags) && self.scene.counts(contact))
    }

    /// The counted contacts that do share a window with the moment, oldest first.
    #[must_use]
    pub fn shared(&self) -> Vec<&'s Contact> {
        let (here, length) = (self.here(), self.window.length());
        self.counted().filter(|contact| (self.position(contact.at) - here).abs() < length).collect()
    }

    fn weight_of(&self, tags: &Tags) -> u64 {
        match self.counts {
            Counts::Contacts | Counts::Channels => 1,
            Counts::Attention => u64::from(self.scene.company.attention(tags.channel.as_deref())),
        }
    }

    /// Slides a window forward from the one that ends here to the last one that still holds the
    /// moment, adding each contact ahead and dropping what falls out behind.
    fn fullest_by_weight(&self) -> Fullest {
        let here = self.here();
        let length = self.window.length();
        let compacted: u64 = if self.window == Window::Lifetime { self.compacted() } else { 0 };
        let now = self.scene.moment();
        let begin = self.begin(here - length + 1);
        let reach = self.window.reach();
        let after = begin.map_or_else(|| self.scene.back(reach), |begin| begin - Span::from_millis(1));
        let counted = || self.counted_between(after, now + reach);
        let in_reach = || counted().skip_while(|contact| self.position(contact.at) <= here - length);
        let mut behind = None;
        let mut held = compacted;
        let mut fullest = Fullest { used: compacted, end: here };
        for contact in counted() {
            // Between the window's beginning and now every contact is within; only others need counting.
            let position = match begin {
                Some(begin) if begin <= contact.at && contact.at <= now => here,
                Some(_) | None => self.position(contact.at),
            };
            if position <= here - length {
                continue;
            }
            if position >= here.saturating_add(length) {
                break;
            }
            held += self.weight_of(&contact.tags);
            // Only what lies ahead moves the window's end, and lets what lies behind fall out.
            if position > here {
                let behind = behind.get_or_insert_with(|| in_reach().peekable());
                while let Some(oldest) =
                    behind.next_if(|oldest| self.position(oldest.at) <= position - length)
                {
                    // Where a clock falls back over midnight, local dates are not quite in order.
                    held = held.saturating_sub(self.weight_of(&oldest.tags));
                }
            }
            if held > fullest.used {
                fullest = Fullest { used: held, end: position.max(here) };
            }
        }
        fullest
    }

    /// Contacts that lifetime windows count though they were compacted away.
    fn compacted(&self) -> u64 {
        self.scene
            .record
            .tallies
            .iter()
            .filter(|tally| {
                (self.selects)(&tally.tags) && self.scene.company.counts(tally.tags.purpose.as_deref())
            })
            .map(|tally| u64::from(tally.contacts) * self.weight_of(&tally.tags))
            .sum()
    }

    /// Enough must fall out of the fullest window; until the last of that has, it stays too full.
    fn room_by_weight(&self, ceiling: u64) -> Option<Moment> {
        let length = self.window.length();
        let Fullest { used, end } = self.fullest_by_weight();
        let mut left = used;
        for contact in self.counted() {
            let position = self.position(contact.at);
            if position <= end - length {
                continue;
            }
            left -= self.weight_of(&contact.tags).min(left);
            if left <= ceiling {
                return self.reaches(position.saturating_add(length));
            }
        }
        None
    }

    /// The ends at which a window may hold the most channels: here, at each contact ahead, and where
    /// the last contact behind on the question's own channel has just fallen out.
    fn ends(&self) -> impl Iterator<Item = i64> {
        let here = self.here();
        let length = self.window.length();
        let channel = self.scene.question.channel();
        let own_behind = self
            .counted()
            .filter(|contact| contact.tags.channel.as_deref() == Some(channel))
            .map(|contact| self.position(contact.at))
            .filter(|position| *position <= here)
            .last()
            .map(|position| position.saturating_add(length));
        let ahead =
            self.counted().map(|contact| self.position(contact.at)).filter(move |position| *position > here);
        std::iter::once(here)
            .chain(own_behind)
            .chain(ahead)
            .filter(move |end| here <= *end && *end < here.saturating_add(length))
    }

    fn channels_in(&self, end: i64) -> SmallVec<[&str; 8]> {
        let length = self.window.length();
        let mut channels: SmallVec<[&str; 8]> = SmallVec::new();
        for contact in self.counted() {
            let position = self.position(contact.at);
            if let Some(channel) = contact.tags.channel.as_deref()
                && end - length < position
                && position <= end
                && !channels.contains(&channel)
            {
                channels.push(channel);
            }
        }
        if self.window == Window::Lifetime {
            for tally in &self.scene.record.tallies {
                if let Some(channel) = tally.tags.channel.as_deref()
                    && (self.selects)(&tally.tags)
                    && self.scene.company.counts(tally.tags.purpose.as_deref())
                    && !channels.contains(&channel)
                {
                    channels.push(channel);
                }
            }
        }
        channels
    }

    /// Only windows without the question's own channel matter: to the others it adds nothing.
    fn fullest_by_channels(&self) -> Option<Fullest> {
        let channel = self.scene.question.channel();
        self.ends()
            .map(|end| (end, self.channels_in(end)))
            .filter(|(_, channels)| !channels.contains(&channel))
            .map(|(end, channels)| Fullest { used: channels.len() as u64, end })
            .max_by_key(|fullest| fullest.used)
    }

    /// A contact must fall out of the fullest window, or one on the question's own channel come in.
    fn room_by_channels(&self) -> Option<Moment> {
        let length = self.window.length();
        let Fullest { end, .. } = self.fullest_by_channels()?;
        let channel = self.scene.question.channel();
        let oldest =
            self.counted().map(|contact| self.position(contact.at)).find(|position| *position > end - length);
        let own_ahead = self
            .counted_within(Moment::NEVER)
            .filter(|contact| contact.tags.channel.as_deref() == Some(channel))
            .map(|contact| self.position(contact.at))
            .find(|position| *position > end);
        let left = oldest.and_then(|position| self.reaches(position.saturating_add(length)));
        let entered = own_ahead.and_then(|position| self.reaches(position));
        earliest(left, entered)
    }
}
