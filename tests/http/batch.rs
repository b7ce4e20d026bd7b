//! Batches: a question a line, an answer a line, in the order asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::harness::batch::{PATH, batch, send};
use crate::harness::redis::RedisServer;
use crate::harness::{Caller, Governor, Process, question, time_until, with};

fn line(customer: &str, channel: &str, members: &Value) -> String {
    format!("{}\n", with(question(customer, channel), members))
}

fn verdicts(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["verdict"].as_str().unwrap_or("problem")).collect()
}

/// How many contacts a customer has.
fn contacts(caller: &Caller, customer: &str) -> u64 {
    caller.get(&format!("/v1/customers/{customer}")).body["contacts"].as_u64().expect("a number")
}

#[test]
fn a_bad_last_line_that_has_no_end_has_its_problem_like_any_other() {
    let governor = Governor::start();
    for lines in ["not JSON".to_owned(), format!("{}not JSON", line("c", "email", &json!({})))] {
        let answers = batch(&governor.caller, "", lines.as_bytes());
        let last = answers.last().expect("an answer");
        assert_eq!((&last["line"], &last["status"]), (&json!(lines.lines().count()), &json!(400)));
    }
}

#[test]
fn answers_come_in_the_order_asked() {
    let governor = Governor::start();
    let ids: Vec<String> = (0..2_000).map(|n| format!("m-{n}")).collect();
    let lines: String = ids
        .iter()
        .enumerate()
        .map(|(n, id)| line(&format!("c-{}", n % 700), "email", &json!({"contact_id": id})))
        .collect();
    let answers = batch(&governor.caller, "", lines.as_bytes());
    let answered: Vec<_> =
        answers.iter().map(|answer| answer["contact_id"].as_str().expect("an id")).collect();
    assert_eq!(answered, ids);
    let allowed = verdicts(&answers).iter().filter(|verdict| **verdict == "allow").count();
    assert_eq!(allowed, 700, "one a day each");
    assert!(verdicts(&answers)[..700].iter().all(|verdict| *verdict == "allow"), "those asked first");
}

#[test]
fn an_empty_batch_has_no_answers_and_empty_lines_none_either() {
    let governor = Governor::start();
    assert!(batch(&governor.caller, "", b"").is_empty());
    let asked = line("c-1", "email", &json!({}));
    let answers = batch(&governor.caller, "", format!("\n \r\n{}\r\n\n", asked.trim()).as_bytes());
    assert_eq!(verdicts(&answers), ["allow"]);
    let unended = batch(&governor.caller, "", asked.replace("c-1", "c-2").trim().as_bytes());
    assert_eq!(verdicts(&unended), ["allow"]);
}

#[test]
fn one_customers_lines_are_judged_in_order_at_a_cap() {
    let governor = Governor::start();
    let days = ["16", "17", "18", "19", "20"];
    let lines: String = days
        .iter()
        .map(|day| line("c-1", "email", &json!({"send_at": format!("2026-11-{day}T15:00:00Z")})))
        .collect();
    let answers = batch(&governor.caller, "", lines.as_bytes());
    assert_eq!(verdicts(&answers), ["allow", "allow", "defer", "defer", "defer"]);
    assert_eq!(contacts(&governor.caller, "c-1"), 2);
}

