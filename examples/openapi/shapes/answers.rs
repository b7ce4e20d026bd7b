//! What is answered to a question.

use contact_governor::domain::words::Verdict;
use serde_json::{Value, json};

use super::super::shape::{
    Members, Shape, any, boolean, every, id, like, map, moment, named, number, one_of, text, whole_from,
    words,
};
use super::super::vocabulary::finding_kinds;

pub fn example() -> Value {
    json!({
        "verdict": "defer", "contact_id": "msg-8812", "not_before": "2026-11-24T14:00:00Z",
        "reasons": [{
            "rule": "three-a-week", "kind": "cap", "verdict": "defer",
            "because": "At most three contacts a week, whatever the channel.",
            "limit": 3, "used": 3, "window": "rolling 7d", "not_before": "2026-11-24T14:00:00Z",
        }],
        "advice": [], "claims": ["care"],
        "budgets": [{"rule": "three-a-week", "limit": 3, "used": 3, "next_free": "2026-11-24T14:00:00Z"}],
        "follow_up": null, "policy": {"version": "2026-11-21", "hash": "2181804adafae4ee"}, "degraded": false,
    })
}

fn members(said: &str) -> Members {
    Members::of(said)
        .must("verdict", "The strictest enforced rule's.", named("Verdict"))
        .must("contact_id", "The question's, or the one that was minted.", id())
        .maybe("send_at", "With `allow`: the moment reserved.", moment())
        .maybe(
            "not_before",
            "With `defer`: asked again then, with nothing else told in between, the answer is `allow`; a millisecond \
             earlier it is not.",
            moment(),
        )
        .must("reasons", "Every enforced rule that refused, in the policy's order.", every(named("Reason")))
        .must("advice", "Shadow rules and rules that only advise, as far as they matched.", every(named("Reason")))
        .must("claims", "What the message asserts: as declared, and as read in its words.", every(named("Claim")))
        .must("budgets", "Where every matching cap stands after this answer.", every(named("Budget")))
        .maybe("alternatives", "With `?alternatives=true`: the other channels that would be allowed now.", every(named("Channel")))
        .known("follow_up", "With `handoff`: the task that a person has now.", named("OpenedFollowUp"))
        .must("policy", "The policy that was in force.", named("PolicyMark"))
        .must("degraded", "Whether the ledger could not be reached, and the purpose's `when_blind` decided.", boolean())
}

pub fn answer() -> Shape {
    members("The decision. A refusal is an answer like any other.").open()
}

pub fn arbitrated_answer() -> Shape {
    let said = "Which of the same customer's lines went first.";
    members("An answer that says whom it went before and after.")
        .must("arbitration", said, named("Arbitration"))
        .open()
}

pub fn arbitration() -> Shape {
    Members::of("A place among one customer's lines.")
        .must("rank", "1 went first.", whole_from(1))
        .must("of", "So many lines there were.", whole_from(1))
        .must("before", "The contacts that went before it.", every(id()))
        .open()
}

pub fn problem_line() -> Shape {
    super::problems::members("A problem in the place of an answer.")
        .must("line", "Which line is to blame, the first being 1.", whole_from(1))
        .open()
}

pub fn batch_answer() -> Shape {
    one_of([named("Answer"), named("ArbitratedAnswer"), named("ProblemLine")])
}

pub fn policy_mark() -> Shape {
    Members::of("Which policy.")
        .must("version", "As the policy calls itself.", text())
        .must("hash", "A digest of the policy as it is in force.", text())
        .open()
}

fn mode() -> Shape {
    words(["shadow"])
}

/// What a rule saw, by its kind.
fn findings(members: Members) -> Members {
    members
        .maybe("limit", "A cap's, or a wish's.", whole_from(0))
        .maybe("used", "How much of it is used.", whole_from(0))
        .maybe("window", "The cap's window.", like(text(), "rolling 7d"))
        .maybe("since", "Since when it is so: a suppression, a halt, a hold.", moment())
        .maybe("until", "When it ends: a hold, a pause.", moment())
        .maybe("purposes", "With a suppression: it binds every purpose.", words(["all"]))
        .maybe("unknown_facts", "Whether a fact was missing that it asks for.", boolean())
        .maybe("time_zone", "Nobody knows the customer's.", words(["unknown"]))
        .maybe("undeclared", "What was read and not declared.", every(named("Claim")))
}

