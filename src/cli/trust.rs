//! Whom a command believes to be the governor, and how it shows who it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use awc::{Client, Connector};
use clap::Args;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::settings::client_key;

#[derive(Clone, Debug, Default, Args)]
pub struct Trust {
    /// The authorities (PEM) that sign the certificate of a governor at an https URL; the usual ones unless given.
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// The certificate (PEM) to show to a governor that asks for one.
    #[arg(long, value_name = "FILE", requires = "authority", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// The file with the API key to call the governor with; without it, what `CONTACT_GOVERNOR_KEY` holds.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Trust {
    /// Must be called within an actix system.
    ///
    /// # Errors
    /// When one of the files cannot be used, or holds no key.
    pub fn client(&self, timeout: Duration) -> Result<Client, String> {
        // A key is for the governor it was given for, and not for where that one points.
        let builder = Client::builder().timeout(timeout).disable_redirects();
        let builder = match client_key(self.key_file.as_deref())? {
            Some(key) => builder.bearer_auth(key.expose()),
            None => builder,
        };
        let Some(authority) = &self.authority else { return Ok(builder.finish()) };
        let config = Arc::new(self.config(authority)?);
        Ok(builder.connector(Connector::new().rustls_0_23(config)).finish())
    }

    fn config(&self, authority: &Path) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(authority)? {
            roots.add(certificate).map_err(|error| unusable(authority, &error))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let mut config = match (&self.client_certificate, &self.client_key) {
            (Some(certificate), Some(key)) => {
                let own_key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
                builder
                    .with_client_auth_cert(certificates(certificate)?, own_key)
                    .map_err(|error| unusable(certificate, &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// At least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|error| unusable(file, &error))?;
    if all.is_empty() {
        Err(format!("`{}` holds no certificate in PEM form", file.display()))
    } else {
        Ok(all)
    }
}

fn unusable(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!("`{}` cannot be used: {error}", file.display())
}
