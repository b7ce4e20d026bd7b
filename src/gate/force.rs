//! The policy in force, and the one that is only tried beside it: swapped together or not at all.

use std::sync::Arc;

use crate::claims::{Message, Shelf};
use crate::domain::question::Question;
use crate::domain::words::ClaimSet;
use crate::policy::Policy;

use super::Gate;

/// What questions are judged by. One of these serves a question from its beginning to its end.
#[derive(Debug)]
pub struct Force {
    pub policy: Arc<Policy>,
    /// Judges every question too, without effect.
    pub shadow: Option<Shadow>,
}

/// A policy that is only tried.
#[derive(Debug)]
pub struct Shadow {
    pub policy: Arc<Policy>,
    /// Reads what words claim, where the two policies have phrases of their own for that.
    shelf: Option<Shelf>,
}

impl Force {
    #[must_use]
    pub fn new(policy: Arc<Policy>, shadow: Option<Arc<Policy>>) -> Self {
        let reads_otherwise = |shadow: &Policy| policy.reader.is_some() || shadow.reader.is_some();
        let shadow = shadow.map(|shadow| Shadow {
            shelf: reads_otherwise(&shadow).then(|| Shelf::new(shadow.reader.clone())),
            policy: shadow,
        });
        Self { policy, shadow }
    }
}

impl From<Arc<Policy>> for Force {
    fn from(policy: Arc<Policy>) -> Self {
        Self::new(policy, None)
    }
}

impl Shadow {
    /// What the question claims to this policy, if that is not what it claims to the one in force: all of it, and
    /// what of it was not declared.
    #[must_use]
    pub fn claims(&self, question: &Question) -> Option<(ClaimSet, ClaimSet)> {
        let found = self.shelf.as_ref()?.claims(&Message::of(&question.content, Some(question.channel())));
        let declared = question.tags.claims.without(question.undeclared);
        Some((declared.union(found), found.without(declared)))
    }
}

impl Gate {
    /// The policy in force. Whoever asks twice may get two.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.force.load().policy)
    }

    /// What questions are judged by from now on.
    #[must_use]
    pub fn force(&self) -> Arc<Force> {
        self.force.load_full()
    }

    /// Puts other policies in force. Questions that are being judged go on under those they began with.
    pub fn put_in_force(&self, force: Force) {
        self.force.store(Arc::new(force));
    }
}