#[test]
fn a_bad_line_gets_a_problem_in_its_place_and_stops_nothing() {
    let governor = Governor::start_with(&[("HTTP__MAX_BODY_BYTES", "4096")]);
    let mut lines = Vec::new();
    let mut add = |bytes: &[u8]| {
        lines.extend_from_slice(bytes);
        lines.push(b'\n');
    };
    add(line("c-1", "email", &json!({})).trim().as_bytes());
    add(b"{\"customer\": ");
    add(b"");
    add(line("c-2", "emial", &json!({"chanel": 1, "priority": "high"})).trim().as_bytes());
    add(&vec![b'x'; 5_000_000]);
    add(b"{\"customer\": \"\xc3\x28\"}");
    add(b"[]");
    add(line("c-3", "email", &json!({"contact_id": "m-1"})).trim().as_bytes());
    add(line("c-3", "email", &json!({"contact_id": "m-1", "campaign": "other"})).trim().as_bytes());
    add(line("c-4", "email", &json!({"send_at": "2020-01-01T00:00:00Z"})).trim().as_bytes());
    let answers = batch(&governor.caller, "", &lines);
    let shown: Vec<_> = answers
        .iter()
        .map(|answer| match answer["verdict"].as_str() {
            Some(verdict) => (verdict.to_owned(), None),
            None => {
                let kind = answer["type"].as_str().expect("a type").rsplit(':').next().expect("a name");
                (kind.to_owned(), answer["line"].as_u64())
            }
        })
        .collect();
    let expected = [
        ("allow", None),
        ("malformed", Some(2)),
        ("invalid-fields", Some(4)),
        ("too-large", Some(5)),
        ("malformed", Some(6)),
        ("invalid-fields", Some(7)),
        ("allow", None),
        ("contact-id-taken", Some(9)),
        ("invalid-fields", Some(10)),
    ];
    assert_eq!(shown, expected.map(|(kind, line)| (kind.to_owned(), line)));
    let pointers: Vec<_> = answers[2]["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["pointer"].as_str().expect("a pointer"))
        .collect();
    assert_eq!(pointers, ["/channel", "/chanel", "/priority"]);
    assert_eq!(answers[2]["status"], 400);
}

#[test]
fn priority_is_a_member_of_batch_lines_only() {
    let governor = Governor::start();
    let asked = with(question("c-1", "email"), &json!({"contact_id": "m-1", "priority": 7}));
    assert_eq!(governor.caller.ask(&asked).pointers(), ["/priority"]);
    let answers = batch(&governor.caller, "", format!("{asked}\n").as_bytes());
    assert_eq!(verdicts(&answers), ["allow"]);
    let alone = with(question("c-1", "email"), &json!({"contact_id": "m-1"}));
    assert_eq!(governor.caller.ask(&alone).verdict(), "allow", "it is the same question without its weight");
}

#[test]
fn what_is_no_batch_is_a_problem_of_the_whole() {
    let governor = Governor::start();
    let asked = line("c-1", "email", &json!({}));
    let other = send(&governor.caller, "", asked.as_bytes(), "application/json");
    assert_eq!((other.status, &other.body["status"]), (415, &json!(415)));
    for (query, pointers) in [
        ("?dry_run=yes", &["?dry_run"][..]),
        ("?dryrun=true&arbitrate=1", &["?arbitrate", "?dryrun"]),
        ("?dry_run=true&dry_run=true", &["?dry_run"]),
    ] {
        let refused = send(&governor.caller, query, asked.as_bytes(), "application/x-ndjson");
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.pointers(), pointers);
    }
    assert_eq!(contacts(&governor.caller, "c-1"), 0, "nothing was reserved");
    let with_charset = send(&governor.caller, "", asked.as_bytes(), "Application/X-NDJSON; charset=utf-8");
    assert_eq!(with_charset.status, 200);
}

