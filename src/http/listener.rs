//! What stands between a socket and the routes: how many connections, with TLS or without, and for how long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::rt::net::TcpStream;
use tokio::net::TcpSocket;

use crate::metrics::Metrics;
use crate::settings::Settings;

use super::connection::{Connection, Patience, Stream};
use super::tls::Certificates;

/// Connections that wait to be accepted, as many as the operating system allows by default.
const BACKLOG: u32 = 4_096;
/// How long a client may send on after it was answered early and is about to be cut off, so that it reads the answer.
const DISCONNECT: Duration = Duration::from_secs(1);
/// Files that are left for the ledger, the journal, logs and connections to others, of those that may be open.
const FILES_FOR_OTHERS: u64 = 512;

/// Binds the address and returns the server, which serves once it is awaited.
///
/// # Errors
/// When the address cannot be bound.
pub fn listen<F, A, S, B>(
    settings: &Settings,
    workers: usize,
    certificates: Option<Arc<Certificates>>,
    metrics: &Arc<Metrics>,
    app: F,
) -> std::io::Result<(Server, SocketAddr)>
where
    F: Fn() -> A + Send + Clone + 'static,
    A: IntoServiceFactory<S, actix_http::Request>,
    S: ServiceFactory<
            actix_http::Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
        > + 'static,
    S::InitError: std::fmt::Debug,
    B: MessageBody + 'static,
{
    let socket = if settings.listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(settings.listen)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;

    let patience = Patience { head: settings.request_timeout, answer: settings.answer_timeout };
    let (keep_alive, request_timeout) = (settings.keep_alive, settings.request_timeout);
    let metrics = Arc::clone(metrics);
    let builder = ServerBuilder::new()
        .workers(workers)
        .max_concurrent_connections(connections(settings.max_connections, workers))
        .disable_signals()
        .shutdown_timeout(settings.shutdown_timeout.as_secs());
    let stopping = builder.graceful_shutdown_signal();
    let server = builder.listen("http", listener, move || {
        let stopping = stopping.clone();
        let routes = app().into_factory().map_err(|error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(keep_alive)
            .client_request_timeout(request_timeout)
            .client_disconnect_timeout(DISCONNECT)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.requests());
            })
            .finish(map_config(routes, |()| AppConfig::default()));
        let (certificates, metrics) = (certificates.clone(), Arc::clone(&metrics));
        fn_service(move |stream: TcpStream| {
            let (certificates, metrics) = (certificates.clone(), Arc::clone(&metrics));
            async move {
                let peer = stream.peer_addr().ok();
                let stream = greet(stream, certificates.as_deref()).await.inspect_err(|error| {
                    tracing::debug!(%error, "a connection failed to be made");
                    metrics.certificates.handshake_failed();
                })?;
                Ok((Connection::new(stream, patience), Protocol::Http1, peer))
            }
        })
        .and_then(http.map_err(|error| std::io::Error::other(error.to_string())))
    })?;
    Ok((server.run(), address))
}

/// Makes a connection one that requests come by.
async fn greet(stream: TcpStream, certificates: Option<&Certificates>) -> std::io::Result<Stream> {
    // An answer is one write; there is nothing to wait for.
    stream.set_nodelay(true)?;
    let Some(certificates) = certificates else { return Ok(Stream::Plain(stream)) };
    let greeted = certificates.acceptor().accept(stream);
    match tokio::time::timeout(certificates.settings().handshake_timeout, greeted).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream?))),
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// How many connections each worker may hold: no more than leave files for the ledger, which must not fail
/// because many callers are idle.
fn connections(wanted: usize, workers: usize) -> usize {
    let Ok(files) = rlimit::increase_nofile_limit(u64::MAX) else { return wanted };
    let for_others = FILES_FOR_OTHERS.min(files / 2);
    let possible = usize::try_from(files - for_others).unwrap_or(usize::MAX) / workers;
    if possible < wanted {
        tracing::info!(
            connections = possible * workers,
            "the operating system allows {files} open files: fewer connections at once than http.max_connections allows"
        );
    }
    wanted.min(possible.max(1))
}
