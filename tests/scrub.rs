//! `scrub`: a list judged before it is mailed, here and through a governor.

mod bad_input;
mod busy;
mod full_disk;
mod in_redis;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contact_governor::clock::Clock;
use contact_governor::domain::moment::Span;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{PROGRAM, Process, time_until};

const POLICY: &str = r#"
version = "1"
time_zone = "UTC"

[[caps]]
id = "two-a-month"
limit = 2
window = "rolling 30d"
because = "Two letters a month, at most."

[[requirements]]
id = "buyers-only"
purposes = ["marketing"]
requires = "facts.purchases >= 1"
because = "Only to those who have bought something."
"#;

const MAIL: [&str; 8] = [
    "--policy",
    "p.toml",
    "--set",
    "channel=mail",
    "--set",
    "purpose=marketing",
    "--set",
    "delivery=template",
];

/// A folder with a policy and a list.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn with(list: impl AsRef<[u8]>) -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        desk.write("p.toml", POLICY);
        desk.write("list.csv", list);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("scrub").args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn scrub(&self, arguments: &[&str]) -> Scrubbed {
        Scrubbed::of(self.command(arguments).spawn().expect("the program runs"), b"")
    }

    /// As a mailing, with what is usually said.
    fn mail(&self, arguments: &[&str]) -> Scrubbed {
        self.scrub(&[&MAIL, arguments].concat())
    }
}

/// How a scrub ended, what it wrote and what it said.
#[derive(Debug)]
struct Scrubbed {
    status: Option<i32>,
    list: String,
    said: String,
}

impl Scrubbed {
    fn of(mut child: std::process::Child, input: &[u8]) -> Self {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).expect("it reads");
        }
        let output = child.wait_with_output().expect("its end");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self { status: output.status.code(), list: text(output.stdout), said: text(output.stderr) }
    }

    fn ended(&self, status: i32, expected: &str) -> &Self {
        assert_eq!(self.status, Some(status), "{}", self.said);
        assert!(self.said.contains(expected), "{}", self.said);
        self
    }

    /// The first column and the verdict and rule of each row.
    fn verdicts(&self) -> Vec<String> {
        verdicts(&self.list)
    }
}

fn verdicts(list: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(list.as_bytes());
    let place = |name: &str| {
        let mut header = csv::Reader::from_reader(list.as_bytes());
        header.headers().expect("a header").iter().position(|column| column == name).expect("the column")
    };
    let (verdict, rule) = (place("verdict"), place("rule"));
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("a row");
        format!("{} {} {}", &row[0], &row[verdict], &row[rule]).trim_end().to_owned()
    };
    reader.records().map(row).collect()
}

fn url(process: &Process) -> String {
    format!("http://{}", process.caller.address())
}

#[test]
fn rows_keep_their_columns_and_get_a_verdict_as_if_those_before_were_reserved() {
    let desk = Desk::with(concat!(
        "\u{feff}Name,ClientId,fact.purchases,Note\r\n",
        "Ada,c-1,3,\"says \"\"hi\"\", often\"\r\n",
        "Ben,c-2,0,\r\n",
        "Ada,c-1,3,again\r\n",
        "Ada,c-1,3,a third\r\n",
    ));
    let scrubbed = desk.mail(&["--map", "customer=ClientId", "list.csv"]);
    scrubbed.ended(0, "rows: 4; allow: 2, defer: 1, handoff: 0, deny: 1; left out: 0, rejected: 0");
    scrubbed.ended(0, "two-a-month  mail  1  ####").ended(0, "nothing is known of what was sent before");
    let lines: Vec<&str> = scrubbed.list.split("\r\n").collect();
    assert_eq!(lines[0], "\u{feff}Name,ClientId,fact.purchases,Note,verdict,rule,not_before,because");
    assert_eq!(lines[1], "Ada,c-1,3,\"says \"\"hi\"\", often\",allow,,,");
    assert_eq!(lines[2], "Ben,c-2,0,,deny,buyers-only,,Only to those who have bought something.");
    assert!(lines[4].starts_with("Ada,c-1,3,a third,defer,two-a-month,20"), "{}", lines[4]);
    assert!(lines[4].ends_with("Z,\"Two letters a month, at most.\""), "{}", lines[4]);
    assert_eq!(lines.len(), 6);
}

/// A list in which everything happens, at a moment that lies ahead.
fn mixed(rows: usize) -> String {
    let send_at = (Clock::System.now() + Span::from_days(1)).to_string();
    let mut text = "customer,channel,send_at,fact.purchases,claims,regions\n".to_owned();
    for row in 0..rows {
        let customer = row * 7 % (rows / 3).max(1);
        let channel = ["mail", "email", "sms"][row % 3];
        let claims = if row % 5 == 0 { "care personal" } else { "" };
        let _ = writeln!(text, "c-{customer},{channel},{send_at},{},{claims},US US-FL", row % 11);
    }
    text
}

