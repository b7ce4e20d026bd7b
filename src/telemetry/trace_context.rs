//! W3C Trace Context: what links what we do to what our caller does, and what a collector puts together.
//!
//! After Level 2 (Candidate Recommendation Draft of 28 March 2024), which adds to Level 1 only the flag that says how random
//! a trace id is. Whatever cannot be read is as if nothing had been sent.

use std::fmt;

/// The flags that are known; others are read over and not passed on.
const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;
/// The places of the dashes in `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`, and its length.
const DASHES: [usize; 3] = [2, 35, 52];
const LENGTH: usize = 55;
/// The most members of a `tracestate`.
const MOST_MEMBERS: usize = 32;

/// The id of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span: one thing that is done in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

/// Where something stands in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub trace: TraceId,
    pub span: SpanId,
    /// Whose doing led to it; `None`: the trace begins here.
    pub parent: Option<SpanId>,
    flags: u8,
}

/// What a caller says of where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    trace: TraceId,
    span: SpanId,
    flags: u8,
}

impl TraceId {
    fn mint() -> Self {
        // The last seven bytes are random, as the flag for it asks; of the others, all but six bits.
        Self(uuid::Uuid::new_v4().into_bytes())
    }

    /// A number below 2⁵⁶ that is the same wherever this trace is met, so that all who sample one trace in ten sample the
    /// same ones.
    #[must_use]
    pub fn randomness(self) -> u64 {
        u128::from_be_bytes(self.0) as u64 & (u64::MAX >> 8)
    }
}

impl SpanId {
    #[must_use]
    pub fn mint() -> Self {
        let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
        Self(random.to_be_bytes())
    }
}

/// Digits into a place that is twice as long.
fn write_digits(bytes: &[u8], place: &mut [u8]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    for (byte, pair) in bytes.iter().zip(place.as_chunks_mut::<2>().0) {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
    }
}

/// At most 16 bytes.
fn write_hex(bytes: &[u8], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [0; 32];
    write_digits(bytes, &mut digits);
    out.write_str(std::str::from_utf8(digits.get(..bytes.len() * 2).unwrap_or_default()).unwrap_or_default())
}

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, out)
    }
}

impl TraceContext {
    /// The beginning of a trace.
    #[must_use]
    pub fn begin() -> Self {
        Self { trace: TraceId::mint(), span: SpanId::mint(), parent: None, flags: RANDOM }
    }

    /// What is done because of what the caller does.
    #[must_use]
    pub fn after(parent: Parent) -> Self {
        let Parent { trace, span, flags } = parent;
        Self { trace, span: SpanId::mint(), parent: Some(span), flags }
    }

    /// A part of this.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: SpanId::mint(), parent: Some(self.span), ..self }
    }

    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    #[must_use]
    pub const fn sampled(self) -> Self {
        Self { flags: self.flags | SAMPLED, ..self }
    }

    #[must_use]
    pub const fn flags(self) -> u8 {
        self.flags
    }
}

/// As `traceparent` has it, and `traceresponse`.
impl fmt::Display for TraceContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl Parent {
    /// Reads a `traceparent`.
    #[must_use]
    pub fn parse(sent: &[u8]) -> Option<Self> {
        if DASHES.iter().any(|at| sent.get(*at) != Some(&b'-')) {
            return None;
        }
        let [version] = hex(sent.get(0..2)?)?;
        // A later version may have more behind another dash; ours may not.
        let ends_well = match version {
            0 => sent.len() == LENGTH,
            0xff => false,
            _ => sent.get(LENGTH).is_none_or(|next| *next == b'-'),
        };
        let (trace, span, [flags]) =
            (hex(sent.get(3..35)?)?, hex(sent.get(36..52)?)?, hex(sent.get(53..LENGTH)?)?);
        if !ends_well || trace == [0; 16] || span == [0; 8] {
            return None;
        }
        Some(Self { trace: TraceId(trace), span: SpanId(span), flags: flags & (SAMPLED | RANDOM) })
    }
}

/// Bytes from hexadecimal digits, small ones only.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

/// What stands in the `tracestate` fields of a request, as one; nothing where it is not as it should be.
#[must_use]
pub fn trace_state<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for field in fields {
        for member in std::str::from_utf8(field).ok()?.split(',') {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let is_known = members.iter().any(|(known, _)| *known == key);
            if is_known || members.len() == MOST_MEMBERS || !is_key(key) || !is_value(value) {
                return None;
            }
            members.push((key, value));
        }
    }
    let members: Vec<String> = members.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(members.join(",")).filter(|state| !state.is_empty())
}

