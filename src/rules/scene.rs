//! One question, judged at one moment: everything a rule may look at.

use std::sync::OnceLock;

use smallvec::SmallVec;

use crate::domain::condition::{Circumstances, Condition, TextVariable};
use crate::domain::contact::Contact;
use crate::domain::fact::{Fact, FactValue, REGIONS_FACT, TIME_ZONE_FACT};
use crate::domain::moment::{Moment, Span};
use crate::domain::question::Question;
use crate::domain::record::Record;
use crate::domain::wall_clock::{LocalTime, Stretch, Zone};
use crate::domain::words::{ClaimSet, Name};

use super::company::{Company, Exemption, Purpose, UnknownTimeZone};

/// Where the customer may be.
#[derive(Clone, Debug)]
enum Whereabouts {
    /// The candidates, at least one.
    Candidates(SmallVec<[Zone; 2]>),
    Unknown,
}

/// The scene a rule judges. Cheap to set up; [`Scene::move_to`] shows it at another moment, as it
/// would be if it were asked about then.
#[derive(Debug)]
pub struct Scene<'a> {
    pub company: &'a Company,
    pub record: &'a Record,
    pub question: &'a Question,
    /// The contact this very answer reserves, for what is said of budgets after it.
    pub extra: Option<&'a Contact>,
    purpose: Option<&'a Purpose>,
    asked: Moment,
    moment: Moment,
    whereabouts: Whereabouts,
    regions: SmallVec<[Name; 4]>,
    /// Found when it is first needed: most contacts lie in the stretch of the moment judged.
    stretch: OnceLock<Stretch>,
}

impl<'a> Scene<'a> {
    /// The question as asked at `asked`, about the moment it names.
    #[must_use]
    pub fn new(company: &'a Company, record: &'a Record, question: &'a Question, asked: Moment) -> Self {
        let mut scene = Self {
            company,
            record,
            question,
            extra: None,
            purpose: company.purpose(question.purpose()),
            asked,
            moment: question.moment(asked),
            whereabouts: Whereabouts::Unknown,
            regions: SmallVec::new(),
            stretch: OnceLock::new(),
        };
        scene.look_around();
        scene
    }