#[test]
fn verdicts_are_those_of_preflight_asked_in_the_same_order() {
    let desk = Desk::with(mixed(120));
    let policy = desk.path("p.toml");
    let governor = Process::start(&["--ledger", "memory:", "--policy", policy.to_str().expect("a path")]);
    let constants = ["--set", "purpose=marketing", "--set", "delivery=template", "list.csv"];
    let here = desk.scrub(&[&["--policy", "p.toml"][..], &constants].concat());
    here.ended(0, "rows: 120; ");
    let through = url(&governor);
    let there =
        desk.scrub(&[&["--url", &through, "--reserve", "--policy", "p.toml"][..], &constants].concat());
    there.ended(0, "rows: 120; ");

    let other = Process::start(&["--ledger", "memory:", "--policy", policy.to_str().expect("a path")]);
    let mut reader = csv::Reader::from_reader(here.list.as_bytes());
    for (row, reserved) in reader.records().zip(there.list.lines().skip(1)) {
        let row = row.expect("a row");
        let purchases: i64 = row[3].parse().expect("a number");
        let claims: Vec<&str> = row[4].split_whitespace().collect();
        let answer = other.caller.ask(&json!({
            "customer": row[0], "channel": row[1], "send_at": row[2], "purpose": "marketing",
            "delivery": "template", "facts": {"purchases": purchases}, "regions": ["US", "US-FL"],
            "content": {"claims": claims},
        }));
        let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let expected =
            [answer.verdict(), text("/reasons/0/rule"), text("/not_before"), text("/reasons/0/because")];
        assert_eq!([&row[6], &row[7], &row[8], &row[9]], expected, "{row:?}");
        let shared: Vec<&str> = row.iter().take(9).collect();
        assert!(reserved.starts_with(&shared.join(",")), "{reserved}");
    }
    let kinds: std::collections::BTreeSet<String> =
        here.verdicts().iter().filter_map(|row| Some(row.split_once(' ')?.1.to_owned())).collect();
    assert!(kinds.len() >= 3, "{kinds:?}");
}

#[test]
fn what_is_missing_is_said_with_what_there_is() {
    let cases: [(&str, &[&str], &str); 8] = [
        (
            "Customer,Channel\n",
            &["list.csv"],
            "there is no column `customer`, but `Customer`, `Channel`; did you mean `Customer`?; say which it is: --map customer=HEADER",
        ),
        ("customer\n", &["list.csv"], "there is no column `purpose`, but `customer`"),
        ("customer\n", &["list.csv"], "or for all rows --set delivery=…"),
        ("customer,rule\n", &["list.csv", "--set", "channel=mail"], "there is no column `purpose`"),
        ("customer\n", &["list.csv", "--set", "chanel=mail"], "did you mean `channel`?"),
        ("customer\n", &["list.csv", "--left-out", "x.csv"], "--only"),
        ("customer\n", &["list.csv", "--only", "alow"], "did you mean `allow`?"),
        ("customer\n", &["list.csv", "--out", "list.csv"], "are the same file"),
    ];
    for (list, arguments, expected) in cases {
        Desk::with(list).scrub(&[&["--policy", "p.toml"][..], arguments].concat()).ended(2, expected);
    }
    let desk = Desk::with("customer,rule\nc-1,x\n");
    desk.mail(&["list.csv"]).ended(2, "the list has a column `rule`, which a scrub adds");
    desk.mail(&["list.csv", "--reserve"]).ended(2, "--reserve needs somewhere to reserve");
    desk.mail(&["list.csv", "--ledger", "embedded:absent"]).ended(2, "there is no ledger in `absent`");
    desk.mail(&["absent.csv"]).ended(1, "cannot open `absent.csv`");
}

#[test]
fn zipped_and_from_standard_input_it_is_the_same_list() {
    let text = "customer,fact.purchases\nc-1,1\nc-2,0\n";
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(text.as_bytes()).expect("zipped");
    let zipped = zipped.finish().expect("zipped");
    let desk = Desk::with(text);
    let expected = desk.mail(&["list.csv"]).list;
    assert_eq!(verdicts(&expected), ["c-1 allow", "c-2 deny buyers-only"]);
    desk.write("list.csv.gz", &zipped);
    assert_eq!(desk.mail(&["list.csv.gz"]).list, expected);
    for input in [text.as_bytes(), &zipped] {
        let mut command = desk.command(&[&MAIL[..], &["-", "--out", "out.csv"]].concat());
        let scrubbed = Scrubbed::of(command.stdin(Stdio::piped()).spawn().expect("it runs"), input);
        scrubbed.ended(0, "cannot be gone on with");
        assert_eq!(desk.read("out.csv"), expected);
        assert!(!desk.has("out.csv.scrub.json"));
    }
    let again = desk.mail(&["out.csv"]);
    assert_eq!(again.list, expected, "what an earlier scrub has added is replaced");
}

