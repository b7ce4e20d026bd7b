//! A customer's refusals as bytes: a version byte, then the version's shape in the postcard encoding. Texts stand
//! once and are referred to by number, from 1; 0 is none. See `docs/stored-format.md`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::domain::moment::Moment;
use crate::domain::refusal::Refusal;
use crate::domain::words::{ClaimSet, Delivery, Name, Tags, Verdict};

use super::LedgerError;

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct StoredRefusals<'b> {
    #[serde(borrow)]
    texts: Vec<&'b str>,
    refusals: Vec<StoredRefusal>,
}

#[derive(Serialize, Deserialize)]
struct StoredRefusal {
    first_at_ms: i64,
    /// After the first.
    at_after_ms: i64,
    times: u32,
    /// The number in `Verdict::ALL`.
    verdict: u8,
    channel: u32,
    purpose: u32,
    /// The number in `Delivery::ALL`, from 1; 0 is none.
    delivery: u8,
    campaign: u32,
    category: u32,
    brand: u32,
    subject: u32,
    sender: u32,
    claims: u8,
    /// Rule, because.
    reasons: Vec<(u32, u32)>,
    /// After the last.
    not_before_after_ms: Option<i64>,
}

#[derive(Default)]
struct Texts<'r> {
    texts: Vec<&'r str>,
    numbers: HashMap<&'r str, u32>,
}

impl<'r> Texts<'r> {
    fn number(&mut self, text: Option<&'r Name>) -> u32 {
        let Some(text) = text.map(|text| &**text) else { return 0 };
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32
        })
    }
}

/// After what a ledger puts in front.
#[must_use]
pub fn append(mut bytes: Vec<u8>, refusals: &[Refusal]) -> Vec<u8> {
    let mut texts = Texts::default();
    let stored = refusals.iter().map(|refusal| StoredRefusal {
        first_at_ms: refusal.first_at.millis(),
        at_after_ms: (refusal.at - refusal.first_at).millis(),
        times: refusal.times,
        verdict: refusal.verdict as u8,
        channel: texts.number(refusal.tags.channel.as_ref()),
        purpose: texts.number(refusal.tags.purpose.as_ref()),
        delivery: refusal.tags.delivery.map_or(0, |delivery| delivery as u8 + 1),
        campaign: texts.number(refusal.tags.campaign.as_ref()),
        category: texts.number(refusal.tags.category.as_ref()),
        brand: texts.number(refusal.tags.brand.as_ref()),
        subject: texts.number(refusal.tags.subject.as_ref()),
        sender: texts.number(refusal.tags.sender.as_ref()),
        claims: refusal.tags.claims.bits(),
        reasons: refusal
            .reasons
            .iter()
            .map(|(rule, because)| (texts.number(Some(rule)), texts.number(Some(because))))
            .collect(),
        not_before_after_ms: refusal.not_before.map(|moment| (moment - refusal.at).millis()),
    });
    let refusals = stored.collect();
    bytes.push(VERSION);
    // Writing plain data to a vector cannot fail.
    postcard::to_extend(&StoredRefusals { texts: texts.texts, refusals }, bytes).unwrap_or_default()
}

/// # Errors
/// When the bytes are of no known version, or not what that version writes.
pub fn decode(bytes: &[u8]) -> Result<Vec<Refusal>, LedgerError> {
    let unreadable = |why: String| LedgerError::Unreadable { why: format!("refusals: {why}") };
    let stored: StoredRefusals<'_> = match bytes.split_first() {
        Some((&VERSION, rest)) => {
            postcard::from_bytes(rest).map_err(|error| unreadable(error.to_string()))?
        }
        Some((version, _)) => {
            return Err(unreadable(format!("version {version} is newer than this program")));
        }
        None => return Err(unreadable("no bytes".to_owned())),
    };
    let texts: Vec<Name> = stored.texts.into_iter().map(Name::from).collect();
    stored
        .refusals
        .iter()
        .map(|one| read(one, &texts).ok_or_else(|| unreadable("damaged".to_owned())))
        .collect()
}

/// `None` where a number refers to nothing.
fn read(stored: &StoredRefusal, texts: &[Name]) -> Option<Refusal> {
    let text = |number: u32| match number.checked_sub(1) {
        None => Some(None),
        Some(index) => texts.get(index as usize).cloned().map(Some),
    };
    let delivery = match stored.delivery.checked_sub(1) {
        None => None,
        Some(index) => Some(*Delivery::ALL.get(usize::from(index))?),
    };
    let first_at = Moment::from_millis(stored.first_at_ms);
    let at = Moment::from_millis(stored.first_at_ms.saturating_add(stored.at_after_ms));
    let reasons = stored.reasons.iter();
    Some(Refusal {
        first_at,
        at,
        times: stored.times,
        verdict: *Verdict::ALL.get(usize::from(stored.verdict))?,
        tags: Tags {
            channel: text(stored.channel)?,
            purpose: text(stored.purpose)?,
            delivery,
            campaign: text(stored.campaign)?,
            category: text(stored.category)?,
            brand: text(stored.brand)?,
            subject: text(stored.subject)?,
            sender: text(stored.sender)?,
            claims: ClaimSet::from_bits(stored.claims),
        },
        reasons: reasons
            .map(|(rule, because)| Some((text(*rule)??, text(*because)??)))
            .collect::<Option<_>>()?,
        not_before: stored
            .not_before_after_ms
            .map(|after_ms| Moment::from_millis(at.millis().saturating_add(after_ms))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_come_back_and_damage_harms_nobody() {
        let refusal = Refusal {
            first_at: Moment::from_millis(1_000),
            at: Moment::from_millis(5_000),
            times: 3,
            verdict: Verdict::Defer,
            tags: Tags {
                channel: Some("email".into()),
                delivery: Some(Delivery::Template),
                campaign: Some("autumn".into()),
                ..Tags::default()
            },
            reasons: vec![("cap".into(), "At most three.".into()), ("hold".into(), "Heard first.".into())],
            not_before: Some(Moment::from_millis(9_000)),
        };
        let refusals = vec![refusal.clone(), Refusal { not_before: None, ..refusal }];
        let bytes = append(Vec::new(), &refusals);
        assert_eq!(decode(&bytes).ok(), Some(refusals));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xff;
            let _ = decode(&damaged);
            assert!(decode(&bytes[..place]).is_err());
        }
    }
}
