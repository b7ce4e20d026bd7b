//! `import`: files of consents, suppressions and facts, into a ledger and through a governor.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::proxy::Proxy;
use crate::harness::redis::RedisServer;
use crate::harness::{PROGRAM, Process, time_until};

/// A folder with a file to import and a ledger to import it into.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        std::fs::write(desk.path(name), text).expect("written");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ledger(&self) -> String {
        format!("embedded:{}", self.path("data").display())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What the import has left beside its file, by name.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let mut names: Vec<_> = names.filter(|name| name != "data").collect();
        names.sort_unstable();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("import").args(arguments).current_dir(self.folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn import(&self, arguments: &[&str]) -> Imported {
        Imported::of(&self.command(arguments).output().expect("the program runs"))
    }

    /// Imports into the ledger in the folder.
    fn locally(&self, arguments: &[&str]) -> Imported {
        let ledger = self.ledger();
        self.import(&[arguments, &["--ledger", &ledger]].concat())
    }

    /// A governor on the ledger in the folder.
    fn governor(&self) -> Process {
        Process::start(&["--ledger", &self.ledger()])
    }
}

/// How an import ended, and what it said.
#[derive(Debug)]
struct Imported {
    status: Option<i32>,
    said: String,
}

impl Imported {
    fn of(output: &Output) -> Self {
        let said = String::from_utf8(output.stderr.clone()).expect("text");
        Self { status: output.status.code(), said }
    }

    fn ended(&self, status: i32, expected: &str) {
        assert_eq!(self.status, Some(status), "{}", self.said);
        assert!(self.said.contains(expected), "{}", self.said);
    }
}

fn url(process: &Process) -> String {
    format!("http://{}", process.caller.address())
}

fn customer(process: &Process, id: &str) -> Value {
    let shown = process.caller.get(&format!("/v1/customers/{id}"));
    assert_eq!(shown.status, 200, "{shown:?}");
    shown.body
}

/// Imports a file in both ways, and looks each time at what the governor then shows.
fn both_ways(name: &str, text: &str, arguments: &[&str], look: impl Fn(&Process)) {
    let desk = Desk::with(name, text);
    desk.locally(arguments).ended(0, "rejected: 0; ");
    assert_eq!(desk.names(), [name], "nothing is left beside the file");
    let governor = desk.governor();
    look(&governor);

    let desk = Desk::with(name, text);
    let governor = Process::start(&["--ledger", "memory:"]);
    let through = url(&governor);
    let arguments = [arguments, &["--url", &through]].concat();
    desk.import(&arguments).ended(0, "rejected: 0; ");
    look(&governor);
    // Told again, it counts once.
    let events = customer(&governor, "c-1")["events"].clone();
    desk.import(&arguments).ended(0, "rejected: 0; ");
    assert_eq!(customer(&governor, "c-1")["events"], events);
}

#[test]
fn consents_are_imported_both_ways() {
    let text = concat!(
        "\u{feff}customer,status,channel,purpose,time,expires_at,evidence,notes\r\n",
        "c-1,,email,marketing,2024-05-01T10:00:00+02:00,2030-01-01T00:00:00Z,\"form 7, signed\",\"x\r\ny\"\r\n",
        "c-1,withdrawn,sms,,2024-05-02T10:00:00Z,,,\r\n",
        "\r\n",
        "c-2,granted,,,,,,\r\n",
    );
    both_ways("consents.csv", text, &["consents", "consents.csv"], |governor| {
        let consents = customer(governor, "c-1")["consents"].clone();
        let part = |index: usize| {
            ["channel", "purpose", "granted", "since", "expires_at", "evidence", "source"]
                .map(|name| consents[index][name].clone())
        };
        assert_eq!(
            json!(part(0)),
            json!([
                "email",
                "marketing",
                true,
                "2024-05-01T08:00:00Z",
                "2030-01-01T00:00:00Z",
                "form 7, signed",
                "consents.csv"
            ])
        );
        assert_eq!(
            json!(part(1)),
            json!(["sms", null, false, "2024-05-02T10:00:00Z", null, null, "consents.csv"])
        );
        assert_eq!(customer(governor, "c-2")["consents"][0]["granted"], true);
    });
}

