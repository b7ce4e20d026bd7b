//! Certificates to serve with, and who may connect.

use std::path::PathBuf;
use std::time::Duration;

use super::Reading;

/// PEM files; that there are any means that nothing is served without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Who signs the certificates that callers must show; `None` asks for none.
    pub client_authority: Option<PathBuf>,
    /// How often the files are looked at.
    pub look_every: Duration,
    pub handshake_timeout: Duration,
}

/// Reads what the settings say of it.
pub(super) fn read(reading: &mut Reading<'_>) -> Option<TlsSettings> {
    let (certificate, key) = (reading.file("tls.certificate"), reading.file("tls.key"));
    let client_authority = reading.file("tls.client_authority");
    let look_every = reading.duration("tls.look_every");
    let handshake_timeout = reading.duration("tls.handshake_timeout");
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(TlsSettings { certificate, key, client_authority, look_every, handshake_timeout })
        }
        (None, None) => {
            if client_authority.is_some() {
                reading.mistakes.push(
                    "setting tls.client_authority: callers can show certificates only to who has one; set \
                     tls.certificate and tls.key too"
                        .to_owned(),
                );
            }
            None
        }
        (Some(_), None) | (None, Some(_)) => {
            reading
                .mistakes
                .push("setting tls.certificate: a certificate and tls.key go together".to_owned());
            None
        }
    }
}
