//! Every shape that has a name.

pub mod answers;
pub mod customers;
pub mod events;
pub mod facts;
pub mod operating;
pub mod problems;
pub mod puts;
pub mod question;

use super::shape::Shape;
use super::vocabulary;

/// What makes a shape.
type Make = fn() -> Shape;

/// Names and shapes, in the order of the document.
pub fn all() -> impl Iterator<Item = (String, Shape)> {
    let named: Vec<(&str, Make)> = vec![
        ("Channel", vocabulary::channel),
        ("Purpose", vocabulary::purpose),
        ("Delivery", vocabulary::delivery),
        ("Claim", vocabulary::claim),
        ("Verdict", vocabulary::verdict),
        ("Question", question::question),
        ("Content", question::content),
        ("BatchLine", question::batch_line),
        ("TextToRead", question::text_to_read),
        ("Facts", facts::facts),
        ("Fact", facts::fact),
        ("FactObject", facts::plain_object),
        ("DatedFact", facts::dated_fact),
        ("DatedTimeZone", facts::dated_time_zone),
        ("DatedRegions", facts::dated_regions),
        ("Answer", answers::answer),
        ("Reason", answers::reason),
        ("Budget", answers::budget),
        ("PolicyMark", answers::policy_mark),
        ("OpenedFollowUp", customers::opened_follow_up),
        ("BatchAnswer", answers::batch_answer),
        ("ArbitratedAnswer", answers::arbitrated_answer),
        ("Arbitration", answers::arbitration),
        ("ProblemLine", answers::problem_line),
        ("Explanation", answers::explanation),
        ("ExplainedClaim", answers::explained_claim),
        ("ExaminedRule", answers::examined_rule),
        ("SmallestChange", answers::smallest_change),
        ("Reading", answers::reading),
        ("Span", answers::span),
        ("Events", events::one_or_many),
        ("Event", events::any),
        ("ContactSent", events::sent),
        ("ContactNotSent", events::not_sent),
        ("CustomerUnsubscribed", events::unsubscribed),
        ("CustomerResubscribed", events::resubscribed),
        ("ConsentGranted", events::consent_granted),
        ("ConsentWithdrawn", events::consent_withdrawn),
        ("OtherEvent", events::other),
        ("OwnEvent", events::own),
        ("WishesToSet", puts::wishes_to_set),
        ("Wishes", puts::wishes),
        ("WishedLimit", puts::limit),
        ("Hours", puts::hours),
        ("SuppressionToSet", puts::suppression_to_set),
        ("Customer", customers::customer),
        ("Provenance", customers::provenance),
        ("StandingSuppressions", customers::standing_suppressions),
        ("Suppression", customers::suppression),
        ("KeptFact", customers::kept_fact),
        ("Consent", customers::consent),
        ("HoldInForce", customers::hold_in_force),
        ("BudgetOf", customers::budget_of),
        ("Erased", customers::erased),
        ("Timeline", customers::timeline),
        ("Happening", customers::happening),
        ("ContactHappened", customers::contact_happened),
        ("EventHappened", customers::event_happened),
        ("RefusalHappened", customers::refusal_happened),
        ("WaitHappened", customers::wait_happened),
        ("Export", customers::export),
        ("KeptContact", customers::kept_contact),
        ("KeptEvent", customers::kept_event),
        ("KeptRefusal", customers::kept_refusal),
        ("FollowUp", customers::follow_up),
        ("FollowUps", customers::follow_ups),
        ("ClaimOfFollowUp", customers::claim_of_follow_up),
        ("Done", customers::done),
        ("Policy", operating::policy),
        ("PolicyRule", operating::policy_rule),
        ("PolicyPut", operating::policy_put),
        ("ShadowReport", operating::shadow_report),
        ("ShadowDifference", operating::shadow_difference),
        ("Live", operating::live),
        ("Ready", operating::ready),
        ("JournalStanding", operating::journal_standing),
        ("PolicyStanding", operating::policy_standing),
        ("Problem", problems::problem),
        ("FieldError", problems::field_error),
    ];
    let named = named.into_iter().map(|(name, shape)| (name.to_owned(), shape()));
    named.chain(facts::levels())
}