#[test]
fn suppressions_are_imported_both_ways() {
    let text = "ClientId,channel,reason\nc-1,email,asked by phone\nc-2,all,\nc-3,,\n";
    let arguments = [
        "suppressions",
        "robinson.csv",
        "--map",
        "customer=ClientId",
        "--set",
        "purposes=all",
        "--set",
        "source=robinson",
    ];
    both_ways("robinson.csv", text, &arguments, |governor| {
        let suppressions = |id: &str| customer(governor, id)["suppressions"].clone();
        assert_eq!(suppressions("c-1")["channels"]["email"]["purposes"], "all");
        assert_eq!(suppressions("c-1")["all"], false);
        assert_eq!((&suppressions("c-2")["all"], &suppressions("c-3")["all"]), (&json!(true), &json!(true)));
    });
}

#[test]
fn facts_are_imported_both_ways() {
    let text = concat!(
        "customer,purchases,post_code,vip,spend,as_of,Ort\n",
        "c-1,12,01234,true,3.5,2026-01-01,Köln\n",
        "c-1,13,,,,2026-01-02,\n",
        "a/b c%é.,,99999,,,2026-01-01,Rome\n",
        "c-3,,,,,2026-01-01,\n",
    );
    let arguments = ["facts", "facts.csv", "--text", "post_code", "--map", "city=Ort"];
    both_ways("facts.csv", text, &arguments, |governor| {
        let facts = customer(governor, "c-1")["facts"].clone();
        let dated =
            |value: Value, day: &str| json!({"value": value, "as_of": format!("2026-01-0{day}T00:00:00Z")});
        assert_eq!(
            facts,
            json!({
                "purchases": dated(json!(13), "2"),
                "post_code": dated(json!("01234"), "1"),
                "vip": dated(json!(true), "1"),
                "spend": dated(json!(3.5), "1"),
                "city": dated(json!("Köln"), "1"),
            })
        );
        let other = customer(governor, "a%2Fb%20c%25%C3%A9%2E");
        assert_eq!(
            (&other["customer"], &other["facts"]["post_code"]["value"]),
            (&json!("a/b c%é."), &json!("99999"))
        );
    });
}

/// A file with every way to be broken in the middle, and its rejects.
const BROKEN: &[u8] = b"Client,channel,time,status\n\
    c-1,email,2024-05-01T10:00:00Z,granted\n\
    c-2,\"email,2024-05-01T10:00:00Z,granted\n\
    c-3,email,2024-05-01T10:00:00Z\n\
    c-4,em\xffail,2024-05-01T10:00:00Z,granted\n\
    c-5,fax,yesterday,granted\n\
    ,email,2024-05-01T10:00:00Z,granted\n\
    c-7,email,2024-05-01T10:00:00Z,given\n\
    c-8,email,2999-05-01T10:00:00Z,granted\n\
    c-9,\"email\",2024-05-01T10:00:00Z,granted\n\
    c-10,email,2024-05-01T10:00:00Z,granted,x\n\
    c-11,email,2024-05-01T10:00:00Z,granted\n";

const REJECTED: &[u8] = b"line,reason,Client,channel,time,status\n\
    3,a quote is opened here and never closed,\"c-2,\"\"email,2024-05-01T10:00:00Z,granted\",,,\n\
    4,it has only 3 of the header's 4 fields,c-3,email,2024-05-01T10:00:00Z,\n\
    5,field 2 is not UTF-8,c-4,em\xffail,2024-05-01T10:00:00Z,granted\n\
    6,\"time: `yesterday` is not an RFC 3339 date-time with an offset, such as `2026-11-21T18:00:00Z`; \
    channel: `fax` is none of `email`, `sms`, `voice`, `mail`\",c-5,fax,yesterday,granted\n\
    7,Client: is blank,,email,2024-05-01T10:00:00Z,granted\n\
    8,\"status: `given` is none of `granted`, `withdrawn`, `pending`\",c-7,email,2024-05-01T10:00:00Z,given\n\
    9,time: lies more than 5 minutes ahead,c-8,email,2999-05-01T10:00:00Z,granted\n\
    11,it has 5 fields where the header has 4,c-10,email,2024-05-01T10:00:00Z,granted,x\n";

