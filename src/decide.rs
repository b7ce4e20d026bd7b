//! The engine: policy, record, question and the moment in, the answer out.
//!
//! ```text
//! repeated? → judge every clause → strictest verdict → search the moment all would pass → answer
//! ```
//!
//! Pure and synchronous: no clock, no store, no log. What it wants done to the record it says in the
//! [`Decision`]; the gate does it.

pub mod clause;
pub mod examine;
mod search;

use crate::domain::answer::{Answer, Budget, Finding, Reason, RuleVerdict};
use crate::domain::condition::Circumstances;
use crate::domain::contact::{Contact, Standing};
use crate::domain::event::{Event, EventKey};
use crate::domain::follow_up;
use crate::domain::halts::Halts;
use crate::domain::moment::Moment;
use crate::domain::question::{Misuse, Question, SEARCH_HORIZON};
use crate::domain::record::Record;
use crate::domain::words::{Claim, Verdict};
use crate::policy::Policy;
use crate::rules::scene::Scene;
use crate::rules::{Mode, RuleKind};

use clause::Clause;

/// What is to be done to the record before the answer is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Nothing,
    Reserve(Contact),
    /// Give back the slot of the reservation with the question's id.
    Release,
    /// A person must do it; note that, so that somebody is asked to.
    HandOver(Event),
    /// The reservation stands; see that it is stored before saying so again.
    Confirm,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub answer: Answer,
    pub change: Change,
}

/// Judges a question asked at `now`.
///
/// # Errors
/// When the question cannot be judged: its moments do not fit the clock, or its id another question.
pub fn decide(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    now: Moment,
) -> Result<Decision, Vec<Misuse>> {
    let mut decision = answered(policy, halts, record, question, now)?;
    decision.answer.advice.extend(undeclared(question));
    if decision.answer.verdict == Verdict::Handoff {
        hand_over(policy, record, question, now, &mut decision);
    }
    Ok(decision)
}

/// Opens the follow-up that a handoff is, unless the same question has opened it already.
fn hand_over(policy: &Policy, record: &Record, question: &Question, now: Moment, decision: &mut Decision) {
    let duties = &policy.company.duties;
    let of_this = |record: &Record, key: EventKey| {
        let open = follow_up::open(&question.customer, record, duties);
        open.into_iter().find(|open| open.cause == key)
    };
    let mut event = follow_up::handoff(question, None, now);
    if record.knows(event.key) {
        decision.answer.follow_up = of_this(record, event.key);
        if decision.answer.follow_up.is_some() || !question.is_minted {
            return;
        }
        // Nobody gave it an id, and what it once opened is done: this is another message.
        event = follow_up::handoff(question, Some(now), now);
    }
    let key = event.key;
    let mut after = record.clone();
    after.tell(event.clone());
    decision.answer.follow_up = of_this(&after, key);
    if decision.answer.follow_up.is_some() {
        decision.change = Change::HandOver(event);
    }
}

/// Advice to a sender whose text claims more than was declared.
#[must_use]
pub fn undeclared(question: &Question) -> Option<Reason> {
    let claims = question.undeclared;
    let names: Vec<_> = claims.iter().map(Claim::name).collect();
    let because = || format!("The text also claims {}, which its sender did not declare.", and(&names));
    (!claims.is_empty()).then(|| Reason {
        rule: "claims".into(),
        finding: Finding::Undeclared { claims },
        verdict: RuleVerdict::Advise,
        because: because().into(),
        not_before: None,
        shadow: false,
    })
}

fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn answered(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    now: Moment,
) -> Result<Decision, Vec<Misuse>> {
    let known = record.contact(&question.contact_id);
    if let Some(known) = known {
        if known.question != Some(question.fingerprint) {
            return Err(vec![Misuse::ContactIdTaken]);
        }
        let lapsed = known.lapses_at(policy.company.lapse_after).is_some_and(|lapse| lapse <= now);
        if known.standing.counts() && !lapsed {
            return Ok(repeat(policy, halts, record, question, known, now));
        }
    }
    let misuses: Vec<Misuse> = question.misplaced(now).collect();
    if !misuses.is_empty() {
        return Err(misuses);
    }
    Ok(judge(policy, halts, record, question, now))
}

/// The same question again: the same `allow`, unless the customer or the company said stop since.
fn repeat(
    policy: &Policy,
    halts: &Halts,
    record: &Record,
    question: &Question,
    known: &Contact,
    now: Moment,
) -> Decision {
    let mut scene = Scene::new(&policy.company, record, question, now);
    let stops = [Clause::Suppression, Clause::Halt(halts)];
    let reasons: Vec<Reason> =
        stops.iter().filter_map(|clause| Some(clause.reason(clause.judge(&scene)?, None))).collect();
    if !reasons.is_empty() {
        // What was sent was sent; what was only reserved is given back.
        let (change, after) = match known.standing {
            Standing::Reserved => (Change::Release, record.without_contact(&known.id)),
            Standing::Sent | Standing::Cancelled | Standing::Failed => (Change::Nothing, record.clone()),
        };
        let budgets = budgets(policy, &mut Scene::new(&policy.company, &after, question, now), now);
        let answer = Answer { reasons, ..answer(policy, question, Verdict::Deny, budgets) };
        return Decision { answer, change };
    }
    scene.move_to(known.at);
    let budgets = budgets(policy, &mut scene, now);
    let answer =
        Answer { send_at: Some(known.reserved_at), ..answer(policy, question, Verdict::Allow, budgets) };
    Decision { answer, change: Change::Confirm }
}

