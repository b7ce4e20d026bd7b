//! A disk that is full, and a reader that has seen enough: what was written are whole rows, and it is said why there
//! are no more.

use std::io::{BufRead as _, BufReader};

use super::*;

/// As a mailing, on a disk that takes files of so many bytes.
fn mail_within(desk: &Desk, bytes: usize, arguments: &[&str]) -> Scrubbed {
    let mut command = Command::new("prlimit");
    // The signal that goes with a file that may not grow is ignored, so that writing fails as on a full disk.
    command.arg(format!("--fsize={bytes}")).args([
        "sh",
        "-c",
        "trap '' XFSZ; exec \"$@\"",
        "sh",
        PROGRAM,
        "scrub",
    ]);
    command.args(MAIL).args(arguments).current_dir(desk.folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Scrubbed::of(command.spawn().expect("prlimit"), b"")
}

#[test]
fn under_the_list_whole_rows_stay_and_the_same_command_goes_on() {
    let desk = Desk::with(large(""));
    let files = ["list.csv", "--only", "allow", "--out", "o.csv", "--left-out", "l.csv"];
    desk.mail(&files).ended(1, "rows: 30,000; ");
    let whole = ["o.csv", "l.csv", "o.csv.rejects.csv"].map(|name| desk.read(name).lines().count());
    let room = desk.read("o.csv").len() * 9 / 10;
    let full = mail_within(&desk, room, &files);
    full.ended(
        1,
        "scrub: cannot write `o.csv`: File too large (os error 27); what comes of the list up to line 20,001 is \
         written, and the same command goes on after it",
    );
    let state: Value = serde_json::from_str(&desk.read("o.csv.scrub.json")).expect("a state");
    let list = desk.read("o.csv");
    assert_eq!(list.len() as u64, state["out_bytes"], "cut back to where the same command goes on");
    for rows in [list, desk.read("l.csv")] {
        assert!(rows.ends_with('\n') && !verdicts(&rows).is_empty());
    }
    desk.mail(&files).ended(1, "rows: 30,000; ").ended(1, "going on after line 20,001");
    assert_eq!(["o.csv", "l.csv", "o.csv.rejects.csv"].map(|name| desk.read(name).lines().count()), whole);
}

#[test]
fn under_the_rejects_whole_rows_stay_and_the_same_command_goes_on() {
    let mut list = "customer,fact.purchases,Note\n".to_owned();
    for row in 0..1_500 {
        let _ = writeln!(list, ",{row},{}", "x".repeat(1_000));
    }
    let desk = Desk::with(list);
    let files = ["list.csv", "--out", "o.csv"];
    let full = mail_within(&desk, 800_000, &files);
    full.ended(1, "scrub: cannot write rejects to `o.csv.rejects.csv`: File too large (os error 27)");
    full.ended(1, "up to line 0 is written, and the same command goes on after it");
    let rejects = desk.read("o.csv.rejects.csv");
    assert_eq!((rejects.lines().count(), rejects.ends_with('\n')), (501, true));
    desk.mail(&files).ended(1, "rejected: 1,500");
    let rejects = desk.read("o.csv.rejects.csv");
    let lines: Vec<String> = rejects.lines().skip(1).map(|row| row.split(',').take(2).collect()).collect();
    assert_eq!(lines, (2..=1_501).map(|line| format!("{line}customer: is blank")).collect::<Vec<_>>());
}

#[test]
fn under_everything_else_it_is_said_and_nothing_half_is_left() {
    let desk = Desk::with(large(""));
    // Not even the place can be noted.
    let full = mail_within(&desk, 100, &["list.csv", "--out", "o.csv"]);
    full.ended(1, "cannot write `o.csv.scrub.json`: File too large");
    assert!(!desk.has("o.csv.scrub.json") && !desk.has("o.csv.scrub.json.new"));
    assert_eq!(desk.read("o.csv"), "Name,customer,fact.purchases,Note,verdict,rule,not_before,because\n");
    // Nor the sums.
    let few = Desk::with("customer,fact.purchases\nc-1,1\n");
    let full = mail_within(&few, 100, &["list.csv", "--summary", "s.json"]);
    full.ended(1, "cannot write `s.json`: File too large");
    assert_eq!(few.read("s.json"), "");
    // Nor anything, for good.
    let mut command = desk.command(&[&MAIL[..], &["list.csv"]].concat());
    let nowhere = std::fs::File::options().write(true).open("/dev/full").expect("a device that is full");
    let full = Scrubbed::of(command.stdout(nowhere).spawn().expect("it runs"), b"");
    full.ended(1, "scrub: cannot write to standard output: No space left on device");
}

#[test]
fn whoever_has_seen_enough_of_it_ends_it_quietly() {
    let desk = Desk::with(large(""));
    let mut child = desk.command(&[&MAIL[..], &["list.csv"]].concat()).spawn().expect("it runs");
    let mut seen = String::new();
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    reader.read_line(&mut seen).expect("a line");
    assert!(seen.ends_with(",verdict,rule,not_before,because\n"), "{seen}");
    drop(reader);
    let ended = Scrubbed::of(child, b"");
    ended.ended(0, "");
    let said: Vec<&str> = ended.said.lines().filter(|line| !line.contains("nothing is known of")).collect();
    assert_eq!(said, [] as [&str; 0]);
}
