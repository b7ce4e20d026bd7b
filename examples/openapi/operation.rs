//! One operation: what it needs, what it takes, what it answers.

pub use contact_governor::domain::caller::Scope;
use contact_governor::wire::problem::ProblemKind;
use serde_json::Value;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{RefOr, Required};

use super::headers;
use super::refusals;
use super::shape::{Shape, named};
use super::shapes::problems;

pub const ASK: &str = "Ask";
pub const TELL: &str = "Tell";
pub const CUSTOMERS: &str = "Customers";
pub const FOLLOW_UPS: &str = "Follow-ups";
pub const OPERATE: &str = "Operate";

/// The name of the security scheme.
pub const KEY: &str = "key";

pub const JSON: &str = "application/json";

pub struct Described {
    path: &'static str,
    method: HttpMethod,
    operation: OperationBuilder,
}

pub fn get(path: &'static str, id: &str) -> Described {
    Described::new(path, HttpMethod::Get, id)
}

pub fn put(path: &'static str, id: &str) -> Described {
    Described::new(path, HttpMethod::Put, id)
}

pub fn post(path: &'static str, id: &str) -> Described {
    Described::new(path, HttpMethod::Post, id)
}

pub fn delete(path: &'static str, id: &str) -> Described {
    Described::new(path, HttpMethod::Delete, id)
}

pub fn head(path: &'static str, id: &str) -> Described {
    Described::new(path, HttpMethod::Head, id)
}

pub fn in_path(name: &str, said: &str, shape: Shape) -> Parameter {
    let parameter =
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
    parameter.description(Some(said)).schema(Some(shape)).build()
}

fn in_query(name: &str, said: &str, shape: Shape) -> Parameter {
    let parameter =
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False);
    parameter.description(Some(said)).schema(Some(shape)).build()
}

pub fn in_header(name: &str, said: &str, shape: Shape) -> Parameter {
    let parameter =
        ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::True);
    parameter.description(Some(said)).schema(Some(shape)).build()
}

pub fn content(shape: Shape, example: Option<Value>) -> Content {
    ContentBuilder::new().schema(Some(shape)).example(example).build()
}

impl Described {
    fn new(path: &'static str, method: HttpMethod, id: &str) -> Self {
        Self { path, method, operation: OperationBuilder::new().operation_id(Some(id)) }
    }

    pub fn into_parts(self) -> (&'static str, HttpMethod, Operation) {
        let mut operation = self.operation.build();
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                headers::add(response);
            }
        }
        (self.path, self.method, operation)
    }

    fn map(self, change: impl FnOnce(OperationBuilder) -> OperationBuilder) -> Self {
        Self { operation: change(self.operation), ..self }
    }

    pub fn said(self, tag: &str, summary: &str, said: &str) -> Self {
        self.map(|operation| operation.tag(tag).summary(Some(summary)).description(Some(said)))
    }

    /// Whoever calls must have a key of this scope, where there are keys.
    pub fn needs(self, scope: Scope) -> Self {
        self.map(|operation| {
            operation
                .security(SecurityRequirement::new(KEY, [scope.name()]))
                .security(SecurityRequirement::default())
                .response("401", refusals::named("Unauthorized"))
                .response("403", refusals::named("Forbidden"))
                .response("429", refusals::named("TooManyRequests"))
        })
    }

    /// Anybody may call.
    pub fn needs_nothing(self) -> Self {
        self.map(|operation| operation.securities(Some(Vec::<SecurityRequirement>::new())))
    }

    pub fn parameter(self, parameter: Parameter) -> Self {
        self.map(|operation| operation.parameter(parameter))
    }

    pub fn query(self, name: &str, said: &str, shape: Shape) -> Self {
        self.parameter(in_query(name, said, shape))
    }

    pub fn body(self, said: &str, media_type: &str, shape: Shape, example: Option<Value>) -> Self {
        self.with_body(said, media_type, shape, example, Required::True)
    }

    pub fn optional_body(self, said: &str, media_type: &str, shape: Shape, example: Option<Value>) -> Self {
        self.with_body(said, media_type, shape, example, Required::False)
    }

    fn with_body(
        self,
        said: &str,
        media_type: &str,
        shape: Shape,
        example: Option<Value>,
        required: Required,
    ) -> Self {
        let body = RequestBodyBuilder::new().description(Some(said)).required(Some(required));
        let body = body.content(media_type, content(shape, example)).build();
        self.map(|operation| {
            operation
                .request_body(Some(body))
                .response("408", refusals::named("TimedOut"))
                .response("413", refusals::named("TooLarge"))
        })
    }

    /// A body of JSON, and what may be wrong with it.
    pub fn json(self, said: &str, shape: &str, example: Value) -> Self {
        self.body(said, JSON, named(shape), Some(example)).takes_json()
    }

    pub fn takes_json(self) -> Self {
        self.takes_no_other_type().bad_request()
    }

    /// Something in the request is not right.
    pub fn bad_request(self) -> Self {
        self.map(|operation| operation.response("400", refusals::named("BadRequest")))
    }

    pub fn answers(
        self,
        status: u16,
        said: &str,
        media_type: &str,
        shape: Shape,
        example: Option<Value>,
    ) -> Self {
        let response = ResponseBuilder::new().description(said).content(media_type, content(shape, example));
        self.respond(status, response.build())
    }

    pub fn answers_json(self, said: &str, shape: &str, example: Option<Value>) -> Self {
        self.answers(200, said, JSON, named(shape), example)
    }

    /// JSON or, where there is a second content, a policy as it is written; with the hash that a change must name.
    pub fn answers_tagged(self, said: &str, json: Content, toml: Option<Content>) -> Self {
        let response = ResponseBuilder::new().description(said).content(JSON, json);
        let response = match toml {
            Some(toml) => response.content("application/toml", toml),
            None => response,
        };
        let tag = refusals::header("The hash of the policy in force, for `If-Match`.", super::shape::text());
        self.respond(200, response.header("ETag", tag).build())
    }

    /// Other media types are not read.
    pub fn takes_no_other_type(self) -> Self {
        self.map(|operation| operation.response("415", refusals::named("UnsupportedMediaType")))
    }

    /// Done, and nothing to say.
    pub fn answers_nothing(self, status: u16, said: &str) -> Self {
        self.respond(status, Response::new(said))
    }

    pub fn respond(self, status: u16, response: Response) -> Self {
        self.map(|operation| operation.response(status.to_string(), response))
    }

    /// A problem of this operation's own.
    pub fn refuses(self, kind: ProblemKind, said: &str, detail: &str) -> Self {
        let response = refusals::problem(said, problems::example(kind, detail));
        self.map(|operation| operation.response(kind.status().to_string(), response))
    }

    /// Nothing can be done without the ledger; or there is too much to do.
    pub fn needs_the_ledger(self) -> Self {
        self.map(|operation| operation.response("503", refusals::named("Unavailable")))
    }

    pub fn may_be_too_busy(self) -> Self {
        self.map(|operation| operation.response("503", refusals::named("TooBusy")))
    }
}
