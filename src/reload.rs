//! The policy files, and how what they say comes into force: all that can fail first, then one swap.
//!
//! Each of the two files stands for itself. One that is refused leaves what it said before in force, and says all
//! that is wrong with it; a draft with a typo keeps nobody from changing the policy.

mod slot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::{Act, Acting, AuditError, Auditor, Noted};
use crate::domain::answer::PolicyMark;
use crate::domain::moment::{Moment, Span};
use crate::gate::Gate;
use crate::gate::force::Force;
use crate::metrics::{Metrics, Reloaded};
use crate::policy::Policy;
use crate::policy::diff;
use crate::policy::mistakes::Mistakes;
use crate::policy::source::Source;
use crate::settings::Settings;

use slot::{Found, Slot, replace};

/// Why what a file says does not come into force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    #[error("{0}")]
    Unreadable(String),
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    #[error(transparent)]
    Untold(#[from] AuditError),
}

/// Why a policy that was sent does not come into force.
#[derive(Debug, thiserror::Error)]
pub enum PutPolicyError {
    /// Another one is in force than its sender thought.
    #[error("another policy is in force: {0}")]
    Changed(String),
    /// Somebody has changed the file, and that is not in force.
    #[error("the policy file says something else than what is in force; what it says would be lost")]
    FileChanged,
    #[error("this program runs on the policy that ships with it: start it with a policy file of yours")]
    NoFile,
    #[error("the policy file cannot be written: {0}")]
    Unwritable(String),
    #[error(transparent)]
    Refused(#[from] ReloadError),
}

/// What the policies are, for whoever asks.
#[derive(Clone, Debug)]
pub struct Standing {
    pub mark: PolicyMark,
    pub since: Moment,
    pub shadow: Option<PolicyMark>,
    /// Why the files say something else than what is in force.
    pub refused: Option<String>,
}

/// What came of a policy that was sent.
#[derive(Debug)]
pub struct Put {
    pub source: Source,
    /// What it changes, a sentence each.
    pub changes: Vec<String>,
}

/// The policy files of one instance.
pub struct Reloader {
    gate: Arc<Gate>,
    metrics: Arc<Metrics>,
    auditor: Option<Arc<Auditor>>,
    retention: Option<Span>,
    standing: Mutex<Standing>,
    /// One change at a time.
    slots: tokio::sync::Mutex<Slots>,
}

#[derive(Debug)]
struct Slots {
    policy: Slot,
    shadow: Slot,
}

/// The policies an instance starts with.
#[derive(Debug)]
pub struct Opened {
    slots: Slots,
    policy: Arc<Policy>,
}

impl Opened {
    /// Reads the policy files. A draft that cannot be tried keeps nothing from starting.
    ///
    /// # Errors
    /// When the policy that is to be in force cannot be.
    pub fn read(settings: &Settings) -> Result<Self, ReloadError> {
        let (slot, source) = Slot::open(settings.policy.clone())?;
        let shadow = match &settings.shadow {
            None => Slot::empty(None, None),
            Some(file) => match Slot::open(Some(file.clone())) {
                Ok((shadow, _)) => shadow,
                Err(error) => {
                    complain("shadow", &error);
                    Slot::empty(Some(file.clone()), Some(error))
                }
            },
        };
        Ok(Self { policy: source.policy, slots: Slots { policy: slot, shadow } })
    }

    /// What is to judge.
    #[must_use]
    pub fn force(&self) -> Force {
        Force::new(Arc::clone(&self.policy), self.slots.shadow.policy())
    }
}

impl Reloader {
    /// Of a gate on which what was opened is in force.
    #[must_use]
    pub fn new(
        opened: Opened,
        gate: Arc<Gate>,
        metrics: Arc<Metrics>,
        auditor: Option<Arc<Auditor>>,
        retention: Option<Span>,
        now: Moment,
    ) -> Self {
        let Opened { policy, slots } = opened;
        let shadow = slots.shadow.policy().map(|shadow| shadow.mark.clone());
        let refused = slots.shadow.refused.as_ref();
        metrics.policy.in_force(&policy.mark, shadow.as_ref(), now);
        metrics.policy.loaded(refused.is_none(), now);
        doubt(&policy, retention);
        let refused = refused.map(ToString::to_string);
        let standing = Standing { mark: policy.mark.clone(), since: now, shadow, refused };
        let (standing, slots) = (Mutex::new(standing), tokio::sync::Mutex::new(slots));
        Self { gate, metrics, auditor, retention, standing, slots }
    }

    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The policy in force as it was written.
    pub async fn source(&self) -> Option<Source> {
        self.slots.lock().await.policy.source.clone()
    }

