//! What a rule is about: channels, purposes, deliveries and the other members every rule may have.

use crate::domain::condition::{Circumstances, Condition, Truth};
use crate::domain::moment::Moment;
use crate::domain::words::{ClaimSet, DeliverySet, Name, Tags};

use super::scene::Scene;

/// Whatever is `None` matches all.
#[derive(Debug, Default)]
pub struct Narrowing {
    pub channels: Option<Vec<Name>>,
    pub purposes: Option<Vec<Name>>,
    pub deliveries: Option<DeliverySet>,
    pub categories: Option<Vec<Name>>,
    pub campaigns: Option<Vec<Name>>,
    pub brands: Option<Vec<Name>>,
    pub claims: Option<ClaimSet>,
    pub regions: Option<Vec<Name>>,
    pub when: Option<Condition>,
}

/// `None` matches all; a tag not given matches no list.
#[must_use]
pub fn listed(names: Option<&Vec<Name>>, name: Option<&str>) -> bool {
    names.is_none_or(|names| name.is_some_and(|name| names.iter().any(|listed| &**listed == name)))
}

/// A rule for `US` binds `US-FL`, not the reverse.
fn covers(rule: &str, region: &str) -> bool {
    region.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl Narrowing {
    /// Whether a message tagged so is selected. `regions` and `when` are not asked: they are about
    /// the question, not about the contacts a cap counts.
    #[must_use]
    pub fn selects(&self, tags: &Tags) -> bool {
        listed(self.channels.as_ref(), tags.channel.as_deref())
            && listed(self.purposes.as_ref(), tags.purpose.as_deref())
            && self
                .deliveries
                .is_none_or(|deliveries| tags.delivery.is_some_and(|delivery| deliveries.contains(delivery)))
            && listed(self.categories.as_ref(), tags.category.as_deref())
            && listed(self.campaigns.as_ref(), tags.campaign.as_deref())
            && listed(self.brands.as_ref(), tags.brand.as_deref())
            && self.claims.is_none_or(|claims| claims.intersects(tags.claims))
    }

    /// Whether the question is selected. A `when` nobody can settle matches.
    #[must_use]
    pub fn matches(&self, scene: &Scene<'_>) -> bool {
        self.selects(&scene.question.tags)
            && self.regions.as_ref().is_none_or(|regions| {
                regions.iter().any(|rule| scene.regions().iter().any(|region| covers(rule, region)))
            })
            && self.when.as_ref().is_none_or(|when| when.truth(scene) != Truth::False)
    }

    /// When the question may be selected otherwise than now.
    #[must_use]
    pub fn next_change(&self, scene: &Scene<'_>) -> Option<Moment> {
        self.when.as_ref().and_then(|when| scene.next_outcome(when))
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_country_covers_its_regions_and_not_the_reverse() {
        assert!(covers("US", "US-FL") && covers("US", "US") && covers("US-FL", "US-FL"));
        assert!(!covers("US-FL", "US") && !covers("US", "USX") && !covers("US-F", "US-FL"));
    }
}
