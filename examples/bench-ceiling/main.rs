//! The ceiling for the benchmarks: the same HTTP server with the same settings, which reads a JSON body
//! and answers a constant. Started by `benches/http.sh`, of no other use.

use std::io::Write;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::Value;

const ANSWER: &str =
    r#"{"verdict":"allow","contact_id":"m-1","reasons":[],"advice":[],"claims":[],"budgets":[]}"#;

async fn preflight(body: web::Bytes) -> HttpResponse {
    match serde_json::from_slice::<Value>(&body) {
        Ok(_) => HttpResponse::Ok().content_type("application/json").body(ANSWER),
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let app = || App::new().route("/v1/preflight", web::post().to(preflight));
    let server = HttpServer::new(app).bind("127.0.0.1:0")?;
    for address in server.addrs() {
        writeln!(std::io::stderr(), "listening address={address}")?;
    }
    server.run().await
}