    /// The policy in force and the one that is only tried, where there is one.
    pub async fn sources(&self) -> Option<(Source, Source)> {
        let slots = self.slots.lock().await;
        slots.policy.source.clone().zip(slots.shadow.source.clone())
    }

    /// Reads both files anew, since somebody asked for that.
    ///
    /// # Errors
    /// Why one of them is refused; the other may have come into force.
    pub async fn reload(&self, now: Moment) -> Result<Reloaded, ReloadError> {
        let mut slots = self.slots.lock().await;
        let (policy, shadow) = read_both(&slots).await;
        self.take(&mut slots, policy, shadow, now).await
    }

    /// Looks whether the files have changed. What has is taken once it is found the same twice, since whoever writes
    /// a file may not have come to its end; what was refused is not refused again.
    ///
    /// # Errors
    /// Why one of them is refused.
    pub async fn look(&self, now: Moment) -> Result<Option<Reloaded>, ReloadError> {
        let mut slots = self.slots.lock().await;
        let (policy, shadow) = read_both(&slots).await;
        let policy = slots.policy.settled(policy);
        let shadow = slots.shadow.settled(shadow);
        if policy.is_none() && shadow.is_none() {
            return Ok(None);
        }
        self.take(&mut slots, policy, shadow, now).await.map(Some)
    }

    /// Puts a policy in force that was sent, and writes it to the policy file first. With `for_show` it is only said
    /// what would change. `expected` is the hash of the policy that its sender means to replace; `None`: any.
    ///
    /// # Errors
    /// When it is refused, another one is in force, or the file cannot be written: the old one stays then.
    pub async fn put(
        &self,
        text: String,
        expected: Option<&str>,
        for_show: bool,
        acting: &Acting,
        now: Moment,
    ) -> Result<Put, PutPolicyError> {
        let mut slots = self.slots.lock().await;
        let (Some(old), Some(file)) = (slots.policy.source.clone(), slots.policy.file.clone()) else {
            return Err(PutPolicyError::NoFile);
        };
        if let Some(expected) = expected
            && *old.policy.mark.hash != *expected
        {
            return Err(PutPolicyError::Changed(old.policy.mark.hash.to_string()));
        }
        if read_both(&slots).await.0.is_some_and(|found| found.is_ok_and(|found| *found != *old.text)) {
            return Err(PutPolicyError::FileChanged);
        }
        let source = compiled(slots.policy.name(), text).await?;
        let changes = diff::changes(&old, &source);
        let is_new = old.policy.mark.hash != source.policy.mark.hash;
        if for_show || !is_new {
            return Ok(Put { source, changes });
        }
        let noted = self.tell(&source.policy, acting, now).await?;
        if let Err(why) = written(&file, Arc::clone(&source.text)).await {
            if let (Some(auditor), Some(noted)) = (&self.auditor, noted) {
                auditor.not_done(acting, noted, now).await;
            }
            return Err(PutPolicyError::Unwritable(why));
        }
        slots.policy.has_taken(source.clone());
        self.metrics.policy.reloaded(Reloaded::Swapped);
        self.put_in_force(&slots, now);
        Ok(Put { source, changes })
    }

    /// Takes what was found, if it can be taken.
    async fn take(
        &self,
        slots: &mut Slots,
        policy: Option<Found>,
        shadow: Option<Found>,
        now: Moment,
    ) -> Result<Reloaded, ReloadError> {
        let mut new_policy = judge(&mut slots.policy, policy).await;
        if let Ok(Some(source)) = &new_policy
            && let Err(error) = self.tell(&source.policy, &Acting::operator(), now).await
        {
            slots.policy.refused = Some(error.clone());
            new_policy = Err(error);
        }
        let new_shadow = judge(&mut slots.shadow, shadow).await;
        let mut outcome = Ok(Reloaded::Unchanged);
        for (which, slot, new) in
            [("policy", &mut slots.policy, new_policy), ("shadow", &mut slots.shadow, new_shadow)]
        {
            match new {
                Ok(None) => {}
                Ok(Some(source)) => {
                    slot.has_taken(source);
                    outcome = outcome.map(|_| Reloaded::Swapped);
                    self.metrics.policy.reloaded(Reloaded::Swapped);
                }
                Err(error) => {
                    complain(which, &error);
                    outcome = Err(error);
                    self.metrics.policy.reloaded(Reloaded::Refused);
                }
            }
        }
        if outcome == Ok(Reloaded::Unchanged) {
            self.metrics.policy.reloaded(Reloaded::Unchanged);
        }
        self.put_in_force(slots, now);
        outcome
    }