    /// The same scene with `contact` in the record.
    #[must_use]
    pub fn with<'b>(&self, contact: &'b Contact) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene {
            extra: Some(contact),
            whereabouts: self.whereabouts.clone(),
            regions: self.regions.clone(),
            stretch: self.stretch.clone(),
            ..*self
        }
    }

    /// The same question asked at `moment` about that moment.
    pub fn move_to(&mut self, moment: Moment) {
        self.show(moment, moment);
    }

    /// The same question as asked at `asked` about `moment`.
    pub fn show(&mut self, asked: Moment, moment: Moment) {
        self.asked = asked;
        self.moment = moment;
        self.look_around();
    }

    fn look_around(&mut self) {
        self.stretch = OnceLock::new();
        let question = self.question;
        self.whereabouts = if question.zones.is_empty() {
            let known: SmallVec<[Zone; 2]> = self
                .fact(TIME_ZONE_FACT)
                .into_iter()
                .flat_map(FactValue::texts)
                .filter_map(Zone::get)
                .collect();
            if known.is_empty() { Whereabouts::Unknown } else { Whereabouts::Candidates(known) }
        } else {
            Whereabouts::Candidates(question.zones.iter().cloned().collect())
        };
        self.regions = if question.regions.is_empty() {
            self.fact(REGIONS_FACT).into_iter().flat_map(FactValue::texts).map(Name::from).collect()
        } else {
            question.regions.iter().cloned().collect()
        };
    }

    /// When the question was asked; in the search for `not_before`, the moment itself.
    #[must_use]
    pub const fn asked(&self) -> Moment {
        self.asked
    }

    #[must_use]
    pub fn is_exempt(&self, from: Exemption) -> bool {
        self.purpose.is_some_and(|purpose| purpose.is_exempt(from))
    }

    /// The zones in all of which hours must be open; `None` when the policy has them denied.
    #[must_use]
    pub fn zones_for_hours(&self) -> Option<&[Zone]> {
        match (&self.whereabouts, self.company.unknown_time_zone) {
            (Whereabouts::Candidates(zones), _) => Some(zones),
            (Whereabouts::Unknown, UnknownTimeZone::Company) => {
                Some(std::slice::from_ref(&self.company.zone))
            }
            (Whereabouts::Unknown, UnknownTimeZone::Everywhere) => Some(Zone::inhabited()),
            (Whereabouts::Unknown, UnknownTimeZone::Deny) => None,
        }
    }

    /// Whether a contact takes up room: it stands, has not lapsed, and its purpose is counted.
    #[must_use]
    pub fn counts(&self, contact: &Contact) -> bool {
        self.happened_or_will(contact) && self.company.counts(contact.tags.purpose.as_deref())
    }

    /// Whether a contact is not cancelled, failed or lapsed.
    #[must_use]
    pub fn happened_or_will(&self, contact: &Contact) -> bool {
        contact.standing.counts()
            && contact.lapses_at(self.company.lapse_after).is_none_or(|lapse| self.asked < lapse)
    }

    /// When the first of these reservations lapses, if they do.
    #[must_use]
    pub fn next_lapse<'c>(&self, contacts: impl Iterator<Item = &'c Contact>) -> Option<Moment> {
        let lapse_after = self.company.lapse_after;
        lapse_after?;
        let lapses = contacts.filter_map(|contact| contact.lapses_at(lapse_after));
        lapses.filter(|lapse| *lapse > self.moment).min()
    }

    /// The contacts strictly between two moments, oldest first, the one this answer reserves included.
    pub fn contacts_between(&self, after: Moment, before: Moment) -> impl Iterator<Item = &Contact> + Clone {
        // Looked for from the end: what matters is nearly always among the latest.
        let contacts = self.record.contacts();
        let later = contacts.iter().rev().take_while(|contact| contact.at >= before).count();
        let kept = contacts.get(..contacts.len() - later).unwrap_or_default();
        let within = kept.iter().rev().take_while(|contact| contact.at > after).count();
        let kept = kept.get(kept.len() - within..).unwrap_or_default();
        let extra = self.extra.filter(|extra| after < extra.at && extra.at < before);
        let split = extra.map_or(kept.len(), |extra| kept.partition_point(|contact| contact.at <= extra.at));
        let (earlier, later) = kept.split_at(split);
        earlier.iter().chain(extra).chain(later)
    }

    /// The question's own fact, or else the kept one, if it is not too old to be known.
    fn known(&self, name: &str) -> Option<&Fact> {
        let fact = match self.question.facts.get(name) {
            Some(told) => told.as_ref(),
            None => self.record.facts.get(name).and_then(Option::as_ref),
        }?;
        let shelf_life = self.company.shelf_lives.get(name);
        let fresh = shelf_life.is_none_or(|shelf_life| {
            let as_of = fact.as_of.unwrap_or(self.asked);
            self.moment - as_of <= *shelf_life
        });
        fresh.then_some(fact)
    }

    /// When something that is known now will be too old, or a consent ends. Nothing else that is
    /// known changes with time alone, but local dates.
    #[must_use]
    pub fn next_forgetting(&self) -> Option<Moment> {
        let facts = self.company.shelf_lives.iter().filter_map(|(name, shelf_life)| {
            let fact = self.known(name)?;
            Some((fact.as_of? + *shelf_life).next())
        });
        let consents = self.record.consents.ends();
        facts.chain(consents).filter(|moment| *moment > self.moment).min()
    }

    /// The next local midnight of the customer's zone, or jump of its clock.
    #[must_use]
    pub fn next_local_date(&self) -> Moment {
        let zone = self.zone();
        zone.boundary_after(self.moment, self.local(self.moment).day.plus(1), 0)
    }

    /// When a condition's outcome may change with time alone; for facts that grow too old see
    /// [`Scene::next_forgetting`].
    #[must_use]
    pub fn next_outcome(&self, condition: &Condition) -> Option<Moment> {
        condition.reads_local_date().then(|| self.next_local_date())
    }

    /// What the customer's clock shows at some moment, which need not be the one judged.
    #[must_use]
    pub fn local(&self, moment: Moment) -> LocalTime {
        self.stretch().local(moment).unwrap_or_else(|| self.zone().local(moment))
    }

    /// The stretch around the moment judged in which the customer's clock does not jump.
    #[must_use]
    pub fn stretch(&self) -> &Stretch {
        self.stretch.get_or_init(|| self.zone().stretch(self.moment))
    }

    /// A span back from the moment judged.
    #[must_use]
    pub fn back(&self, span: Span) -> Moment {
        self.moment - span
    }
}

impl Circumstances for Scene<'_> {
    fn fact(&self, name: &str) -> Option<&FactValue> {
        self.known(name).map(|fact| &fact.value)
    }

    fn text(&self, variable: TextVariable) -> &str {
        let tags = &self.question.tags;
        match variable {
            TextVariable::Delivery => self.question.delivery.name(),
            TextVariable::Channel => self.question.channel(),
            TextVariable::Purpose => self.question.purpose(),
            TextVariable::Campaign => tags.campaign.as_deref().unwrap_or(""),
            TextVariable::Category => tags.category.as_deref().unwrap_or(""),
            TextVariable::Brand => tags.brand.as_deref().unwrap_or(""),
            TextVariable::Addressee => self.question.content.addressee.as_deref().unwrap_or(""),
            TextVariable::Language => self.question.content.language.as_deref().unwrap_or(""),
        }
    }

    fn claims(&self) -> ClaimSet {
        self.question.tags.claims
    }

    fn automated(&self) -> bool {
        self.question.delivery.is_automated()
    }

    /// The latest consent for this channel (or any) and purpose (or any) is a grant, and has not
    /// ended. At the same instant a withdrawal wins.
    fn consented(&self) -> bool {
        self.record.consents.is_granted(self.question.channel(), self.question.purpose(), self.moment)
    }

    fn regions(&self) -> &[Name] {
        &self.regions
    }

    fn moment(&self) -> Moment {
        self.moment
    }

    /// The first candidate, else the company's.
    fn zone(&self) -> &Zone {
        match &self.whereabouts {
            Whereabouts::Candidates(zones) => zones.first().unwrap_or(&self.company.zone),
            Whereabouts::Unknown => &self.company.zone,
        }
    }
}