#[test]
fn a_dry_run_reserves_nothing_and_judges_as_if_it_had() {
    let governor = Governor::start();
    let day = |customer: &str, day: usize, id: &str| {
        line(customer, "email", &json!({"send_at": format!("2026-11-{day}T15:00:00Z"), "contact_id": id}))
    };
    // The lines of c-1 are further apart than any number of lines under way.
    let mut lines = day("c-1", 16, "m-1") + &day("c-1", 17, "m-2") + &day("c-1", 17, "m-2");
    lines.extend((0..3_000).map(|n| line(&format!("other-{n}"), "email", &json!({}))));
    lines.push_str(&(day("c-1", 18, "m-3") + &day("c-1", 19, "m-4")));
    let dry = batch(&governor.caller, "?dry_run=true", lines.as_bytes());
    let shown: Vec<_> = dry[..3].iter().chain(&dry[3_003..]).cloned().collect();
    assert_eq!(verdicts(&shown), ["allow", "allow", "allow", "defer", "defer"]);
    assert_eq!(shown[2]["budgets"][0]["used"], 2, "the same id counts once");
    assert_eq!(contacts(&governor.caller, "c-1") + contacts(&governor.caller, "other-7"), 0);

    let real = batch(&governor.caller, "", lines.as_bytes());
    let told = |answers: &[Value]| -> Vec<(Value, Value, Value)> {
        answers
            .iter()
            .map(|answer| {
                (answer["verdict"].clone(), answer["not_before"].clone(), answer["budgets"].clone())
            })
            .collect()
    };
    assert_eq!(told(&real), told(&dry));
    assert_eq!(contacts(&governor.caller, "c-1"), 2);
}

#[test]
fn the_same_batch_again_gets_the_same_answers() {
    let governor = Governor::start();
    let lines: String = (0..1_000)
        .map(|n| line(&format!("c-{}", n / 2), "email", &json!({"contact_id": format!("m-{n}")})))
        .collect();
    // The first half was sent before the connection broke.
    let half: String = lines.split_inclusive('\n').take(500).collect();
    let first = batch(&governor.caller, "", half.as_bytes());
    let again = batch(&governor.caller, "", lines.as_bytes());
    assert_eq!(verdicts(&again)[..500], verdicts(&first)[..]);
    assert_eq!(verdicts(&again)[500..], ["allow", "defer"].repeat(250)[..]);
    assert_eq!(batch(&governor.caller, "", lines.as_bytes()), again);
    assert_eq!(contacts(&governor.caller, "c-3"), 1);
}

/// Blocks, customers that come several times in one and again in the next, ids that are taken, questions about moments
/// that are over: whatever a line is, it is answered as it would be by itself.
#[test]
fn a_batch_is_answered_as_single_asks_are() {
    let (one, other) = (Governor::start(), Governor::start());
    let mut seed = 7_u64;
    let mut draw = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let asked: Vec<Value> = (0..700)
        .map(|n| {
            let customer = format!("c-{}", draw(60));
            let channel = ["email", "sms", "voice"][draw(3) as usize];
            let purpose = ["marketing", "service", "transactional"][draw(3) as usize];
            let day = 14 + draw(6);
            let id = if draw(5) == 0 { format!("m-{}", draw(n + 1)) } else { format!("m-{n}") };
            with(
                question(&customer, channel),
                &json!({"purpose": purpose, "contact_id": id, "send_at": format!("2026-11-{day}T15:00:00Z")}),
            )
        })
        .collect();
    let lines = asked.iter().fold(String::new(), |lines, asked| lines + &asked.to_string() + "\n");
    let told = |mut answer: Value| {
        if let Some(problem) = answer.as_object_mut() {
            problem.remove("line");
            // Which request it answers is another.
            problem.remove("instance");
        }
        answer
    };
    let together: Vec<Value> = batch(&one.caller, "", lines.as_bytes()).into_iter().map(told).collect();
    let alone: Vec<Value> = asked.iter().map(|asked| told(other.caller.ask(asked).body)).collect();
    for (number, (together, alone)) in together.iter().zip(&alone).enumerate() {
        assert_eq!(together, alone, "line {}: {}", number + 1, asked[number]);
    }
    assert_eq!(together.len(), alone.len());
    for kind in ["allow", "defer", "problem"] {
        assert!(verdicts(&alone).contains(&kind), "there is a {kind}");
    }
}