    /// Tells the audit log of a policy that is about to come into force.
    async fn tell(
        &self,
        policy: &Policy,
        acting: &Acting,
        now: Moment,
    ) -> Result<Option<Noted>, ReloadError> {
        let Some(auditor) = &self.auditor else { return Ok(None) };
        Ok(Some(auditor.record(acting, vec![Act::policy_in_force(&policy.mark)], now).await?))
    }

    /// One swap puts in force what the slots hold.
    fn put_in_force(&self, slots: &Slots, now: Moment) {
        let Some(policy) = slots.policy.policy() else { return };
        let shadow = slots.shadow.policy();
        let mark = policy.mark.clone();
        let shadow_mark = shadow.as_ref().map(|shadow| shadow.mark.clone());
        let refused = slots.policy.refused.as_ref().or(slots.shadow.refused.as_ref());
        self.metrics.policy.loaded(refused.is_none(), now);
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.refused = refused.map(ToString::to_string);
        if standing.mark == mark && standing.shadow == shadow_mark {
            return;
        }
        if standing.mark != mark {
            doubt(&policy, self.retention);
            standing.since = now;
        }
        self.gate.put_in_force(Force::new(policy, shadow));
        self.metrics.policy.in_force(&mark, shadow_mark.as_ref(), now);
        tracing::info!(
            policy = &*mark.version,
            hash = &*mark.hash,
            shadow = shadow_mark.as_ref().map(|mark| &*mark.hash),
            "a new policy is in force"
        );
        (standing.mark, standing.shadow) = (mark, shadow_mark);
    }
}

/// What a slot's file says that is not in force already.
async fn judge(slot: &mut Slot, found: Option<Found>) -> Result<Option<Source>, ReloadError> {
    let Some(found) = found else { return Ok(None) };
    let source = match found.clone() {
        Ok(text) => compiled(slot.name(), text).await,
        Err(why) => Err(ReloadError::Unreadable(why)),
    };
    slot.has_judged(found, source.as_ref().err().cloned());
    let source = source?;
    let is_new = slot.policy().is_none_or(|old| old.mark.hash != source.policy.mark.hash);
    Ok(is_new.then_some(source))
}

/// Compiling may take some milliseconds, for which no answer is to wait.
async fn compiled(name: String, text: String) -> Result<Source, ReloadError> {
    let compiling = tokio::task::spawn_blocking(move || Source::compile(name, text));
    let compiled = compiling.await.map_err(|error| ReloadError::Unreadable(error.to_string()))?;
    Ok(compiled?)
}

async fn read_both(slots: &Slots) -> (Option<Found>, Option<Found>) {
    let (policy, shadow) = (slots.policy.file.clone(), slots.shadow.file.clone());
    let reading = tokio::task::spawn_blocking(move || {
        (policy.as_deref().map(slot::read), shadow.as_deref().map(slot::read))
    });
    reading.await.unwrap_or_default()
}

async fn written(file: &Path, text: Arc<str>) -> Result<(), String> {
    let file: PathBuf = file.to_owned();
    let writing = tokio::task::spawn_blocking(move || replace(&file, &text));
    writing.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// Says everything that is wrong, a line each.
fn complain(which: &str, error: &ReloadError) {
    match error {
        ReloadError::Mistakes(mistakes) => {
            for mistake in &mistakes.list {
                let place = format!("{}:{}:{}", mistakes.file, mistake.line, mistake.column);
                tracing::error!(which, place, mistake = mistake.message, "the policy file has a mistake");
            }
            tracing::error!(
                which,
                mistakes = mistakes.list.len(),
                "the policy file is refused; what was in force before still is"
            );
        }
        error => {
            tracing::error!(which, %error, "the policy file is refused; what was in force before still is");
        }
    }
}

/// Warns where records do not go back as far as a rule looks.
fn doubt(policy: &Policy, retention: Option<Span>) {
    let look_back = policy.longest_look_back();
    if let Some(retention) = retention.filter(|retention| *retention < look_back) {
        tracing::warn!(
            "records are kept for {}, but a rule looks back {}: it will count less than it says",
            retention.in_words(),
            look_back.in_words()
        );
    }
}
