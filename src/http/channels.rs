//! What a caller that speaks for some channels may say: nothing that concerns others, but for a customer's word to be
//! left alone, which whoever hears it passes on.

use actix_web::web;

use crate::domain::answer::Answer;
use crate::domain::caller::{Caller, Scope};
use crate::domain::event::{Event, EventKind};
use crate::domain::question::Question;
use crate::gate::put::SuppressionPut;
use crate::gate::tell::Told;
use crate::ledger::LedgerError;
use crate::wire::problem::{FieldError, Problem, ProblemKind};

use super::Shared;
use super::answering::Refusal;
use super::callers::Called;

/// Whose request it is, in a handler.
pub type CalledBy = web::ReqData<Called>;

fn forbidden(pointer: String, detail: String) -> Problem {
    let errors = vec![FieldError { pointer, detail }];
    Problem { errors: errors.clone(), ..Problem::new(ProblemKind::Forbidden, Problem::fields(errors).detail) }
}

fn not_theirs(pointer: String, channel: &str) -> Problem {
    forbidden(pointer, format!("this key does not speak for `{channel}`"))
}

/// # Errors
/// When the question is about somebody else's channel.
pub fn may_ask(caller: &Caller, question: &Question) -> Result<(), Problem> {
    if caller.channels.contains(question.channel()) {
        return Ok(());
    }
    Err(not_theirs("/channel".to_owned(), question.channel()))
}

/// Leaves out of an answer what was not asked for the caller's channels.
pub fn limit(caller: &Caller, answer: &mut Answer) {
    if let Some(alternatives) = &mut answer.alternatives {
        alternatives.retain(|channel| caller.channels.contains(channel));
    }
}

/// # Errors
/// When a suppression is taken back without leave, or for somebody else's channel.
pub fn may_put(caller: &Caller, puts: &[SuppressionPut]) -> Result<(), Problem> {
    for put in puts {
        match put {
            SuppressionPut::Suppress { .. } => {}
            SuppressionPut::Lift { channel, .. } => {
                if !caller.scopes.contains(Scope::Admin) {
                    let detail = format!(
                        "taking a suppression back takes a key with the scope `{}`",
                        Scope::Admin.name()
                    );
                    return Err(Problem::new(ProblemKind::Forbidden, detail));
                }
                let channel = channel.as_deref();
                if !channel.map_or(caller.channels.is_every(), |channel| caller.channels.contains(channel)) {
                    return Err(not_theirs(String::new(), channel.unwrap_or("all")));
                }
            }
        }
    }
    Ok(())
}

/// Whether the customer asks to be left alone: it can do no more harm than silence, and is heard on any channel.
const fn is_word_to_stop(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::CustomerUnsubscribed | EventKind::ConsentWithdrawn | EventKind::CustomerComplained
    )
}

impl Shared {
    /// # Errors
    /// When an event is about somebody else's channel, or about none; or the ledger cannot say.
    pub async fn may_tell(&self, caller: &Caller, told: &[Told], is_list: bool) -> Result<(), Refusal> {
        if caller.channels.is_every() {
            return Ok(());
        }
        for (index, Told { customer, event }) in told.iter().enumerate() {
            if is_word_to_stop(&event.kind) {
                continue;
            }
            let pointer = if is_list { format!("/{index}/data") } else { "/data".to_owned() };
            if let Some(channel) = &event.tags.channel
                && !caller.channels.contains(channel)
            {
                return Err(not_theirs(format!("{pointer}/channel"), channel).into());
            }
            match self.channel_of_contact(customer, event).await? {
                Some(channel) if !caller.channels.contains(&channel) => {
                    // Which channel it is, is not theirs to know.
                    let detail = "is a contact on a channel that this key does not speak for";
                    return Err(forbidden(format!("{pointer}/contact_id"), detail.to_owned()).into());
                }
                None if event.tags.channel.is_none() => {
                    let detail = "is required of a key that speaks for some channels: which is it about?";
                    return Err(forbidden(format!("{pointer}/channel"), detail.to_owned()).into());
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// The channel of the contact that an event names, if that is known.
    async fn channel_of_contact(&self, customer: &str, event: &Event) -> Result<Option<String>, LedgerError> {
        let Some(id) = &event.contact_id else { return Ok(None) };
        let record = self.gate.record(customer).await?;
        Ok(record.contact(id).and_then(|contact| contact.tags.channel.as_deref()).map(str::to_owned))
    }
}
