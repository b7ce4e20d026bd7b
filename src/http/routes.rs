//! How a table of routes becomes a server's: each path with its methods, and each method with who may call it.

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::access::{Access, Guard};
use super::answering;
use super::measured::RoutePath;

/// A path and what is answered there.
pub struct Path {
    pub path: &'static str,
    pub endpoints: Vec<Endpoint>,
}

/// A method of a path. There is no way to make one without saying who may call it.
pub struct Endpoint {
    pub method: Method,
    pub access: Access,
    route: Route,
}

pub fn at<const N: usize>(path: &'static str, endpoints: [Endpoint; N]) -> Path {
    Path { path, endpoints: endpoints.into() }
}

impl Path {
    #[expect(clippy::disallowed_methods, reason = "this is where the table becomes resources")]
    pub fn resource(self) -> Resource {
        let allowed: Vec<&str> = self.endpoints.iter().map(|endpoint| endpoint.method.as_str()).collect();
        let allowed = allowed.join(", ");
        let refused = web::to(move || answering::method_not_allowed(allowed.clone()));
        let resource = web::resource(self.path).app_data(RoutePath(self.path)).default_service(refused);
        self.endpoints.into_iter().fold(resource, |resource, endpoint| resource.route(endpoint.route))
    }
}

macro_rules! methods {
    ($($name:ident $method:ident),*) => {
        $(pub fn $name<F, Args>(access: Access, handler: F) -> Endpoint
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            endpoint(Method::$method, access, handler)
        })*
    };
}

methods! { get GET, head HEAD, put PUT, post POST, delete DELETE }

fn endpoint<F, Args>(method: Method, access: Access, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = web::method(method.clone()).to(handler);
    let route = match access {
        Access::Open => route,
        Access::Needs(scope, about) => route.wrap(Guard::new(scope, about)),
    };
    Endpoint { method, access, route }
}
