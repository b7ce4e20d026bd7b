//! A request goes on with its caller's trace, if that is one, after W3C Trace Context.

use crate::harness::raw::{connect, head};
use crate::harness::{Caller, Governor};

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";

fn answered(caller: &Caller, headers: &[(&str, &str)]) -> String {
    let answer = caller.try_send_with("GET", "/livez", headers, b"").expect("an answer");
    assert_eq!(answer.status, 200);
    answer.header("traceresponse").to_owned()
}

#[test]
fn a_good_traceparent_is_gone_on_with_and_the_sampled_flag_is_passed_on() {
    let governor = Governor::start();
    let mut spans = Vec::new();
    for (sent, flags) in [
        (format!("00-{TRACE}-{SPAN}-00"), "00"),
        (format!("00-{TRACE}-{SPAN}-01"), "01"),
        (format!("00-{TRACE}-{SPAN}-03"), "03"),
        (format!("00-{TRACE}-{SPAN}-ff"), "03"),
        (format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"), "01"),
    ] {
        let answer = answered(&governor.caller, &[("TraceParent", &sent)]);
        let parts: Vec<&str> = answer.split('-').collect();
        let [version, trace, span, answered_flags] = *parts else { panic!("{sent}: `{answer}`") };
        assert_eq!((version, trace, answered_flags), ("00", TRACE, flags), "{sent}");
        assert!(
            span != SPAN && span.len() == 16 && span.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{answer}"
        );
        spans.push(span.to_owned());
    }
    spans.sort();
    spans.dedup();
    assert_eq!(spans.len(), 5, "each request is a span of its own");
}

#[test]
fn a_bad_one_is_as_if_there_were_none() {
    let governor = Governor::start();
    for sent in [
        String::new(),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("00-{TRACE}-{SPAN}-1"),
        format!("00-{}-{SPAN}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{SPAN}-01", "ABCDEF0123456789".repeat(2)),
    ] {
        assert_eq!(
            answered(&governor.caller, &[("traceparent", &sent), ("tracestate", "a=1")]),
            "",
            "{sent}"
        );
    }
    assert_eq!(answered(&governor.caller, &[]), "");
    assert_eq!(answered(&governor.caller, &[("trace-parent", &format!("00-{TRACE}-{SPAN}-01"))]), "");
    // Of two, neither is better.
    let twice = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n").repeat(2);
    let answer = connect(governor.caller.address())
        .send(format!("GET /livez HTTP/1.1\r\nhost: x\r\n{twice}\r\n"))
        .answer();
    assert!(answer.status == 200 && !answer.head.contains("traceresponse"), "{}", answer.head);
}

#[test]
fn a_bad_tracestate_does_not_spoil_a_good_traceparent() {
    let governor = Governor::start();
    let good = format!("00-{TRACE}-{SPAN}-01");
    for state in ["", "a", "a=1,a=2", "A=1", "a=\u{e9}", "a=1,\u{7f}"] {
        let headers = format!("traceparent: {good}\r\ntracestate: {state}\r\n");
        let answer = connect(governor.caller.address()).send(head("GET", "/livez", &headers)).answer();
        // What is no header at all is refused before anybody looks at it.
        let is_header = !state.contains('\u{7f}');
        assert_eq!(
            answer.head.contains(&format!("traceresponse: 00-{TRACE}-")),
            is_header,
            "{state:?}: {}",
            answer.head
        );
    }
}