#[test]
fn bad_rows_cost_only_themselves() {
    let desk = Desk::with(concat!(
        "customer,fact.purchases,send_at\n",
        "c-1,1,\n",
        ",1,\n",
        "c-3,1\n",
        "c-4,1,yesterday\n",
        "c-5,1,\n",
    ));
    let scrubbed = desk.mail(&["list.csv"]);
    scrubbed.ended(1, "rejected: 3").ended(1, "rejected rows are in `list.csv.rejects.csv`");
    assert_eq!(scrubbed.verdicts(), ["c-1 allow", "c-5 allow"]);
    let rejects = desk.read("list.csv.rejects.csv");
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines[0], "line,reason,customer,fact.purchases,send_at");
    assert_eq!(lines[1], "3,customer: is blank,,1,");
    assert_eq!(lines[2], "4,it has only 2 of the header's 3 fields,c-3,1,");
    assert!(lines[3].starts_with("5,\"send_at: `yesterday` is not an RFC 3339"), "{}", lines[3]);
    desk.write("list.csv", rejects.replace("yesterday", ""));
    assert_eq!(desk.mail(&["list.csv", "--rejects", "r.csv"]).verdicts(), ["c-3 allow", "c-4 allow"]);
}

#[test]
fn the_mailed_list_and_those_left_out_with_the_sums() {
    let desk = Desk::with("customer,fact.purchases\nc-1,1\nc-2,0\nc-3,2\n");
    for summary in ["s.json", "s.md"] {
        let files = ["--out", "mailed.csv", "--left-out", "others.csv", "--summary", summary];
        desk.mail(&[&["list.csv", "--only", "allow"][..], &files].concat()).ended(0, "left out: 1");
        assert_eq!(verdicts(&desk.read("mailed.csv")), ["c-1 allow", "c-3 allow"]);
        assert_eq!(verdicts(&desk.read("others.csv")), ["c-2 deny buyers-only"]);
        assert!(!desk.has("mailed.csv.scrub.json"), "nothing is left to go on with");
    }
    let sums: Value = serde_json::from_str(&desk.read("s.json")).expect("JSON");
    assert_eq!((&sums["rows"], &sums["left_out"]), (&json!(3), &json!(1)));
    assert_eq!(sums["by_rule"]["buyers-only"]["by_channel"]["mail"], 1);
    let row = "| buyers-only | mail | 1 | Only to those who have bought something. |";
    assert!(desk.read("s.md").contains(row), "{}", desk.read("s.md"));
}

#[test]
fn a_history_counts_and_must_be_sound() {
    let desk = Desk::with("customer,fact.purchases\nc-1,1\nc-2,1\nc-2,1\n");
    let day = (Clock::System.now() - Span::from_days(3)).to_string();
    let day = day.split('T').next().expect("a day");
    desk.write(
        "h.csv",
        format!("Kunde,channel,at\nc-1,email,{day}\nc-1,mail,{day}T10:00:00Z\nc-2,mail,{day}\n"),
    );
    let arguments = ["list.csv", "--history", "h.csv", "--map-history", "customer=Kunde"];
    let scrubbed = desk.mail(&arguments);
    scrubbed.ended(0, "rows: 3");
    assert_eq!(scrubbed.verdicts(), ["c-1 defer two-a-month", "c-2 allow", "c-2 defer two-a-month"]);
    desk.write("h.csv", "Kunde,channel,at\nc-1,fax,2026-01-01\nc-1,mail,\n");
    let refused = desk.mail(&arguments);
    refused.ended(1, "line 2: channel: `fax` is none of").ended(1, "line 3: at: is blank");
    assert_eq!(refused.list, "");
}