#[test]
fn while_the_ledger_is_away_each_line_is_answered_as_its_purpose_says_and_counted_later() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let settings = [("REDIS__COMMAND_TIMEOUT", "150ms"), ("REDIS__CONNECT_TIMEOUT", "300ms")];
    let governor = Process::start_with(&settings, &["--ledger", &server.url()]);
    assert_eq!(governor.caller.ask(&question("warm-up", "email")).verdict(), "allow");
    server.kill();
    let service = |n: usize| {
        let members = json!({"purpose": "service", "contact_id": format!("m-{n}")});
        line(&format!("c-{}", n / 2), "email", &members)
    };
    let lines: String =
        (0..300).map(|n| if n % 3 == 2 { line("c-1", "email", &json!({})) } else { service(n) }).collect();
    let answers = batch(&governor.caller, "", lines.as_bytes());
    assert!(answers.iter().all(|answer| answer["degraded"] == json!(true)), "{answers:?}");
    let expected: Vec<_> = (0..300).map(|n| if n % 3 == 2 { "defer" } else { "allow" }).collect();
    assert_eq!(verdicts(&answers), expected);
    let dry = batch(&governor.caller, "?dry_run=true", service(1_000).as_bytes());
    assert_eq!((verdicts(&dry), &dry[0]["degraded"]), (vec!["allow"], &json!(true)));

    let _server = server.restart();
    time_until(|| governor.caller.get("/readyz").status == 200);
    time_until(|| {
        (0..150).map(|n| contacts(&governor.caller, &format!("c-{n}"))).sum::<u64>() == 200
            && contacts(&governor.caller, "c-500") == 0
    });
    let again = batch(&governor.caller, "", lines.as_bytes());
    let counted =
        again.iter().filter(|answer| answer["verdict"] == "allow" && answer["degraded"] == json!(false));
    assert!(counted.count() >= 200, "the same questions again, known by now");
    let all: u64 = (0..150).map(|n| contacts(&governor.caller, &format!("c-{n}"))).sum();
    assert!(all <= 201, "{all}: nothing counts twice, and c-1's line may have been allowed");
}

#[test]
fn alternatives_are_named_a_line() {
    let governor = Governor::start();
    let lines = line("c-1", "sms", &json!({})) + &line("c-1", "sms", &json!({}));
    let answers = batch(&governor.caller, "?alternatives=true", lines.as_bytes());
    assert_eq!(verdicts(&answers), ["allow", "defer"]);
    assert!(answers.iter().all(|answer| answer["alternatives"].is_array()), "{answers:?}");
}

#[test]
fn the_heavier_is_judged_first_and_the_answers_say_so_in_the_order_asked() {
    let governor = Governor::start();
    let ask = |customer: &str, id: &str, priority: i64| {
        line(customer, "email", &json!({"contact_id": id, "priority": priority}))
    };
    let lines = ask("c-1", "light", 1)
        + &ask("c-2", "alone", 0)
        + "{\n"
        + &ask("c-1", "heavy", 9)
        + &line("c-1", "email", &json!({"contact_id": "default"}))
        + &ask("c-1", "heavy-too", 9);
    let answers = batch(&governor.caller, "?arbitrate=true", lines.as_bytes());
    assert_eq!(verdicts(&answers), ["defer", "allow", "problem", "allow", "defer", "defer"]);
    assert_eq!(answers[0]["arbitration"], json!({"rank": 3, "of": 4, "before": ["heavy", "heavy-too"]}));
    assert_eq!(answers[1].get("arbitration"), None, "nobody stood beside it");
    assert_eq!(answers[2]["line"], 3);
    assert_eq!(answers[3]["arbitration"], json!({"rank": 1, "of": 4, "before": []}));
    assert_eq!(
        answers[4]["arbitration"],
        json!({"rank": 4, "of": 4, "before": ["heavy", "heavy-too", "light"]})
    );
    assert_eq!(answers[5]["arbitration"]["rank"], 2);
    assert_eq!(answers[0]["contact_id"], "light");
}

