//! What a person owes a customer, and how soon.

use crate::domain::event::EventKind;
use crate::domain::follow_up::{Duty, handed_over};
use crate::policy::document::{self, Document};
use crate::policy::mistakes::Collector;

use super::names;

/// The most kinds of follow-up: each is looked for in a record whenever something is told of it.
const MOST_KINDS: usize = 32;
const HANDOFF: &str = "handoff";

/// The duties of all layers; a later layer's replaces an earlier one's of the same kind. Mistakes are the
/// file's own.
pub fn compile(file: &Document, layers: &[&Document], mistakes: &mut Collector<'_>) -> Vec<Duty> {
    let mut duties: Vec<Duty> = Vec::new();
    let mut silent = Collector::new("");
    for layer in layers {
        let is_file = std::ptr::eq(*layer, file);
        let mut own: Vec<&str> = Vec::new();
        for written in &layer.follow_ups {
            let mistakes = if is_file { &mut *mistakes } else { &mut silent };
            if own.contains(&written.kind.value.as_str()) {
                mistakes.add(&written.kind.place, format!("`{}` is described twice", written.kind.value));
            }
            own.push(&written.kind.value);
            if let Some(duty) = duty(written, mistakes) {
                duties.retain(|known| known.kind != duty.kind);
                duties.push(duty);
            }
        }
    }
    if duties.len() > MOST_KINDS {
        mistakes.add(&(0..0), format!("a policy may have at most {MOST_KINDS} kinds of follow-up"));
    }
    duties
}

fn duty(written: &document::FollowUp, mistakes: &mut Collector<'_>) -> Option<Duty> {
    let kind = &written.kind;
    if kind.value.is_empty() || kind.value.chars().count() > names::LONGEST_NAME {
        mistakes.add(&kind.place, format!("a kind has 1 to {} characters", names::LONGEST_NAME));
    }
    let after = if written.after.value == HANDOFF {
        Some(handed_over())
    } else {
        names::event(&written.after, &[HANDOFF], mistakes)
    };
    let until = match &written.until {
        // One reply does not make all the contacts that were handed over.
        None if written.after.value == HANDOFF => Vec::new(),
        None => vec![EventKind::HumanReplied, EventKind::ConversationAnswered],
        Some(texts) => {
            let events = names::list(texts, mistakes).to_vec();
            events.iter().filter_map(|text| names::event(text, &[], mistakes)).collect()
        }
    };
    let within = names::span(&written.within, mistakes)?;
    Some(Duty { kind: kind.value.as_str().into(), after: after?, until, within })
}
