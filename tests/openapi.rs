//! The document of the HTTP interface: that it is what the code writes, that it tells of everything there is, and that
//! it is true.
//!
//! Every other test helps: what is sent and answered over HTTP is held against it (`harness/contract.rs`).

mod agreement;
mod docs_page;
#[path = "../examples/openapi/document.rs"]
mod document;
mod routes;
mod schemathesis;
mod shapes;