#[test]
fn arbitration_holds_within_a_block_and_the_batch_goes_on_after_it() {
    let governor = Governor::start();
    let mut lines = line("c-1", "email", &json!({"contact_id": "first"}));
    lines.extend((0..9_998).map(|n| line(&format!("other-{n}"), "email", &json!({}))));
    lines.push_str(&line("c-1", "email", &json!({"contact_id": "heavy", "priority": 1})));
    lines.push_str(&line("c-1", "email", &json!({"contact_id": "next block", "priority": 2})));
    let answers = batch(&governor.caller, "?arbitrate=true", lines.as_bytes());
    let shown: Vec<_> = [0, 9_999, 10_000].iter().map(|n| answers[*n].clone()).collect();
    assert_eq!(verdicts(&shown), ["defer", "allow", "defer"]);
    assert_eq!(shown[2].get("arbitration"), None);
    assert_eq!(answers.len(), 10_001);
}

#[test]
fn a_dry_run_may_be_arbitrated() {
    let governor = Governor::start();
    let lines = line("c-1", "email", &json!({})) + &line("c-1", "email", &json!({"priority": 1}));
    let answers = batch(&governor.caller, "?dry_run=true&arbitrate=true", lines.as_bytes());
    assert_eq!(verdicts(&answers), ["defer", "allow"]);
    assert_eq!(contacts(&governor.caller, "c-1"), 0);
}

/// A batch that is written and read by hand.
struct Raw {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Raw {
    fn open(caller: &Caller) -> Self {
        let mut stream = TcpStream::connect(caller.address()).expect("a connection");
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a timeout");
        let answers = BufReader::new(stream.try_clone().expect("its other half"));
        Self { stream, answers }
    }

    fn write(&mut self, lines: &str) {
        write!(self.stream, "{:x}\r\n{lines}\r\n", lines.len()).expect("sent");
    }

    /// The next line that is an answer, among headers and lengths of chunks.
    fn answer(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.starts_with('{') {
                return Some(serde_json::from_str(&line).expect("JSON"));
            }
        }
    }
}

#[test]
fn each_line_is_answered_before_the_next_is_sent() {
    let governor = Governor::start();
    let mut raw = Raw::open(&governor.caller);
    for n in 0..20 {
        raw.write(&line("c-1", "email", &json!({"contact_id": format!("m-{n}")})));
        assert_eq!(raw.answer().expect("an answer")["contact_id"], format!("m-{n}"));
    }
    raw.stream.write_all(b"0\r\n\r\n").expect("sent");
}

#[test]
fn a_client_that_goes_away_leaves_what_was_answered_and_what_was_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = format!("embedded:{}", folder.path().display());
    let governor = Governor::start_with(&[("LEDGER__URL", &ledger)]);
    let asked = |n: usize| line(&format!("c-{n}"), "email", &json!({"contact_id": "m"}));
    let mut raw = Raw::open(&governor.caller);
    let lines: String = (0..200).map(asked).collect();
    raw.write(&lines);
    let answered = (0..150).filter(|n| {
        let answer = raw.answer().expect("an answer");
        assert_eq!(answer["verdict"], "allow", "line {n}");
        true
    });
    let answered = answered.count();
    // Half a line follows, and then nobody.
    let half = asked(10_000);
    raw.write(half.split_at(half.len() / 2).0);
    drop(raw);
    for n in 0..answered {
        assert_eq!(contacts(&governor.caller, &format!("c-{n}")), 1, "what was answered is reserved");
    }
    assert_eq!(contacts(&governor.caller, "c-10000"), 0);
    let more = batch(&governor.caller, "", (0..300).map(asked).collect::<String>().as_bytes());
    assert!(verdicts(&more).iter().all(|verdict| *verdict == "allow"), "and sent again, answered again");
    assert_eq!(contacts(&governor.caller, "c-199"), 1);
}