pub fn rule_verdict() -> Shape {
    words(Verdict::ALL.map(Verdict::name).into_iter().chain(["advise"]))
}

pub fn reason() -> Shape {
    let members = Members::of("Why a question was not simply allowed.")
        .must("rule", "The rule's id, or the kind's word for what is no rule.", text())
        .must("kind", "What kind of thing refused.", finding_kinds())
        .must("verdict", "What it says.", rule_verdict())
        .must("because", "Why, in the policy's words.", text());
    findings(members)
        .maybe("mode", "A shadow rule binds nobody.", mode())
        .maybe(
            "not_before",
            "The first moment that this rule alone would pass; left out where there is none.",
            moment(),
        )
        .open()
}

pub fn budget() -> Shape {
    Members::of("Where a cap stands.")
        .must("rule", "The cap's id.", text())
        .must("limit", "So many are allowed.", whole_from(0))
        .must("used", "So many are used, in the fullest window around the moment.", whole_from(0))
        .maybe("mode", "A shadow cap binds nobody.", mode())
        .maybe(
            "next_free",
            "When another contact like this would pass; left out where it would now, or never.",
            moment(),
        )
        .open()
}

pub fn explanation() -> Shape {
    Members::of("The same decision with everything that was seen. Nothing is reserved.")
        .must("answer", "What the question would get.", named("Answer"))
        .must("claims", "What the message asserts, and where.", every(named("ExplainedClaim")))
        .must("rules", "Every rule, with what it saw.", every(named("ExaminedRule")))
        .known("smallest_change", "The smallest change that would allow it.", named("SmallestChange"))
        .open()
}

pub fn smallest_change() -> Shape {
    Members::of("Members of the question as they would have to be.")
        .maybe("send_at", "Then.", moment())
        .maybe("channel", "By this way.", named("Channel"))
        .maybe("delivery", "By this speaker.", named("Delivery"))
        .maybe("without_claims", "Without asserting this.", every(named("Claim")))
        .open()
}

pub fn explained_claim() -> Shape {
    Members::of("Something the message asserts.")
        .must("claim", "What.", named("Claim"))
        .must("declared", "Whether its sender says so.", boolean())
        .must("spans", "Where the words say so.", every(named("Span")))
        .open()
}

pub fn span() -> Shape {
    Members::of("A place in a text, counted in characters.")
        .must("claim", "What these words assert.", named("Claim"))
        .must("part", "Where they stand.", words(["subject", "body"]))
        .must("start", "The first character.", whole_from(0))
        .must("end", "The first character after them.", whole_from(0))
        .must("text", "The words.", text())
        .open()
}

pub fn reading() -> Shape {
    Members::of("What a text asserts.")
        .maybe("id", "As it was given.", one_of([text(), number()]))
        .must("labels", "What it asserts.", every(named("Claim")))
        .must("spans", "Where.", every(named("Span")))
        .maybe("truncated", "There was more text than is read.", boolean())
        .open()
}

pub fn examined_rule() -> Shape {
    let members = Members::of("One rule, and what it saw.")
        .must("rule", "Its id.", text())
        .must("kind", "Its kind.", finding_kinds())
        .must("mode", "Whether it binds.", words(["enforce", "shadow"]))
        .maybe("preset", "The preset it comes from.", text())
        .must("matched", "Whether it is about this question.", boolean())
        .must("exempt", "Whether the purpose is exempt from it.", boolean())
        .must("verdict", "What it says.", rule_verdict());
    findings(members)
        .must("counted_contacts", "The contacts it counted, oldest first.", every(id()))
        .must("facts", "The facts it read; `null`: unknown.", map(any()))
        .open()
}
