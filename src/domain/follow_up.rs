//! Follow-ups: what a person owes a customer.
//!
//! A follow-up is open from its cause until an event that ends it, or until somebody says that it is done. Nothing
//! but events is stored: causes are events, and claiming, doing and handing over are noted as events of the
//! governor's own.

use super::event::{Event, EventKey, EventKind};
use super::moment::{Moment, Span};
use super::note::{ANNOUNCED, CLAIMED, DONE, ESCALATED, HANDED_OVER, derived, note};
use super::question::Question;
use super::record::Record;
use super::words::{Delivery, Name, Tags};

/// What opens follow-ups of one kind, what ends them, and how soon they are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub kind: Name,
    pub after: EventKind,
    pub until: Vec<EventKind>,
    pub within: Span,
}

impl Duty {
    /// Whether it is about questions that were handed to a person. Each of those is a cause of its own;
    /// of other causes the oldest that is open stands for those after it, since one answer ends them all.
    fn is_about_handoffs(&self) -> bool {
        self.after == handed_over()
    }
}

/// A person's task that is not done.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    pub id: FollowUpId,
    pub handle: Handle,
    /// What it is called outside, where that is known; it does not show whose it is.
    pub name: Option<Name>,
    pub kind: Name,
    /// The event that opened it.
    pub cause: EventKey,
    pub opened_at: Moment,
    pub due_at: Moment,
    pub contact_id: Option<Name>,
    pub tags: Tags,
    /// Who has taken it, and when.
    pub claimed: Option<(Name, Moment)>,
    /// When somebody was told that it is overdue.
    pub escalated_at: Option<Moment>,
}

impl FollowUp {
    /// Whether it should have been done by `now`.
    #[must_use]
    pub fn is_overdue(&self, now: Moment) -> bool {
        self.due_at < now
    }
}

/// Identifies a follow-up among those of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowUpId(pub u64);

/// Which follow-up of all customers' it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    pub customer: Name,
    pub id: FollowUpId,
}

impl Handle {
    /// To be sealed before anybody sees it: it says whose it is.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.id.0.to_le_bytes()[..], self.customer.as_bytes()].concat()
    }

    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, customer) = bytes.split_first_chunk::<8>()?;
        let customer = std::str::from_utf8(customer).ok().filter(|customer| !customer.is_empty())?;
        Some(Self { customer: customer.into(), id: FollowUpId(u64::from_le_bytes(*id)) })
    }
}

/// What there is to tell of a follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    Opened,
    /// It was not done when it was due.
    Escalated,
}

impl News {
    pub const ALL: [Self; 2] = [Self::Opened, Self::Escalated];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "follow_up.opened",
            Self::Escalated => "follow_up.escalated",
        }
    }
}

/// The event kind that stands for a handoff.
#[must_use]
pub fn handed_over() -> EventKind {
    EventKind::Own(HANDED_OVER.into())
}

/// The customer's open follow-ups, those due first in front.
#[must_use]
pub fn open(customer: &Name, record: &Record, duties: &[Duty]) -> Vec<FollowUp> {
    let mut open: Vec<FollowUp> = duties.iter().flat_map(|duty| open_under(customer, record, duty)).collect();
    open.sort_by_key(|follow_up| (follow_up.due_at, follow_up.id));
    open
}

fn open_under(customer: &Name, record: &Record, duty: &Duty) -> Vec<FollowUp> {
    // The last word that ends what came before it.
    let ended = record.events().iter().rev().find(|event| duty.until.contains(&event.kind));
    let ended = ended.map_or(Moment::from_millis(i64::MIN), |event| event.time);
    let causes = record.events().iter().filter(|event| event.kind == duty.after && event.time > ended);
    let open = causes.filter_map(|cause| {
        let id = FollowUpId(derived(cause.key.0, &duty.kind));
        // A handoff is over, too, once a person has made that contact.
        let is_made = duty.is_about_handoffs() && was_sent_by_a_person(record, cause);
        if is_made || record.knows(note_key(id, DONE)) {
            return None;
        }
        let noted = |what: &str| record.events().iter().find(|event| event.key == note_key(id, what));
        Some(FollowUp {
            id,
            handle: Handle { customer: customer.clone(), id },
            name: None,
            kind: duty.kind.clone(),
            cause: cause.key,
            opened_at: cause.time,
            due_at: cause.time + duty.within,
            contact_id: cause.contact_id.clone(),
            tags: cause.tags.clone(),
            claimed: noted(CLAIMED).and_then(|claim| Some((claim.tags.sender.clone()?, claim.time))),
            escalated_at: noted(ESCALATED).map(|event| event.time),
        })
    });
    if duty.is_about_handoffs() { open.collect() } else { open.take(1).collect() }
}

fn was_sent_by_a_person(record: &Record, handoff: &Event) -> bool {
    record.events().iter().any(|event| {
        event.kind == EventKind::ContactSent
            && event.contact_id == handoff.contact_id
            && event.tags.delivery == Some(Delivery::Human)
            && event.time >= handoff.time
    })
}

