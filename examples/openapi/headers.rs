//! The headers by which a request is followed: every answer has the first, and may have the other.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::Response;
use utoipa::openapi::{Ref, RefOr};

use super::shape::{bounded_pattern, pattern};

const REQUEST_ID: &str = "X-Request-Id";
const TRACE: &str = "traceresponse";

pub fn all() -> [(&'static str, Header); 2] {
    let header = |said: &str, shape| HeaderBuilder::new().description(Some(said)).schema(Some(shape)).build();
    [
        (
            REQUEST_ID,
            header(
                "By which this request stands in logs and traces: what was sent as `X-Request-Id`, if that is 1 to 64 letters, \
                 digits, `-`, `_` and `.` and no number of a telephone, else one made here.",
                bounded_pattern("^[A-Za-z0-9._-]+$", 64),
            ),
        ),
        (
            TRACE,
            header(
                "Where this request stands in its trace, after W3C Trace Context: there if a `traceparent` was sent, or if \
                 the trace is recorded.",
                pattern("^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
            ),
        ),
    ]
}

/// Says of an answer that it has them.
pub fn add(response: &mut Response) {
    for (name, _) in all() {
        let header = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(header));
    }
}
