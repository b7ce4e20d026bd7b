//! Who is told of follow-ups.

use std::fmt;
use std::time::Duration;

use super::{Reading, secrets};

/// Who is told of follow-ups, and how they know that it is us.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub url: String,
    /// Keys of what is signed, at least one.
    pub secrets: Vec<Vec<u8>>,
    pub timeout: Duration,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("WebhookSettings").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Reads what the settings say of it.
pub(super) fn read(reading: &mut Reading<'_>) -> Option<WebhookSettings> {
    let url = reading.given("webhook.url");
    if let Some(url) = url.as_ref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))
    {
        reading
            .mistakes
            .push(format!("setting webhook.url: `{url}` does not begin with `https://` or `http://`"));
    }
    let secrets = reading.parsed("webhook.secrets", secrets::webhook_secrets);
    let timeout = reading.duration("webhook.timeout");
    if url.is_some() && secrets.is_empty() {
        reading.mistakes.push(
            "setting webhook.secrets: whoever is told must be able to know that it is us; give a secret, as \
                 `whsec_` and 24 to 64 random bytes in base64"
                .to_owned(),
        );
    }
    url.map(|url| WebhookSettings { url, secrets, timeout })
}