/// What stops a question whatever the record says: its campaign's halt.
#[must_use]
pub fn stops(policy: &Policy, halts: &Halts, question: &Question, now: Moment) -> Vec<Reason> {
    let record = Record::default();
    let scene = Scene::new(&policy.company, &record, question, now);
    let clause = Clause::Halt(halts);
    clause.judge(&scene).map(|judgement| clause.reason(judgement, None)).into_iter().collect()
}

fn judge(policy: &Policy, halts: &Halts, record: &Record, question: &Question, now: Moment) -> Decision {
    let mut scene = Scene::new(&policy.company, record, question, now);
    let clauses = clause::all(policy, halts, record, question);
    let mut verdict = Verdict::Allow;
    let mut found = Vec::new();
    for clause in &clauses {
        if let Some(judgement) = clause.judge(&scene) {
            if let Some(refusal) = clause.blocks(judgement) {
                verdict = verdict.max(refusal);
            }
            found.push((clause, judgement));
        }
    }
    if found.is_empty() {
        return allow(policy, &mut scene, Vec::new());
    }

    let moment = scene.moment();
    let (from, until) = (moment.max(now), moment + SEARCH_HORIZON);
    let (mut reasons, mut advice) = (Vec::new(), Vec::new());
    for (clause, judgement) in &found {
        let blocks = clause.blocks(*judgement).is_some();
        let not_before = search::first_pass(&mut scene, std::slice::from_ref(*clause), from, until, !blocks);
        let reason = clause.reason(*judgement, not_before);
        if blocks { reasons.push(reason) } else { advice.push(reason) }
    }
    // All of them together pass no sooner than the last of them alone.
    let alone: Option<Vec<Moment>> = reasons.iter().map(|reason| reason.not_before).collect();
    let not_before = alone
        .filter(|_| verdict == Verdict::Defer)
        .and_then(|alone| alone.into_iter().max())
        .and_then(|last_alone| search::first_pass(&mut scene, &clauses, last_alone, until, false))
        .filter(|moment| question.deadline.is_none_or(|deadline| *moment <= deadline));

    scene = Scene::new(&policy.company, record, question, now);
    match verdict {
        Verdict::Allow => allow(policy, &mut scene, advice),
        Verdict::Defer | Verdict::Handoff | Verdict::Deny => {
            let verdict =
                if verdict == Verdict::Defer && not_before.is_none() { Verdict::Deny } else { verdict };
            let known = reasons.iter().chain(&advice).collect::<Vec<_>>();
            let budgets = budgets_knowing(policy, &mut scene, now, &known);
            let answer = Answer { not_before, reasons, advice, ..answer(policy, question, verdict, budgets) };
            Decision { answer, change: Change::Nothing }
        }
    }
}

fn allow(policy: &Policy, scene: &mut Scene<'_>, advice: Vec<Reason>) -> Decision {
    let question = scene.question;
    let (at, now) = (scene.moment(), scene.asked());
    let contact = question.reservation(at);
    let budgets = if scene.record.awaits_cancelling(&contact.id) {
        budgets(policy, scene, now)
    } else {
        budgets(policy, &mut scene.with(&contact), now)
    };
    let answer = Answer { send_at: Some(at), advice, ..answer(policy, question, Verdict::Allow, budgets) };
    Decision { answer, change: Change::Reserve(contact) }
}

/// Where every cap that matches a question stands, without the contact asked about.
#[must_use]
pub fn standing_budgets(policy: &Policy, record: &Record, question: &Question, now: Moment) -> Vec<Budget> {
    budgets(policy, &mut Scene::new(&policy.company, record, question, now), now)
}

/// Where every matching cap stands at the scene's moment, as it is known at `now`.
fn budgets(policy: &Policy, scene: &mut Scene<'_>, now: Moment) -> Vec<Budget> {
    budgets_knowing(policy, scene, now, &[])
}

/// The same, where the search has been made for some caps already: their reasons say what it found.
fn budgets_knowing(policy: &Policy, scene: &mut Scene<'_>, now: Moment, known: &[&Reason]) -> Vec<Budget> {
    let (asked, moment) = (scene.asked(), scene.moment());
    let (from, until) = (moment.max(now), moment + SEARCH_HORIZON);
    let mut budgets = Vec::new();
    for rule in &policy.rules {
        let RuleKind::Cap(cap) = &rule.kind else { continue };
        if !rule.matches(scene) {
            continue;
        }
        let (mut budget, is_open) = cap.budget(&rule.id, &rule.narrowing, scene);
        budget.shadow = !is_enforced(rule.mode);
        // A condition or a region that is forgotten may let the rule pass sooner than the cap has room.
        let always_matches = rule.narrowing.when.is_none() && rule.narrowing.regions.is_none();
        let reason = known.iter().find(|reason| always_matches && *reason.rule == *rule.id);
        if let Some(reason) = reason {
            budget.next_free = reason.not_before;
        } else if !is_open {
            let clause = Clause::Cap(rule, cap);
            budget.next_free = search::first_pass(scene, std::slice::from_ref(&clause), from, until, true);
            scene.show(asked, moment);
        }
        budgets.push(budget);
    }
    budgets
}

fn answer(policy: &Policy, question: &Question, verdict: Verdict, budgets: Vec<Budget>) -> Answer {
    Answer {
        verdict,
        contact_id: question.contact_id.clone(),
        send_at: None,
        not_before: None,
        reasons: Vec::new(),
        advice: Vec::new(),
        claims: question.tags.claims,
        budgets,
        alternatives: None,
        follow_up: None,
        policy: policy.mark.clone(),
        degraded: false,
        aside: None,
    }
}

/// Whether a rule of the policy binds, rather than being tried.
const fn is_enforced(mode: Mode) -> bool {
    matches!(mode, Mode::Enforce)
}
