//! By which ids requests are followed, and who is sent spans of them.

use std::fmt;
use std::time::Duration;

use super::reading::{Placeholder, Reading};

/// How requests are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracingSettings {
    /// Whether callers' own ids are gone on with.
    pub trusts_callers: bool,
    /// Who is sent spans; `None`: nobody.
    pub export: Option<ExportSettings>,
}

/// Who is sent spans, and of what.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportSettings {
    /// Where they are posted to.
    pub url: String,
    /// What is sent along: who we are to them.
    pub headers: Vec<(String, String)>,
    pub timeout: Duration,
    pub sample: Ratio,
    pub service_name: String,
}

/// A part of the whole, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio(pub u32);

impl Ratio {
    const WHOLE: u32 = 1_000_000;

    fn parse(text: &str) -> Option<Self> {
        let ratio = text.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio))?;
        Some(Self((ratio * f64::from(Self::WHOLE)).round() as u32))
    }

    /// The part of `whole` that this is.
    #[must_use]
    pub const fn of(self, whole: u64) -> u64 {
        (whole as u128 * self.0 as u128 / Self::WHOLE as u128) as u64
    }
}

impl fmt::Debug for ExportSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ExportSettings").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Placeholder for Ratio {
    fn placeholder() -> Self {
        Self(0)
    }
}

impl Placeholder for Vec<(String, String)> {
    fn placeholder() -> Self {
        Self::new()
    }
}

/// Where whoever started this program stands in a trace, as OpenTelemetry hands it to commands.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "settings are the home of the environment")]
pub fn inherited_trace() -> Option<String> {
    std::env::var("TRACEPARENT").ok()
}

/// Reads what the settings say of it.
pub(super) fn read(reading: &mut Reading<'_>) -> TracingSettings {
    let url = reading.parsed("tracing.otlp_endpoint", endpoint);
    let headers = reading.parsed("tracing.otlp_headers", headers);
    let timeout = reading.duration("tracing.otlp_timeout");
    let sample = reading.parsed("tracing.sample", |text| {
        Ratio::parse(text).ok_or_else(|| format!("`{text}` is not a number from 0 to 1"))
    });
    let service_name = reading.parsed("tracing.service_name", |text| match text.len() {
        1..=255 => Ok(text.to_owned()),
        _ => Err("a name of 1 to 255 bytes".to_owned()),
    });
    TracingSettings {
        trusts_callers: reading.parsed("tracing.trust_callers", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("`{other}` is neither true nor false")),
        }),
        export: (!url.is_empty()).then_some(ExportSettings { url, headers, timeout, sample, service_name }),
    }
}

/// Where a collector takes spans, by the OpenTelemetry rule for a base: `/v1/traces` below it. Empty where nothing is given.
fn endpoint(text: &str) -> Result<String, String> {
    const PATH: &str = "/v1/traces";
    if text.is_empty() {
        return Ok(String::new());
    }
    let address = ["http://", "https://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    if address.is_none_or(|address| address.is_empty() || address.starts_with('/')) {
        return Err(format!("`{text}` does not begin with `https://` or `http://` and a host"));
    }
    if text.contains(['?', '#']) {
        return Err(format!("`{text}` has more than a path; write `http://127.0.0.1:4318`"));
    }
    let base = text.trim_end_matches('/');
    Ok(format!("{}{PATH}", base.strip_suffix(PATH).unwrap_or(base)))
}

/// `name=value` separated by commas, as in `OTEL_EXPORTER_OTLP_HEADERS`. What is wrong is not repeated: it is a secret.
fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (place, part) in text.split(',').map(str::trim).filter(|part| !part.is_empty()).enumerate() {
        let wrong = || format!("header {} is not written as `name=value`", place + 1);
        let (name, value) = part.split_once('=').ok_or_else(wrong)?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_value = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if name.is_empty() || !name.bytes().all(is_name) || !value.bytes().all(is_value) {
            return Err(wrong());
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_base_or_the_whole() {
        for (given, url) in [
            ("", ""),
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
            ("https://otlp.example.com/otlp", "https://otlp.example.com/otlp/v1/traces"),
            ("https://otlp.example.com/otlp/v1/traces", "https://otlp.example.com/otlp/v1/traces"),
        ] {
            assert_eq!(endpoint(given).as_deref(), Ok(url));
        }
        for wrong in
            ["127.0.0.1:4318", "http://", "http:///v1/traces", "grpc://x:4317", "http://x?y", "http://x/#y"]
        {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_as_open_telemetry_writes_them_and_never_repeated() {
        let read = headers("authorization=Basic YTpi==, x-tenant=7,").expect("headers");
        let pairs = [("authorization", "Basic YTpi=="), ("x-tenant", "7")];
        assert_eq!(read, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for wrong in ["s3cret", "=s3cret", "a b=s3cret", "a=s3cret\u{e9}", "a=s3\ncret"] {
            assert!(!headers(wrong).expect_err("refused").contains("s3"), "{wrong}");
        }
    }

    #[test]
    fn a_ratio_is_a_part_of_the_whole() {
        for (text, of_a_thousand) in [("0", 0), ("1", 1_000), ("1.0", 1_000), ("0.25", 250), ("0.001", 1)] {
            assert_eq!(Ratio::parse(text).map(|ratio| ratio.of(1_000)), Some(of_a_thousand), "{text}");
        }
        for wrong in ["", "-0.1", "1.1", "NaN", "inf", "10%", "half"] {
            assert_eq!(Ratio::parse(wrong), None, "{wrong}");
        }
    }
}
