//! CloudEvents 1.0, structured JSON.

use serde_json::Value;

use crate::domain::account::Account;
use crate::domain::event::{Event, EventKey, EventKind, OWN_PREFIX};
use crate::domain::moment::{MINUTE_MS, Moment, Span};
use crate::domain::words::{Claim, ClaimSet, Delivery, Name};
use crate::gate::tell::Told;
use crate::policy::Policy;

use super::fields::{Fields, LONGEST_ID, described, name_error};
use super::problem::FieldError;
use super::question::{known_name, not_among};
use super::suppression;

/// How far ahead of the clock an event's `time` may lie.
pub const FUTURE_TOLERANCE: Span = Span::from_millis(5 * MINUTE_MS);

/// What people write for `expires_at`. Where it matters they are told, rather than that it never ends.
pub const NEAR_EXPIRES_AT: [&str; 5] = ["expires", "expiry", "expire_at", "expiration", "expires_on"];

/// What stands in for members that a line of `simulate` or a scenario may leave out.
#[derive(Clone, Debug)]
pub struct Defaults {
    pub source: String,
    pub id: String,
}

/// Reads one event told at `now`. Without `defaults`, CloudEvents' required members are required.
pub fn read(
    value: &Value,
    pointer: &str,
    policy: &Policy,
    now: Moment,
    defaults: Option<&Defaults>,
    errors: &mut Vec<FieldError>,
) -> Option<Told> {
    let errors_before = errors.len();
    let mut fields = Fields::of(value, pointer, errors)?;
    match fields.text("specversion") {
        Some("1.0") => {}
        Some(other) => {
            let detail = format!("`{other}` is not read here; write `1.0`");
            fields.error("specversion", detail);
        }
        None if defaults.is_some() => {}
        None => {
            fields.required("specversion");
        }
    }
    let source = defaulted(&mut fields, "source", defaults.map(|defaults| defaults.source.as_str()));
    let id = defaulted(&mut fields, "id", defaults.map(|defaults| defaults.id.as_str()));
    let kind = read_kind(&mut fields);
    if fields.get("subject").is_none() {
        fields.error("subject", "is required: whose event is it?");
    }
    let customer = fields.id("subject");
    let time = fields.moment("time").unwrap_or(now);
    if time > now + FUTURE_TOLERANCE {
        fields.error("time", format!("lies more than {} ahead", FUTURE_TOLERANCE.in_words()));
    }
    if fields.get("data_base64").is_some() {
        fields.error("data_base64", "is not read here; put a JSON object in `data`");
    }
    let data_pointer = fields.pointer_to("data");
    let data = fields.get("data");
    // Other members are CloudEvents' own or extensions, which are anybody's.
    let mut event = Event::plain(
        key(source.as_deref().unwrap_or(""), id.as_deref().unwrap_or("")),
        kind.clone().unwrap_or(EventKind::HumanReplied),
        time,
    );
    if let (Some(data), Some(kind)) = (data, &kind) {
        read_data(data, &data_pointer, kind, policy, &mut event, errors);
    }
    if let Some(kind) = &kind {
        check_contact(kind, &mut event, &data_pointer, errors);
    }
    if errors.len() > errors_before {
        return None;
    }
    Some(Told { customer: customer?, event })
}

fn defaulted(fields: &mut Fields<'_, '_>, member: &'static str, default: Option<&str>) -> Option<Name> {
    match (fields.get(member), default) {
        (None, Some(default)) => Some(default.into()),
        (None, None) => {
            fields.required(member);
            None
        }
        (Some(_), _) => fields.id(member),
    }
}

/// Tells events apart within a customer's record.
fn key(source: &str, id: &str) -> EventKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(source.as_bytes());
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = *hasher.finalize().as_bytes();
    EventKey(u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]))
}

fn read_kind(fields: &mut Fields<'_, '_>) -> Option<EventKind> {
    let value = fields.required("type")?;
    let text = fields.as_text("type", value)?;
    if let Some(detail) = name_error(text, LONGEST_ID) {
        fields.error("type", detail);
        return None;
    }
    let kind = EventKind::parse(text);
    if kind.is_none() {
        let known = EventKind::KNOWN;
        let detail = not_among(text, known.iter().map(EventKind::name));
        fields.error("type", format!("{detail}; your own events begin with `{OWN_PREFIX}`"));
    }
    kind
}

