//! The certificates in force, and those that replace them while the program runs.
//!
//! Every new connection is greeted with what is in force at that moment; those that are open are left alone.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{CertificateError as Objection, Error, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::settings::TlsSettings;

/// The year 10000, in seconds since 1970: certificates write years with four digits.
const AFTER_ALL: u64 = 253_402_300_800;

/// Why certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot read `{file}`: {why}")]
    Unreadable { file: String, why: String },
    #[error("`{file}` holds no {what} in PEM form: {why}")]
    NotPem { file: String, what: &'static str, why: String },
    #[error("`{file}` cannot be used: {why}")]
    Unusable { file: String, why: String },
}

/// When certificates end, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub server: u64,
    /// That of the authority which ends first.
    pub client_authority: Option<u64>,
}

/// What is in force, and where the next comes from.
pub struct Certificates {
    settings: TlsSettings,
    current: ArcSwap<ServerConfig>,
    looked: Mutex<Looked>,
}

/// What was found when the files were last looked at.
struct Looked {
    digest: blake3::Hash,
    outcome: Result<Expiry, CertificateError>,
}

/// The outcome of a look at the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// As they were.
    Same(Result<Expiry, CertificateError>),
    /// They have changed, and what they hold is in force or cannot be used.
    New(Result<Expiry, CertificateError>),
}

/// The three files as they stand.
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authority: Option<Vec<u8>>,
}

impl Certificates {
    /// # Errors
    /// When the files cannot be read, or what they hold cannot be used.
    pub fn load(settings: &TlsSettings) -> Result<Self, CertificateError> {
        let files = Files::read(settings)?;
        let (config, expiry) = files.config(settings)?;
        let looked = Mutex::new(Looked { digest: files.digest(), outcome: Ok(expiry) });
        Ok(Self { settings: settings.clone(), current: ArcSwap::from_pointee(config), looked })
    }

    /// Greets connections with what is in force now.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        self.current.load_full().into()
    }

    #[must_use]
    pub const fn settings(&self) -> &TlsSettings {
        &self.settings
    }

    /// Looks at the files, and puts what is new in force. Reads files, so not for a worker's thread.
    #[must_use]
    pub fn look(&self) -> Look {
        let mut looked = self.looked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (digest, outcome) = match Files::read(&self.settings) {
            Ok(files) => {
                let digest = files.digest();
                if digest == looked.digest {
                    return Look::Same(looked.outcome.clone());
                }
                (digest, files.config(&self.settings))
            }
            Err(error) => {
                let digest = blake3::hash(error.to_string().as_bytes());
                if digest == looked.digest {
                    return Look::Same(Err(error));
                }
                (digest, Err(error))
            }
        };
        let outcome = outcome.map(|(config, expiry)| {
            self.current.store(Arc::new(config));
            expiry
        });
        *looked = Looked { digest, outcome: outcome.clone() };
        Look::New(outcome)
    }
}

impl Files {
    fn read(settings: &TlsSettings) -> Result<Self, CertificateError> {
        Ok(Self {
            certificate: read(&settings.certificate)?,
            key: read(&settings.key)?,
            client_authority: settings.client_authority.as_deref().map(read).transpose()?,
        })
    }

    fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for file in
            [Some(&self.certificate), Some(&self.key), self.client_authority.as_ref()].into_iter().flatten()
        {
            hasher.update(&file.len().to_le_bytes()).update(file);
        }
        hasher.finalize()
    }

    /// Everything that can fail comes before anything is in force.
    fn config(&self, settings: &TlsSettings) -> Result<(ServerConfig, Expiry), CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate_file = settings.certificate.as_path();
        let chain = certificates(certificate_file, &self.certificate)?;
        let server = earliest_end(certificate_file, chain.get(..1).unwrap_or_default())?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| CertificateError::NotPem {
            file: name(&settings.key),
            what: "private key",
            why: error.to_string(),
        })?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(certificate_file, &error))?;
        let (builder, client_authority) = match (&settings.client_authority, &self.client_authority) {
            (Some(file), Some(text)) => {
                let authorities = certificates(file, text)?;
                let end = earliest_end(file, &authorities)?;
                let mut roots = RootCertStore::empty();
                for authority in authorities {
                    roots.add(authority).map_err(|error| unusable(file, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .map_err(|error| unusable(file, &error))?;
                (builder.with_client_cert_verifier(verifier), Some(end))
            }
            _ => (builder.with_no_client_auth(), None),
        };
        let mut config =
            builder.with_single_cert(chain, key).map_err(|error| unusable(certificate_file, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if client_authority.is_some() {
            // A session that is resumed shows no certificate again, and the one it showed may have ended since.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok((config, Expiry { server, client_authority }))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(file)
        .map_err(|error| CertificateError::Unreadable { file: name(file), why: error.to_string() })
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

fn unusable(file: &Path, error: &dyn std::error::Error) -> CertificateError {
    CertificateError::Unusable { file: name(file), why: error.to_string() }
}

/// At least one.
fn certificates(file: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let not_pem = |why: String| CertificateError::NotPem { file: name(file), what: "certificate", why };
    let all = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|error| not_pem(error.to_string()))?;
    if all.is_empty() { Err(not_pem("there is none".to_owned())) } else { Ok(all) }
}

fn earliest_end(file: &Path, certificates: &[CertificateDer<'_>]) -> Result<u64, CertificateError> {
    let mut earliest = u64::MAX;
    for certificate in certificates {
        earliest = earliest.min(end(certificate).map_err(|error| unusable(file, &error))?);
    }
    Ok(earliest)
}

/// When a certificate ends. The library that checks certificates says so only of those that have ended, so it is
/// asked about a moment after all that can be written down; it looks at that before anything else.
fn end(certificate: &CertificateDer<'_>) -> Result<u64, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let after_all = UnixTime::since_unix_epoch(Duration::from_secs(AFTER_ALL));
    let name = ServerName::try_from("localhost").map_err(|error| Error::General(error.to_string()))?;
    match verifier.verify_server_cert(certificate, &[], &name, &[], after_all) {
        Err(Error::InvalidCertificate(Objection::ExpiredContext { not_after, .. })) => {
            Ok(not_after.as_secs())
        }
        Err(error) => Err(error),
        Ok(_) => Err(Error::General("it never ends".to_owned())),
    }
}
