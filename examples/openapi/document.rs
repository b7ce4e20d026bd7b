//! The HTTP interface, described after the `OpenAPI` Specification 3.1.
//!
//! Enumerations and bounds are the program's own. What cannot be taken from it, the names of members, is proved: a test
//! reads what these shapes allow and what they refuse with the program's readers (`tests/openapi/agreement.rs`), and
//! every answer that any test gets over HTTP is held against the document (`tests/harness/contract.rs`).

mod headers;
mod operation;
mod operations;
mod refusals;
mod shape;
mod shapes;
mod vocabulary;

use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem};

const SAID: &str = "One question, asked before every message a company sends: may this customer be contacted, on this \
channel, with these words, at this moment? Senders **ask** before each message and **tell** afterwards what really \
happened.\n\n\
Refusals to contact somebody are answers, with status 200. Where there is no answer there is a problem after RFC 9457, \
which names every bad field.\n\n\
Every answer has an `X-Request-Id`: the one that was sent, or one made here. Whoever sends a `traceparent` gets a \
`traceresponse`.\n\n\
Members that may be left out may also be `null`. Answers may get more members in time; pass over those you do not know.";

const KEY_SAID: &str = "An API key of the operator's, as `Authorization: Bearer cg_…`. Each operation lists the scope that \
a key needs for it: `ask`, `tell`, `read` or `admin`. An instance for which no keys are configured serves its own machine \
only, and needs none.";

/// The tags, in the order of the document.
const TAGS: [(&str, &str); 5] = [
    (operation::ASK, "Before every message."),
    (operation::TELL, "After the message, and whatever else happens."),
    (operation::CUSTOMERS, "What is known of one customer, and what they wish."),
    (operation::FOLLOW_UPS, "What a person owes a customer."),
    (operation::OPERATE, "For whoever runs it."),
];

pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Contact Governor")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(SAID))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let key =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("cg_…").description(Some(KEY_SAID));
    let components =
        ComponentsBuilder::new().security_scheme(operation::KEY, SecurityScheme::Http(key.build()));
    let components =
        shapes::all().fold(components, |components, (name, shape)| components.schema(name, shape));
    let components = refusals::all().into_iter().fold(components, |components, (name, mut refusal)| {
        headers::add(&mut refusal);
        components.response(name, refusal)
    });
    let components = headers::all()
        .into_iter()
        .fold(components, |components, (name, header)| components.header(name, header));
    let paths = operations::all().into_iter().fold(PathsBuilder::new(), |paths, operation| {
        let (path, method, described) = operation.into_parts();
        paths.path(path, PathItem::new(method, described))
    });
    let tags = TAGS.map(|(name, said)| TagBuilder::new().name(name).description(Some(said)).build());
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

/// The document as it is kept.
///
/// # Errors
/// When it cannot be written.
pub fn text() -> serde_json::Result<String> {
    Ok(document().to_pretty_json()? + "\n")
}