/// Level 1 allows a tenant before `@`, with bounds for either side; Level 2 any `@` within 256 characters. This is the
/// wider one.
fn is_key(key: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_next = |byte: u8| is_first(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@');
    key.len() <= 256 && key.bytes().next().is_some_and(is_first) && key.bytes().all(is_next)
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(is_allowed) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "12345678901234567890123456789012";
    const SPAN: &str = "1234567890123456";

    fn reread(sent: &str) -> Option<String> {
        let parent = Parent::parse(sent.as_bytes())?;
        Some(TraceContext { parent: None, span: parent.span, ..TraceContext::after(parent) }.to_string())
    }

    #[test]
    fn what_is_good_is_gone_on_with() {
        for (sent, flags) in [
            ("00-{}-01", "01"),
            ("00-{}-00", "00"),
            ("00-{}-02", "02"),
            ("00-{}-03", "03"),
            // Flags that nobody knows yet are read over.
            ("00-{}-ff", "03"),
            ("00-{}-fe", "02"),
            ("cc-{}-01", "01"),
            ("cc-{}-01-what-the-future-will-be-like", "01"),
            ("fe-{}-09-", "01"),
        ] {
            let sent = sent.replace("{}", &format!("{TRACE}-{SPAN}"));
            assert_eq!(reread(&sent), Some(format!("00-{TRACE}-{SPAN}-{flags}")), "{sent}");
        }
    }

    #[test]
    fn what_is_bad_begins_a_new_trace() {
        let good = format!("00-{TRACE}-{SPAN}-01");
        let zero_trace = format!("00-{}-{SPAN}-01", "0".repeat(32));
        let zero_span = format!("00-{TRACE}-{}-01", "0".repeat(16));
        let with = |part: &str, other: &str| good.replacen(part, other, 1);
        for bad in [
            String::new(),
            "-".to_owned(),
            zero_trace,
            zero_span,
            format!("00-{TRACE}-{SPAN}-0"),
            format!("{good}."),
            format!("{good}-what-the-future-will-be-like"),
            format!("{good} "),
            format!(" {good}"),
            format!("cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like"),
            format!("cc-{TRACE}-{SPAN}-1"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("0.-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!("0000-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            with("00-1", "00-."),
            with("12-1", "1.-1"),
            with("12-1", "123-1"),
            with("12-1", "1-1"),
            with("-1234567890123456-", "-.234567890123456-"),
            with("-1234567890123456-", "-123456789012345.-"),
            with("-1234567890123456-", "-12345678901234567-"),
            with("-1234567890123456-", "-123456789012345-"),
            with("-01", "-.0"),
            with("-01", "-0."),
            with("-01", "-001"),
            with("-01", "-1"),
            with("00-", "00_"),
            format!("0A-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "A".repeat(32)),
            format!("00-{TRACE}-{}-01", "A".repeat(16)),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("{good},{good}"),
        ] {
            assert_eq!(reread(&bad), None, "{bad}");
        }
    }

    #[test]
    fn every_change_of_a_byte_but_to_another_digit_is_seen() {
        let good = format!("00-{TRACE}-{SPAN}-01").into_bytes();
        for place in 3..good.len() {
            for byte in 0..=u8::MAX {
                let mut changed = good.clone();
                changed[place] = byte;
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f') && !DASHES.contains(&place);
                let is_same = byte == good[place];
                assert_eq!(Parent::parse(&changed).is_some(), is_digit || is_same, "{place} {byte}");
            }
        }
    }

    #[test]
    fn what_begins_here_is_random_and_a_part_keeps_the_trace() {
        let (one, other) = (TraceContext::begin(), TraceContext::begin());
        assert!(one.trace != other.trace && one.span != other.span && one.trace.randomness() < 1 << 56);
        assert_eq!((one.flags(), one.sampled().flags(), one.parent), (0b10, 0b11, None));
        let part = one.sampled().child();
        assert_eq!((part.trace, part.parent, part.is_sampled()), (one.trace, Some(one.span), true));
        assert_ne!(part.span, one.span);
        let parent = Parent::parse(part.to_string().as_bytes()).expect("what we write, others read");
        assert_eq!(TraceContext::after(parent).parent, Some(part.span));
    }

    fn state(fields: &[&str]) -> Option<String> {
        trace_state(fields.iter().map(|field| field.as_bytes()))
    }

    #[test]
    fn a_state_is_put_together_or_left_out_whole() {
        let long = |length: usize| "z".repeat(length);
        let many = |count: usize| (0..count).map(|n| format!("bar{n}=1")).collect::<Vec<_>>().join(",");
        for (fields, joined) in [
            (vec!["foo=1"], "foo=1"),
            (vec!["foo=1,bar=2"], "foo=1,bar=2"),
            (vec!["foo=1", "bar=2"], "foo=1,bar=2"),
            (vec!["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
            (vec!["foo=1,", ",,", "bar=2 "], "foo=1,bar=2"),
            (vec!["foo-_*/bar=bar4"], "foo-_*/bar=bar4"),
            (vec!["0tenant@vendor=a b"], "0tenant@vendor=a b"),
            (vec!["a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"], "a=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"),
        ] {
            assert_eq!(state(&fields).as_deref(), Some(joined), "{fields:?}");
        }
        assert!(state(&[&format!("{}=1", long(256))]).is_some() && state(&[&many(32)]).is_some());
        assert!(state(&[&format!("a={}", long(256))]).is_some());
        let too_long = [format!("{}=1", long(257)), format!("a={}", long(257)), many(33)];
        let bad = [
            "",
            " ",
            ",",
            "foo",
            "foo=",
            "=1",
            "foo =1",
            "FOO=1",
            "foo.bar=1",
            "foo@=1,foo@=1",
            "foo=1,foo=2",
            "foo=bar=baz",
            "foo=1,\u{e9}=1",
            "foo=\u{e9}",
            "_a=1",
            "@a=1",
            "foo=1\0",
            "foo=1,bar",
        ];
        for bad in bad.into_iter().chain(too_long.iter().map(String::as_str)) {
            assert_eq!(state(&[bad]), None, "{bad:?}");
        }
        assert_eq!((state(&[]), trace_state(std::iter::once(&[0xff_u8][..]))), (None, None));
    }
}
