//! One phrase looked for around one word of a text.

use super::phrases::{Element, Hit, Phrase, Phrases, Step};
use super::tokens::{PAUSE, QUOTED, SENTENCE, Token};

/// A search under way.
pub(super) struct Search<'a> {
    pub(super) phrases: &'a Phrases,
    pub(super) tokens: &'a [Token],
    /// Steps left.
    pub(super) left: usize,
}

impl Search<'_> {
    /// The phrase, if it stands around the word at `at`, which its element number `element` matches.
    pub(super) fn around(&mut self, phrase: &Phrase, element: usize, at: usize) -> Option<Hit> {
        if let [_] = phrase.elements.as_slice() {
            self.spend()?;
            return Some(Hit {
                claim: phrase.claim,
                says: phrase.says,
                own: phrase.own,
                written: phrase.written,
                from: at,
                to: at + 1,
            });
        }
        let (before, after) = phrase.elements.split_at_checked(element)?;
        let to = self.forward(after, at)?;
        let from = self.backward(before, at)?;
        Some(Hit {
            claim: phrase.claim,
            says: phrase.says,
            own: phrase.own,
            written: phrase.written,
            from,
            to,
        })
    }

    fn spend(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    fn inner(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at).filter(|token| !token.has(QUOTED))
    }

    #[inline]
    fn fits_next(&self, step: Step, at: usize) -> bool {
        self.inner(at).is_some_and(|token| self.phrases.fits(step, token))
    }

    /// Matches elements rightwards from the word at `at`; one past the last word matched.
    fn forward(&mut self, elements: &[Element], at: usize) -> Option<usize> {
        self.spend()?;
        let Some((element, rest)) = elements.split_first() else { return Some(at) };
        match element.step {
            Step::End => {
                let ends = self.tokens.get(at).is_none_or(|token| token.has(SENTENCE));
                if ends { self.forward(rest, at) } else { None }
            }
            Step::Pause => {
                let pauses = self.tokens.get(at).is_none_or(|token| token.has(SENTENCE | PAUSE));
                if pauses { self.forward(rest, at) } else { None }
            }
            Step::Start => {
                self.tokens.get(at).filter(|token| token.has(SENTENCE)).and_then(|_| self.forward(rest, at))
            }
            Step::Gap(width) => {
                for skipped in 0..=usize::from(width) {
                    if let Some(end) = self.forward(rest, at + skipped) {
                        return Some(end);
                    }
                    let token = self.inner(at + skipped)?;
                    if token.has(SENTENCE) && !(skipped == 0 && at == 0) || self.phrases.negates(token) {
                        return None;
                    }
                }
                None
            }
            step => {
                let found = self.fits_next(step, at).then_some(()).and_then(|()| {
                    // The next element must be in the same sentence, unless there is none.
                    let crosses = self.tokens.get(at + 1).is_some_and(|next| next.has(SENTENCE));
                    let more = rest.iter().any(|element| {
                        !element.optional && !matches!(element.step, Step::End | Step::Pause | Step::Gap(_))
                    });
                    if crosses && more {
                        None
                    } else {
                        self.forward(if crosses { only_end(rest) } else { rest }, at + 1)
                    }
                });
                if found.is_some() || !element.optional { found } else { self.forward(rest, at) }
            }
        }
    }

    /// Matches elements leftwards, the last of them at `at - 1`; the first word matched.
    fn backward(&mut self, elements: &[Element], at: usize) -> Option<usize> {
        self.spend()?;
        let Some((element, rest)) = elements.split_last() else { return Some(at) };
        let starts = self.tokens.get(at).is_none_or(|token| token.has(SENTENCE)) || at == 0;
        match element.step {
            Step::Start => {
                if starts {
                    self.backward(rest, at)
                } else {
                    None
                }
            }
            Step::End => None,
            Step::Pause => {
                let pauses = self.tokens.get(at).is_some_and(|token| token.has(PAUSE));
                if pauses { self.backward(rest, at) } else { None }
            }
            Step::Gap(width) => {
                for skipped in 0..=usize::from(width) {
                    if let Some(from) = self.backward(rest, at - skipped) {
                        return Some(from);
                    }
                    let here = at - skipped;
                    if here == 0 || self.tokens.get(here).is_some_and(|token| token.has(SENTENCE)) {
                        return None;
                    }
                    let token = self.inner(here - 1)?;
                    if self.phrases.negates(token) {
                        return None;
                    }
                }
                None
            }
            step => {
                let found = if starts {
                    None
                } else {
                    at.checked_sub(1)
                        .and_then(|before| self.inner(before).copied())
                        .filter(|token| self.phrases.fits(step, token))
                        .and_then(|_| self.backward(rest, at - 1))
                };
                if found.is_some() || !element.optional { found } else { self.backward(rest, at) }
            }
        }
    }
}

/// At the end of a sentence nothing but the mark of its end can still be matched.
fn only_end(rest: &[Element]) -> &[Element] {
    if rest.iter().any(|element| matches!(element.step, Step::End | Step::Pause)) { rest } else { &[] }
}