#[test]
fn broken_rows_cost_only_themselves_and_are_told_with_their_reasons() {
    let arguments = ["consents", "broken.csv", "--map", "customer=Client"];
    let expected = "rows stored: 3, rejected: 8 (in `broken.csv.rejects.csv`); ";
    let look = |desk: &Desk, governor: &Process| {
        let rejects = std::fs::read(desk.path("broken.csv.rejects.csv")).expect("rejects");
        assert_eq!(String::from_utf8_lossy(&rejects), String::from_utf8_lossy(REJECTED));
        assert_eq!(rejects, REJECTED);
        for id in ["c-1", "c-9", "c-11"] {
            assert_eq!(customer(governor, id)["consents"][0]["channel"], "email", "{id}");
        }
        for id in ["c-2", "c-3", "c-4", "c-5", "c-7", "c-8", "c-10"] {
            assert_eq!(customer(governor, id)["events"], 0, "{id}");
        }
        assert_eq!(desk.names(), ["broken.csv", "broken.csv.rejects.csv"]);
    };
    let desk = Desk::with("broken.csv", BROKEN);
    desk.locally(&arguments).ended(1, expected);
    look(&desk, &desk.governor());

    let desk = Desk::with("broken.csv", BROKEN);
    let governor = Process::start(&["--ledger", "memory:"]);
    desk.import(&[&arguments[..], &["--url", &url(&governor)]].concat()).ended(1, expected);
    look(&desk, &governor);
}

#[test]
fn rejects_that_were_put_right_are_imported_as_they_are() {
    let desk = Desk::with("s.csv", "customer,channel,reason\nc-1,emial,by phone\nc-2,sms,\n");
    desk.locally(&["suppressions", "s.csv"]).ended(1, "rows stored: 1, rejected: 1 ");
    let rejects = desk.read("s.csv.rejects.csv");
    assert!(rejects.contains("did you mean `email`?"), "{rejects}");
    std::fs::write(desk.path("s.csv.rejects.csv"), rejects.replace("c-1,emial", "c-1,email"))
        .expect("written");
    let again = desk.locally(&["suppressions", "s.csv.rejects.csv"]);
    again.ended(0, "these are rejects; their first two columns are passed over");
    let governor = desk.governor();
    assert!(customer(&governor, "c-1")["suppressions"]["channels"]["email"].is_object());
}

#[test]
fn facts_that_cannot_be_are_rejected_by_their_headers() {
    let text = format!(
        "customer,time_zone,since,Wohn/Ort\nc-1,Mars/Olympus,,x\nc-2,Europe/Rome,noon,y\nc-3,,,{}\n{},,,x\n",
        "z".repeat(1_025),
        "c".repeat(257)
    );
    let expected = [
        "2,time_zone: ",
        "3,\"since: `noon` is not an RFC 3339 date-time",
        "4,Wohn/Ort: may have at most 1024 characters",
        "5,customer: may have at most 256 characters",
    ];
    let arguments = ["facts", "f.csv", "--map", "as_of=since"];
    let governor = Process::start(&["--ledger", "memory:"]);
    for way in [&["--ledger", "memory:"], &["--url", url(&governor).as_str()]] {
        let desk = Desk::with("f.csv", &text);
        desk.import(&[&arguments[..], way].concat()).ended(1, "rows stored: 0, rejected: 4 ");
        let rejects = desk.read("f.csv.rejects.csv");
        for (line, expected) in rejects.lines().skip(1).zip(expected) {
            assert!(line.starts_with(expected), "{line}");
        }
    }
}

#[test]
fn a_governor_that_takes_little_at_once_gets_little_at_once() {
    let mut text = "customer,channel,evidence\n".to_owned();
    for row in 0..300 {
        let evidence = if row == 150 { "e".repeat(1_024) } else { String::new() };
        let _ = writeln!(text, "c-{row},email,{evidence}");
    }
    let desk = Desk::with("c.csv", text);
    let governor = Process::start_with(&[("HTTP__MAX_BODY_BYTES", "1024")], &["--ledger", "memory:"]);
    let imported = desk.import(&["consents", "c.csv", "--url", &url(&governor)]);
    imported.ended(1, "rows stored: 299, rejected: 1 ");
    let rejects = desk.read("c.csv.rejects.csv");
    assert!(rejects.contains("\n152,a body may have at most 1024 bytes,c-150,email,eee"), "{rejects}");
}

