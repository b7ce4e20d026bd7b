//! Opening connections: to one server, to the master that Sentinels name, to a cluster.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind,
    IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates,
    TlsMode,
};

use crate::ledger::LedgerError;
use crate::settings::{Node, RedisSettings, RedisUrl, Secret, Topology};

/// How often the library may send one command again within a cluster, whose topology may have changed.
const CLUSTER_RETRIES: u32 = 3;
/// Within how many command timeouts all of that must be done.
const CLUSTER_PATIENCE: u32 = 3;
/// Commands written together at most, before the writer looks at what has come back.
const PIPELINE_BUFFER: usize = 256;

/// Makes connections to one Redis, in whatever way it is run.
pub struct Opener {
    url: RedisUrl,
    settings: RedisSettings,
    certificates: Option<TlsCertificates>,
    script: redis::Script,
}

/// A connection that many may use at once.
#[derive(Clone)]
pub enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Opener {
    /// # Errors
    /// When a certificate cannot be read.
    pub fn new(url: RedisUrl, settings: RedisSettings, script: redis::Script) -> Result<Self, LedgerError> {
        // Whoever was first to choose is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificates = certificates(&settings)?;
        Ok(Self { url, settings, certificates, script })
    }

    #[must_use]
    pub fn place(&self) -> String {
        self.url.place()
    }

    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.url.topology == Topology::Cluster
    }

    /// A connection that was seen to work, to a server that takes writes.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(&self) -> RedisResult<Connection> {
        let opening = async {
            match &self.url.topology {
                Topology::Cluster => Ok(Connection::Cluster(self.cluster()?.get_async_connection().await?)),
                Topology::Standalone | Topology::Sentinel { .. } => {
                    let client = self.client().await?;
                    let mut connection =
                        client.get_multiplexed_async_connection_with_config(&self.config()).await?;
                    self.greet(&mut connection).await?;
                    Ok(Connection::One(connection))
                }
            }
        };
        let limit = self.settings.connect_timeout * if self.is_cluster() { CLUSTER_PATIENCE } else { 1 };
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// A connection that hears what is published.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let opening = async {
            let client = match &self.url.topology {
                Topology::Standalone | Topology::Sentinel { .. } => self.client().await?,
                // Every node of a cluster hears everything; any will do.
                Topology::Cluster => {
                    let node = fastrand::choice(&self.url.nodes).ok_or_else(no_node)?;
                    self.client_of(node)?
                }
            };
            let mut heard = client.get_async_pubsub().await?;
            heard.subscribe(channel).await?;
            Ok(heard)
        };
        let limit = self.settings.connect_timeout;
        tokio::time::timeout(limit, opening).await.unwrap_or_else(|_| Err(timed_out()))
    }

    async fn client(&self) -> RedisResult<Client> {
        match &self.url.topology {
            Topology::Sentinel { master } => self.sentinel(master)?.async_get_client().await,
            Topology::Standalone | Topology::Cluster => {
                self.client_of(self.url.nodes.first().ok_or_else(no_node)?)
            }
        }
    }

    fn client_of(&self, node: &Node) -> RedisResult<Client> {
        let info = self.info(node)?;
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    fn info(&self, node: &Node) -> RedisResult<ConnectionInfo> {
        let mut redis = RedisConnectionInfo::default().set_db(self.url.database);
        if let Some(username) = &self.url.username {
            redis = redis.set_username(username);
        }
        if let Some(password) = &self.url.password {
            redis = redis.set_password(password.expose());
        }
        let info = self.address(node).into_connection_info()?;
        Ok(info.set_tcp_settings(self.tcp()).set_redis_settings(redis))
    }

    fn address(&self, node: &Node) -> ConnectionAddr {
        let (host, port) = (node.host.clone(), node.port);
        if self.url.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    }

    /// Small commands that must not wait for one another, and a peer that is gone noticed in time.
    fn tcp(&self) -> TcpSettings {
        TcpSettings::default().set_nodelay(true).set_user_timeout(self.settings.connect_timeout * 2)
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.settings.connect_timeout))
            .set_response_timeout(Some(self.response_timeout()))
            .set_pipeline_buffer_size(PIPELINE_BUFFER)
    }

    /// A command that waits for replicas takes that much longer.
    fn response_timeout(&self) -> Duration {
        let settings = &self.settings;
        settings.command_timeout
            + if settings.wait_replicas == 0 { Duration::ZERO } else { settings.wait_timeout }
    }

    fn sentinel(&self, master: &str) -> RedisResult<redis::sentinel::SentinelClient> {
        let nodes = self.url.nodes.iter().map(|node| self.address(node));
        let mut builder = SentinelClientBuilder::new(nodes, master, SentinelServerType::Master)?
            .set_client_to_redis_db(self.url.database)
            .set_client_to_redis_tcp_settings(self.tcp())
            .set_client_to_sentinel_tcp_settings(self.tcp());
        if self.url.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        if let Some(username) = &self.url.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.url.password {
            builder = builder.set_client_to_redis_password(password.expose());
        }
        if let Some(username) = &self.settings.sentinel_username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = self.settings.sentinel_password.as_ref().map(Secret::expose) {
            builder = builder.set_client_to_sentinel_password(password);
        }
        builder.build()
    }

    fn cluster(&self) -> RedisResult<ClusterClient> {
        let nodes = self.url.nodes.iter().map(|node| self.info(node)).collect::<RedisResult<Vec<_>>>()?;
        let timeout = self.response_timeout();
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(self.settings.connect_timeout)
            .response_timeout(timeout)
            .overall_response_timeout(Some(timeout * CLUSTER_PATIENCE))
            .retries(CLUSTER_RETRIES)
            .min_retry_wait(5)
            .max_retry_wait(100)
            .tcp_settings(self.tcp());
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        builder.build()
    }

    /// Learns whether the server takes writes, and hands it the script.
    async fn greet(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        match redis::cmd("ROLE").query_async::<Vec<redis::Value>>(connection).await {
            Ok(role) => {
                let role: Option<String> =
                    role.into_iter().next().map(redis::from_redis_value).transpose()?;
                if role.is_some_and(|role| role != "master") {
                    return Err(
                        (ServerErrorKind::ReadOnly.into(), "it is a replica, which takes no writes").into()
                    );
                }
            }
            // Who may not ask finds out by the first write.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => {}
            Err(error) => return Err(error),
        }
        self.script.load_async(connection).await.map(|_: String| ())
    }
}

fn certificates(settings: &RedisSettings) -> Result<Option<TlsCertificates>, LedgerError> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| LedgerError::Unavailable {
            operation: "read its certificates",
            why: format!("`{}`: {error}", path.display()),
        })
    };
    let root_cert = settings.tls_authority.as_ref().map(read).transpose()?;
    let client_tls = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? })
        }
        _ => None,
    };
    let any = root_cert.is_some() || client_tls.is_some();
    Ok(any.then_some(TlsCertificates { client_tls, root_cert }))
}

fn no_node() -> RedisError {
    (ErrorKind::InvalidClientConfig, "no node is given").into()
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
