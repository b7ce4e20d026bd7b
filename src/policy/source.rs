//! A policy and the text that it was compiled from.

use std::sync::Arc;

use super::Policy;
use super::compile::compile;
use super::mistakes::Mistakes;

#[derive(Clone, Debug)]
pub struct Source {
    /// What the text is called in mistakes.
    pub name: String,
    pub text: Arc<str>,
    pub policy: Arc<Policy>,
}

impl Source {
    /// # Errors
    /// Every mistake in the text.
    pub fn compile(name: String, text: String) -> Result<Self, Mistakes> {
        let policy = Arc::new(compile(&name, &text)?);
        Ok(Self { name, text: text.into(), policy })
    }
}