#[test]
fn columns_that_are_not_understood_are_named_before_anything_is_stored() {
    let cases: &[(&str, &[&str], &str)] = &[
        (
            "Customer,channel\n",
            &["consents"],
            "there is no column `customer`, but `Customer`, `channel`; did you mean `Customer`?",
        ),
        (
            "customer,chanel\n",
            &["consents"],
            "the column `chanel` is not known here; did you mean `channel`? Then say --map channel=chanel",
        ),
        (
            "customer,x\n",
            &["consents", "--map", "chanel=x"],
            "--map chanel: consents have no such column, but `customer`, `status`, `channel`, `purpose`, `time`, \
             `evidence`, `source`, `expires_at`; did you mean `channel`?",
        ),
        (
            "ClientId,x\n",
            &["suppressions", "--map", "customer=ClientID"],
            "the file has no column `ClientID`, but `ClientId`, `x`; did you mean `ClientId`?",
        ),
        ("customer,source\n", &["consents", "--set", "source=x"], "--set is for what it lacks"),
        ("customer,channel,channel\n", &["consents"], "the header names `channel` twice"),
        ("customer,,x\n", &["facts"], "column 2 has no name"),
        ("customer,x\n", &["facts", "--text", "y"], "--text y: no fact comes from a column `y`"),
        ("", &["facts"], "it is empty; the first row must name the columns"),
    ];
    for (text, arguments, expected) in cases {
        let desk = Desk::with("f.csv", text);
        let kind = [arguments[0], "f.csv", "--ledger", "memory:"];
        desk.import(&[&kind, &arguments[1..]].concat()).ended(2, expected);
        assert_eq!(desk.names(), ["f.csv"]);
    }
    let desk = Desk::with("f.csv", "customer,remark\nc-1,x\n");
    let said = desk.import(&["consents", "f.csv", "--ledger", "memory:"]);
    said.ended(0, "consents know nothing of `remark`; ignored");
    for arguments in [&["cosents", "f.csv"][..], &["consents"], &["consents", "f.csv", "--map", "x"]] {
        assert_eq!(desk.import(arguments).status, Some(2), "{arguments:?}");
    }
    desk.import(&["consents", "f.csv", "--ledger", "memory:", "--rejects", "f.csv"]).ended(2, "--rejects");
    desk.import(&["consents", "absent.csv", "--ledger", "memory:"]).ended(1, "cannot open `absent.csv`");
}

#[test]
fn a_ledger_that_somebody_has_is_left_to_them() {
    let desk = Desk::with("c.csv", "customer\nc-1\n");
    let governor = desk.governor();
    desk.locally(&["consents", "c.csv"]).ended(1, "import through it: --url http://");
    assert_eq!(desk.names(), ["c.csv"]);
    desk.import(&["consents", "c.csv", "--url", &url(&governor)]).ended(0, "rows stored: 1, ");
}

/// Rows for the tests of resuming, some of them bad, and the ids in them.
fn many_rows() -> String {
    let mut text = "customer,channel,purpose\n".to_owned();
    for row in 0..MANY {
        let channel = if row % 97 == 50 { "fax" } else { "email" };
        let _ = writeln!(text, "c-{},{channel},marketing", row % (MANY / 2));
    }
    text
}

const MANY: usize = 2_000;

/// What a governor shows of every customer: consents without their moment, and the number of events.
fn everybody(governor: &Process) -> Vec<(Value, Value, Value)> {
    (0..MANY / 2)
        .map(|id| {
            let mut shown = customer(governor, &format!("c-{id}"));
            let since = shown["consents"][0]["since"].take();
            (shown["consents"].clone(), shown["events"].clone(), since)
        })
        .collect()
}

fn without_moments(everybody: &[(Value, Value, Value)]) -> Vec<(&Value, &Value)> {
    everybody.iter().map(|(consents, events, _)| (consents, events)).collect()
}

#[test]
fn killed_in_the_middle_it_goes_on_to_the_same_end() {
    let whole = Desk::with("m.csv", many_rows());
    whole.locally(&["consents", "m.csv"]).ended(1, "rows stored: 1,979, rejected: 21 ");
    let expected = everybody(&whole.governor());

    let desk = Desk::with("m.csv", many_rows());
    let governor = desk.governor();
    let proxy = Proxy::to(governor.caller.address().port());
    let through = format!("http://127.0.0.1:{}", proxy.port);
    let arguments = ["consents", "m.csv", "--url", &through];
    // Some of the second chunk gets through, and nothing comes back.
    proxy.cut_after(300_000);
    let mut child = desk.command(&arguments).spawn().expect("the program runs");
    proxy.wait_until_cut();
    child.kill().expect("a live process");
    child.wait().expect("its end");
    let state: Value = serde_json::from_str(&desk.read("m.csv.import.json")).expect("JSON");
    let rows =
        state["rows_stored"].as_u64().expect("a number") + state["rows_rejected"].as_u64().expect("a number");
    assert_eq!(rows, 500, "{state}");
    // What was written beyond the last noted place is cut off.
    let rejects = desk.read("m.csv.rejects.csv");
    std::fs::write(desk.path("m.csv.rejects.csv"), format!("{rejects}2999,half a r")).expect("written");

    proxy.mend();
    desk.import(&arguments).ended(1, "going on after line 501; rows stored before: 495");
    assert_eq!(desk.read("m.csv.rejects.csv"), whole.read("m.csv.rejects.csv"));
    assert_eq!(desk.names(), ["m.csv", "m.csv.rejects.csv"]);
    let came = everybody(&governor);
    assert_eq!(without_moments(&came), without_moments(&expected));
    assert!(came.iter().all(|(_, _, since)| *since == state["begun"]), "one import, one moment");
}