/// That a question was handed to a person. The same question again is the same cause; one without an id
/// of its own may be another one, `again_at`.
#[must_use]
pub fn handoff(question: &Question, again_at: Option<Moment>, now: Moment) -> Event {
    let key = match again_at {
        None => derived(question.fingerprint.0, HANDED_OVER),
        Some(moment) => derived(question.fingerprint.0 ^ moment.millis() as u64, HANDED_OVER),
    };
    let key = EventKey(key);
    Event {
        contact_id: Some(question.contact_id.clone()),
        tags: question.tags.clone(),
        ..note(key, HANDED_OVER, now)
    }
}

/// That somebody has taken a follow-up.
#[must_use]
pub fn claim(id: FollowUpId, by: Name, now: Moment) -> Event {
    let mut event = note(note_key(id, CLAIMED), CLAIMED, now);
    event.tags.sender = Some(by);
    event
}

/// That it was not done when it was due.
#[must_use]
pub fn escalation(id: FollowUpId, now: Moment) -> Event {
    note(note_key(id, ESCALATED), ESCALATED, now)
}

/// That a herald has told of it.
#[must_use]
pub fn announcement(id: FollowUpId, news: News, herald: &str, now: Moment) -> Event {
    note(announcement_key(id, news, herald), ANNOUNCED, now)
}

/// Whether a herald has told of it.
#[must_use]
pub fn was_announced(record: &Record, id: FollowUpId, news: News, herald: &str) -> bool {
    record.knows(announcement_key(id, news, herald))
}

fn announcement_key(id: FollowUpId, news: News, herald: &str) -> EventKey {
    note_key(id, &format!("{} by {herald}", news.name()))
}

/// That somebody has done it: a person has replied, and this is what they did.
#[must_use]
pub fn done(follow_up: &FollowUp, what: Name, by: Option<Name>, now: Moment) -> [Event; 2] {
    let mut noted = note(note_key(follow_up.id, DONE), DONE, now);
    noted.tags.subject = Some(what);
    noted.tags.sender = by;
    let mut replied = note(note_key(follow_up.id, "replied"), DONE, now);
    replied.kind = EventKind::HumanReplied;
    replied.tags.channel.clone_from(&follow_up.tags.channel);
    [noted, replied]
}

fn note_key(id: FollowUpId, what: &str) -> EventKey {
    EventKey(derived(id.0, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(number: i64) -> Moment {
        Moment::from_millis(number * 3_600_000)
    }

    fn told(key: u64, kind: EventKind, time: Moment) -> Event {
        Event { kind, ..note(EventKey(key), "", time) }
    }

    fn duty(kind: &str, after: EventKind) -> Duty {
        let until = vec![EventKind::HumanReplied, EventKind::ConversationAnswered];
        Duty { kind: kind.into(), after, until, within: hour(24) - hour(0) }
    }

    #[test]
    fn one_cause_is_one_follow_up_until_somebody_answers() {
        let duties = [
            duty("unanswered", EventKind::ConversationOpened),
            duty("complaint", EventKind::CustomerComplained),
        ];
        let mut record = Record::default();
        assert_eq!(open(&"c".into(), &record, &duties), []);
        record.tell(told(1, EventKind::ConversationOpened, hour(1)));
        record.tell(told(2, EventKind::ConversationOpened, hour(5)));
        record.tell(told(3, EventKind::CustomerComplained, hour(3)));
        let shown: Vec<_> = open(&"c".into(), &record, &duties)
            .into_iter()
            .map(|one| (one.kind.to_string(), one.due_at))
            .collect();
        assert_eq!(shown, [("unanswered".to_owned(), hour(25)), ("complaint".to_owned(), hour(27))]);
        record.tell(told(4, EventKind::ConversationAnswered, hour(2)));
        assert_eq!(
            open(&"c".into(), &record, &duties).iter().map(|one| one.opened_at).collect::<Vec<_>>(),
            [hour(3), hour(5)]
        );
        record.tell(told(5, EventKind::HumanReplied, hour(6)));
        assert_eq!(open(&"c".into(), &record, &duties), []);
    }

    #[test]
    fn a_handle_says_whose_it_is() {
        let handle = Handle { customer: "c-\u{e4} 1".into(), id: FollowUpId(7) };
        assert_eq!(Handle::from_bytes(&handle.to_bytes()), Some(handle));
        for bytes in [&[][..], &[1; 7], &[1; 8], &[0xff; 9]] {
            assert_eq!(Handle::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn it_is_claimed_once_and_done_for_good() {
        let duties = [duty("complaint", EventKind::CustomerComplained)];
        let mut record = Record::default();
        record.tell(told(1, EventKind::CustomerComplained, hour(1)));
        let one = open(&"c".into(), &record, &duties).remove(0);
        assert!(record.tell(claim(one.id, "ravi".into(), hour(2))));
        assert!(!record.tell(claim(one.id, "ada".into(), hour(3))));
        assert_eq!(open(&"c".into(), &record, &duties)[0].claimed, Some(("ravi".into(), hour(2))));
        for event in done(&one, "called back".into(), None, hour(4)) {
            assert!(record.tell(event));
        }
        assert_eq!(open(&"c".into(), &record, &duties), []);
        record.tell(told(9, EventKind::CustomerComplained, hour(8)));
        assert_eq!(open(&"c".into(), &record, &duties).len(), 1, "another complaint is another cause");
    }
}
