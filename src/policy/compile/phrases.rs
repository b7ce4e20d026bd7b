//! What words claim: the operator's own phrases.

use std::sync::Arc;

use crate::claims::{OwnPhrases, PhraseList, Reader};
use crate::domain::words::Claim;
use crate::policy::document::Document;
use crate::policy::mistakes::Collector;
use crate::policy::placed::Placed;
use crate::policy::shape::did_you_mean;

/// The most phrases a policy may have, over all claims: each is looked for in every message.
const MOST_PHRASES: usize = 2_000;

/// A reader that knows the phrases of all layers; `None` where there are none. Mistakes are the file's
/// own: what ships is sound.
pub fn compile(file: &Document, layers: &[&Document], mistakes: &mut Collector<'_>) -> Option<Arc<Reader>> {
    let mut own = OwnPhrases::default();
    for (claim, lists) in layers.iter().flat_map(|layer| &layer.claims) {
        let Some(claim) = Claim::parse(claim) else { continue };
        let texts = |texts: &[Placed<String>]| texts.iter().map(|text| text.value.clone()).collect();
        own.lists.push((claim, PhraseList::Phrases, texts(&lists.phrases)));
        own.lists.push((claim, PhraseList::Not, texts(&lists.not)));
    }
    for name in file.claims.keys().filter(|name| Claim::parse(name).is_none()) {
        let hint = did_you_mean(name, Claim::ALL.into_iter().map(Claim::name));
        mistakes.add(&name.place, format!("there is no claim `{}`{hint}", name.value));
    }
    let phrases: usize = own.lists.iter().map(|(.., texts)| texts.len()).sum();
    if phrases > MOST_PHRASES {
        let detail = format!("a policy may have at most {MOST_PHRASES} phrases; this one has {phrases}");
        mistakes.add(&(0..0), detail);
        return None;
    }
    if phrases == 0 {
        return None;
    }
    match Reader::new(&own) {
        Ok(reader) => Some(Arc::new(reader)),
        Err(wrong) => {
            for mistake in wrong {
                let lists = file.claims.iter().find(|(claim, _)| claim.value == mistake.claim.name());
                let list = lists.map(|(_, lists)| match mistake.list {
                    PhraseList::Phrases => &lists.phrases,
                    PhraseList::Not => &lists.not,
                });
                let place =
                    list.and_then(|list| list.get(mistake.index)).map_or(0..0, |text| text.place.clone());
                mistakes.add(&place, format!("the phrase {}", mistake.what));
            }
            None
        }
    }
}