fn read_data(
    data: &Value,
    pointer: &str,
    kind: &EventKind,
    policy: &Policy,
    event: &mut Event,
    errors: &mut Vec<FieldError>,
) {
    // The operator's own events may carry anything beside the tags.
    let Some(mut fields) = Fields::of(data, pointer, errors) else { return };
    let company = &policy.company;
    event.contact_id = fields.id("contact_id");
    if let Some(text) = fields.text("channel").filter(|text| !text.is_empty()) {
        event.tags.channel =
            known_name(&mut fields, "channel", text, company.channels.iter().map(|channel| &channel.name));
    }
    if let Some(text) = fields.text("purpose").filter(|text| !text.is_empty()) {
        event.tags.purpose =
            known_name(&mut fields, "purpose", text, company.purposes.iter().map(|purpose| &purpose.name));
    }
    if let Some(text) = fields.text("delivery").filter(|text| !text.is_empty()) {
        event.tags.delivery = Delivery::parse(text);
        if event.tags.delivery.is_none() {
            fields.error("delivery", not_among(text, Delivery::ALL.into_iter().map(Delivery::name)));
        }
    }
    event.tags.campaign = fields.name("campaign");
    event.tags.category = fields.name("category");
    event.tags.brand = fields.name("brand");
    event.tags.subject = fields.name("subject");
    event.tags.sender = fields.name("sender");
    for (index, value) in fields.list("claims").unwrap_or_default().iter().enumerate() {
        match value.as_str().and_then(Claim::parse) {
            Some(claim) => event.tags.claims = event.tags.claims.with(claim),
            None => fields.entry_error("claims", index, format!("{} is no claim", described(value))),
        }
    }
    let mut account = Account::default();
    match kind {
        EventKind::CustomerUnsubscribed => {
            let said = suppression::read_said(&mut fields, policy);
            (event.every_purpose, event.purposes, event.expires_at) =
                (said.every_purpose, said.purposes, said.until);
            (account.reason, account.source) = (said.reason, said.source);
        }
        EventKind::CustomerResubscribed => {
            event.purposes = suppression::read_named_purposes(&mut fields, policy);
        }
        EventKind::ConsentGranted => {
            event.expires_at = fields.moment("expires_at");
            event.pending = fields.boolean("pending").unwrap_or_default();
            (account.evidence, account.source) = (fields.id("evidence"), fields.name("source"));
        }
        EventKind::ConsentWithdrawn => {
            (account.evidence, account.source) = (fields.id("evidence"), fields.name("source"));
        }
        _ => {}
    }
    if matches!(kind, EventKind::ConsentGranted | EventKind::CustomerUnsubscribed) {
        for near in NEAR_EXPIRES_AT {
            if fields.get(near).is_some() {
                fields.error(near, "is not known here; did you mean `expires_at`?");
            }
        }
    }
    if !matches!(kind, EventKind::Own(_)) {
        (account.by, account.through) = (fields.name("by"), fields.name("through"));
    }
    event.account = account.boxed();
}

/// Whether the event says which contact it is about, where it must.
fn check_contact(kind: &EventKind, event: &mut Event, pointer: &str, errors: &mut Vec<FieldError>) {
    let pointer = format!("{pointer}/contact_id");
    match kind {
        // Told without an id it is a contact all the same, known by its event.
        EventKind::ContactSent if event.contact_id.is_none() => {
            if event.tags.channel.is_none() {
                let detail = "is required, or else `channel`: what was sent?".to_owned();
                errors.push(FieldError { pointer, detail });
            } else {
                event.contact_id = Some(format!("event-{:016x}", event.key.0).into());
            }
        }
        EventKind::ContactCancelled | EventKind::ContactFailed if event.contact_id.is_none() => {
            errors.push(FieldError { pointer, detail: "is required: which contact?".to_owned() });
        }
        _ => {}
    }
    // A claim is about the contact it was told with; no event kind makes one of its own.
    if !matches!(kind, EventKind::ContactSent) {
        event.tags.claims = ClaimSet::default();
    }
}