#[test]
fn nothing_is_stored_unless_it_is_to_be_reserved() {
    let desk = Desk::with("customer,fact.purchases\nc-1,1\nc-1,1\nc-1,1\n");
    let ledger = format!("embedded:{}", desk.path("data").display());
    let contacts = || {
        let governor = Process::start(&["--ledger", &ledger]);
        governor.caller.get("/v1/customers/c-1/timeline").body.to_string().matches("scrub-").count()
    };
    assert_eq!(contacts(), 0);
    for _ in 0..2 {
        let scrubbed = desk.mail(&["list.csv", "--ledger", &ledger]);
        assert_eq!(scrubbed.verdicts(), ["c-1 allow", "c-1 allow", "c-1 defer two-a-month"]);
    }
    assert_eq!(contacts(), 0);
    let scrubbed = desk.mail(&["list.csv", "--ledger", &ledger, "--reserve"]);
    assert_eq!(scrubbed.verdicts(), ["c-1 allow", "c-1 allow", "c-1 defer two-a-month"]);
    assert!(scrubbed.list.lines().nth(1).is_some_and(|row| row.contains(",scrub-")), "{}", scrubbed.list);
    assert_ne!(contacts(), 0);
    let again = desk.mail(&["list.csv", "--ledger", &ledger, "--reserve"]);
    assert_eq!(again.verdicts(), ["c-1 defer two-a-month"; 3], "another mailing, other contacts");
    let policy = desk.path("p.toml");
    let governor = Process::start(&["--ledger", &ledger, "--policy", policy.to_str().expect("a path")]);
    desk.mail(&["list.csv", "--ledger", &ledger]).ended(1, "let it judge: --url http://");
    let stored = || governor.caller.get("/v1/customers/c-2").body["contacts"].clone();
    let other = Desk::with("customer,fact.purchases\nc-2,1\nc-2,1\nc-2,1\n");
    let tried = other.mail(&["list.csv", "--url", &url(&governor)]);
    assert_eq!(tried.verdicts(), ["c-2 allow", "c-2 allow", "c-2 defer two-a-month"]);
    assert_eq!(stored(), 0, "through a governor nothing is stored either");
}

/// A large list: every customer twice, a third of them three times, and a bad row now and then.
fn large(note: &str) -> String {
    let mut text = "Name,customer,fact.purchases,Note\n".to_owned();
    for row in 0..LARGE {
        let purchases = if row % 997 == 5 { "x".repeat(2_000) } else { (row % 4).to_string() };
        let _ = writeln!(text, "Somebody at number {row},c-{},{purchases},{note}", row * 7 % (LARGE * 3 / 7));
    }
    text
}

const LARGE: usize = 30_000;

#[test]
fn killed_in_the_middle_it_goes_on_to_the_same_bytes() {
    let desk = Desk::with(large(""));
    let files = |folder: &str| {
        let path = |name: &str| format!("{folder}{name}");
        let (out, left_out, rejects) = (path("o.csv"), path("l.csv"), path("r.csv"));
        let named = ["--out", &out, "--left-out", &left_out, "--rejects", &rejects].map(str::to_owned);
        let same = ["list.csv", "--as-of", "2026-11-16T12:00:00Z", "--only", "allow"].map(str::to_owned);
        [&same[..], &named].concat()
    };
    let broken: Vec<String> = files("");
    let broken: Vec<&str> = broken.iter().map(String::as_str).collect();
    let mut child = desk.command(&[&MAIL[..], &broken].concat()).spawn().expect("it runs");
    let state = || -> Option<Value> {
        serde_json::from_slice(&std::fs::read(desk.path("o.csv.scrub.json")).ok()?).ok()
    };
    time_until(|| state().is_some_and(|state| state["offset_bytes"].as_u64() > Some(0)));
    child.kill().expect("a live process");
    child.wait().expect("its end");
    let begun = state().expect("a state");
    let length = std::fs::metadata(desk.path("o.csv")).expect("a file").len();
    assert!(length >= begun["out_bytes"].as_u64().expect("a number"));

    desk.mail(&["list.csv", "--only", "deny", "--out", "o.csv"]).ended(2, "was begun with other options");
    desk.mail(&broken).ended(1, "going on after line ");
    assert!(!desk.has("o.csv.scrub.json"));

    std::fs::create_dir(desk.path("whole")).expect("a folder");
    let whole: Vec<String> = files("whole/");
    let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
    desk.mail(&whole).ended(1, "rows: 30,000; ");
    for name in ["o.csv", "l.csv", "r.csv"] {
        assert!(desk.read(name) == desk.read(&format!("whole/{name}")), "{name}: the same bytes");
    }
    assert_eq!(desk.read("r.csv").lines().count(), 32);
}

/// The most that a scrub of the large list may ever hold in memory, in kB: less than its 90 MB.
const MOST_MEMORY_KB: u64 = 64 * 1_024;

#[test]
fn a_large_list_is_scrubbed_in_little_memory() {
    let desk = Desk::with(large(&"x".repeat(3_000)));
    let mut child =
        desk.command(&[&MAIL[..], &["list.csv", "--out", "o.csv"]].concat()).spawn().expect("it runs");
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    let mut peak = 0;
    // However long it takes: a machine may be busy.
    while child.try_wait().expect("a child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default().max(peak);
        std::thread::yield_now();
    }
    Scrubbed::of(child, b"").ended(1, "rows: 30,000; ");
    assert!((1..MOST_MEMORY_KB).contains(&peak), "{peak} kB");
}