#[test]
fn a_stalled_client_is_cut() {
    let governor = Governor::start_with(&[("HTTP__REQUEST_TIMEOUT", "1s")]);
    let mut raw = Raw::open(&governor.caller);
    let half = line("c-2", "email", &json!({}));
    raw.write(&(line("c-1", "email", &json!({})) + half.split_at(20).0));
    assert_eq!(raw.answer().expect("an answer")["verdict"], "allow");
    let last = raw.answer().expect("a problem");
    assert_eq!((&last["line"], &last["status"]), (&json!(2), &json!(408)));
    assert_eq!(raw.answer(), None, "and the connection is closed");
}

#[test]
fn a_client_that_does_not_read_stops_being_read() {
    let governor = Process::start(&["--ledger", "memory:"]);
    let before = governor.resident_kb();
    let mut raw = Raw::open(&governor.caller);
    raw.stream.set_write_timeout(Some(std::time::Duration::from_secs(2))).expect("a timeout");
    let body = "x".repeat(20_000);
    let lines: String = (0..50)
        .map(|n| line(&format!("c-{n}"), "email", &json!({"content": {"body": body, "media_type": "x/y"}})))
        .collect();
    let mut written = 0_usize;
    // Answers of some hundred bytes each fill the way back long before this is all sent.
    let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
    while written < 2_000_000_000 {
        match raw.stream.write(chunk.as_bytes()) {
            Ok(count) if count == chunk.len() => written += count,
            Ok(_) | Err(_) => break,
        }
    }
    assert!(written < 2_000_000_000, "reading never stopped");
    let grown = governor.resident_kb().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} kB for {written} bytes");
    assert_eq!(governor.caller.ask(&question("c", "email")).verdict(), "allow", "others are served");
    raw.stream.shutdown(Shutdown::Both).expect("an end");
    let _ = raw.stream.read(&mut [0; 1]);
}

#[test]
fn a_line_of_50_megabytes_is_read_past_without_being_held() {
    let governor = Process::start(&["--ledger", "memory:"]);
    let before = governor.resident_kb();
    let mut raw = Raw::open(&governor.caller);
    let part = "x".repeat(1_000_000);
    for _ in 0..50 {
        raw.write(&part);
        assert!(governor.resident_kb().saturating_sub(before) < 20 * 1024);
    }
    raw.write(&format!("\n{}", line("c-1", "email", &json!({}))));
    let problem = raw.answer().expect("a problem");
    assert_eq!((&problem["line"], &problem["status"]), (&json!(1), &json!(413)));
    assert_eq!(raw.answer().expect("an answer")["verdict"], "allow");
}

#[test]
fn sixty_four_batches_never_pass_a_cap_together_on_redis() {
    let server = RedisServer::shared();
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.toml");
    std::fs::write(
        &policy,
        "time_zone = \"UTC\"\n[[caps]]\nid = \"k\"\nlimit = 40\nwindow = \"rolling 7d\"\n",
    )
    .expect("a policy");
    let policy = policy.to_str().expect("a path");
    let settings = [("REDIS__KEY_PREFIX", "batches:"), ("LEDGER__TIMEOUT", "60s")];
    let governor = Process::start_with(&settings, &["--ledger", &server.url(), "--policy", policy]);
    let start = Arc::new(Barrier::new(64));
    let senders: Vec<_> = (0..64)
        .map(|sender| {
            let (caller, start) = (governor.caller.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let lines: String = (0..6)
                    .flat_map(|n| {
                        [
                            line("one", "email", &json!({})),
                            line(&format!("own-{sender}-{n}"), "email", &json!({})),
                        ]
                    })
                    .collect();
                start.wait();
                let answers = batch(&caller, "", lines.as_bytes());
                assert!(answers.iter().all(|answer| answer["degraded"] == json!(false)), "{answers:?}");
                let allowed = |part: usize| {
                    answers.iter().skip(part).step_by(2).filter(|answer| answer["verdict"] == "allow").count()
                };
                assert_eq!(allowed(1), 6);
                allowed(0)
            })
        })
        .collect();
    let allowed: usize = senders.into_iter().map(|sender| sender.join().expect("a sender")).sum();
    assert_eq!(allowed, 40);
}
