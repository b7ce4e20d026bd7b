//! The page under which a customer sets their own wishes.

use contact_governor::http::WISHES_PAGE_SAVED;
use contact_governor::wire::problem::ProblemKind;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::ResponseBuilder;

use super::super::operation::{CUSTOMERS, Described, get, head, in_path, post};
use super::super::shape::{Shape, any, map, spoken_text, text, words};

const PAGE: &str = "/wishes/{token}";
const HTML: &str = "text/html";

pub fn all() -> Vec<Described> {
    vec![
        page(get(PAGE, "wishesPage")).said(
            CUSTOMERS,
            "A customer's own page",
            "For people; a sealed link opens it, where the operator has set that up.",
        ),
        page(head(PAGE, "wishesPageHead")).said(
            CUSTOMERS,
            "Whether the page is there",
            "For what looks at links.",
        ),
        submit(),
    ]
}

fn html() -> Shape {
    text()
}

fn page(described: Described) -> Described {
    let missing = ResponseBuilder::new()
        .description("The link opens nothing, or there are no such pages.")
        .content(HTML, ContentBuilder::new().schema(Some(html())).build())
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(super::super::shape::named("Problem"))).build(),
        );
    described
        .needs_nothing()
        .parameter(in_path("token", "What the link was sealed with.", spoken_text()))
        .answers(200, "The page.", HTML, html(), None)
        .respond(404, missing.build())
        .answers(410, "The link has expired.", HTML, html(), None)
        .answers(503, "The ledger cannot be reached.", HTML, html(), None)
}

fn submit() -> Described {
    let form = "application/x-www-form-urlencoded";
    let saved = HeaderBuilder::new()
        .schema(Some(words([WISHES_PAGE_SAVED])))
        .description(Some("The page again."))
        .build();
    page(post(PAGE, "submitWishes"))
        .said(
            CUSTOMERS,
            "The page's form",
            "What the form sends; or `List-Unsubscribe=One-Click`, with which a mail program unsubscribes (RFC 8058).",
        )
        .body("The form.", form, map(any()), None)
        .respond(303, ResponseBuilder::new().description("It is saved.").header("Location", saved).build())
        .answers(200, "Unsubscribed with one click.", "text/plain", text(), None)
        .answers(422, "Something in the form cannot be; the page says what.", HTML, html(), None)
        .answers(400, "That was no form.", HTML, html(), None)
        .answers(ProblemKind::TooLarge.status(), "The form is too large.", HTML, html(), None)
        .answers(ProblemKind::TimedOut.status(), "The form took too long to arrive.", HTML, html(), None)
}