#[test]
fn where_the_ledger_goes_away_it_stops_and_later_goes_on_unless_the_file_has_changed() {
    let desk = Desk::with("m.csv", many_rows());
    let redis = RedisServer::start(&[]);
    let wire = Proxy::to(redis.port);
    let through = wire.url();
    let arguments = ["consents", "m.csv", "--ledger", &through];
    wire.cut_after(CUT_AFTER_BYTES);
    let stopped = desk.import(&arguments);
    stopped.ended(1, "; the same command goes on after them");
    assert!(stopped.said.contains("import: stopped at line "), "{}", stopped.said);

    wire.mend();
    let other = ["consents", "m.csv", "--ledger", &through, "--set", "source=x"];
    desk.import(&other).ended(2, "it was begun with other options");
    std::fs::write(desk.path("m.csv"), format!("{}c-x,email,marketing\n", many_rows())).expect("written");
    desk.import(&arguments).ended(2, "the file has changed since. With --restart");
    std::fs::write(desk.path("m.csv"), many_rows()).expect("written");
    desk.import(&arguments).ended(1, "going on after line");
    let governor = Process::start(&["--ledger", &redis.url()]);
    let came = everybody(&governor);
    let since = &came[0].2;
    assert!(came.iter().all(|(consents, _, moment)| consents[0]["granted"] == true && moment == since));
    let good = (0..MANY).filter(|row| row % 97 != 50).count() as u64;
    assert_eq!(came.iter().map(|(_, events, _)| events.as_u64().expect("a count")).sum::<u64>(), good);
}

/// Enough for a chunk of rows into Redis, and not for all.
const CUT_AFTER_BYTES: usize = 500_000;

#[test]
fn a_governor_that_is_not_there_is_said_so() {
    let desk = Desk::with("c.csv", "customer\nc-1\n");
    let nobody = url(&Process::start(&["--ledger", "memory:"]));
    desk.import(&["consents", "c.csv", "--url", &nobody]).ended(1, "stopped at line 2: cannot reach http://");
    // Nothing was stored yet, and so another way may be taken.
    desk.import(&["consents", "c.csv", "--ledger", "memory:"]).ended(0, "rows stored: 1, ");
}

#[test]
fn a_place_that_cannot_be_noted_is_said_before_anything_is_stored() {
    let desk = Desk::with("c.csv", "customer\nc-1\n");
    std::fs::create_dir(desk.path("c.csv.import.json.new")).expect("a folder in the way");
    desk.locally(&["consents", "c.csv"]).ended(1, "an import notes its place beside its file");
    std::fs::write(desk.path("c.csv.rejects.csv"), "my own file\n").expect("written");
    std::fs::remove_dir(desk.path("c.csv.import.json.new")).expect("removed");
    desk.locally(&["consents", "c.csv"]).ended(1, "it is no rejects file, and would be overwritten");
    assert_eq!(customer(&desk.governor(), "c-1")["events"], 0);
}

/// The most an import may ever hold in memory, in kB: less than its file, and twice what it was measured to.
const MOST_MEMORY_KB: u64 = 56 * 1_024;

/// The peak resident memory of a process that is still there, in kB.
fn peak_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[test]
fn a_large_file_is_imported_in_little_memory() {
    let mut text = "customer,a,b\n".to_owned();
    let cell = "x".repeat(1_000);
    while text.len() < 60 * 1_024 * 1_024 {
        let _ = writeln!(text, "c-{},{cell},{cell}", text.len() % 7);
    }
    let desk = Desk::with("large.csv", &text);
    let mut child =
        desk.command(&["facts", "large.csv", "--ledger", "memory:"]).spawn().expect("the program runs");
    let mut peak = 0;
    time_until(|| {
        peak = peak_kb(child.id()).unwrap_or_default().max(peak);
        child.try_wait().expect("a child").is_some()
    });
    let imported = Imported::of(&child.wait_with_output().expect("its end"));
    imported.ended(0, "rejected: 0; ");
    assert!((1..MOST_MEMORY_KB).contains(&peak), "{peak} kB");
}
