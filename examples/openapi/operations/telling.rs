//! After a message, and whatever else happens.

use super::super::operation::{Described, JSON, Scope, TELL, delete, in_path, post, put};
use super::super::shape::{Shape, like, named, spoken_label};
use super::super::shapes::events;

pub fn all() -> Vec<Described> {
    vec![
        events(),
        halt(put("/v1/campaigns/{campaign}/halt", "haltCampaign")).said(
            TELL,
            "Halt a campaign",
            "In force on every instance within a second: every question for it is a `deny`.",
        ),
        halt(delete("/v1/campaigns/{campaign}/halt", "resumeCampaign")).said(
            TELL,
            "Let a campaign go on",
            "Takes a halt back; one that was never halted goes on as before.",
        ),
    ]
}

fn events() -> Described {
    post("/v1/events", "tell")
        .said(
            TELL,
            "What happened",
            "CloudEvents 1.0 as structured JSON, one or a batch; also as `application/cloudevents+json` and \
             `application/cloudevents-batch+json`. `source` and `id` tell events apart, so the same may be sent again. \
             A batch with a bad event stores nothing.",
        )
        .needs(Scope::Tell)
        .body("The event, or a list of them.", JSON, named("Events"), Some(events::example()))
        .takes_json()
        .answers_nothing(202, "Everything is stored.")
        .needs_the_ledger()
}

fn campaign() -> Shape {
    like(spoken_label(), "autumn-wellness")
}

fn halt(described: Described) -> Described {
    described
        .needs(Scope::Admin)
        .parameter(in_path("campaign", "The campaign, as questions name it.", campaign()))
        .answers_nothing(204, "It is so.")
        .bad_request()
        .needs_the_ledger()
}
