//! Whatever is wrong with a list is said with its line, and costs that line only.

use super::*;

const FIFTY_MEGABYTES: usize = 50 << 20;

#[test]
fn a_line_of_fifty_megabytes_costs_only_itself() {
    let long = "x".repeat(FIFTY_MEGABYTES);
    let desk = Desk::with(format!("customer,fact.purchases\nc-1,1\nc-2,{long}\nc-3,1\n"));
    let scrubbed = desk.mail(&["list.csv"]);
    scrubbed.ended(1, "rejected: 1");
    assert_eq!(scrubbed.verdicts(), ["c-1 allow", "c-3 allow"]);
    let rejects = desk.read("list.csv.rejects.csv");
    assert_eq!(rejects.lines().nth(1), Some("3,a row may have at most 65536 bytes,,"));

    desk.write("h.csv", format!("customer,channel,at\nc-1,mail,2026-01-01\nc-1,{long},2026-01-01\n"));
    desk.write("list.csv", "customer,fact.purchases\nc-1,1\n");
    let refused = desk.mail(&["list.csv", "--history", "h.csv"]);
    refused.ended(1, "rows that are no contact: 1; nothing is judged by half a history");
    refused.ended(1, "scrub: line 3: a row may have at most 65536 bytes");
    assert_eq!(refused.list, "");
}

#[test]
fn a_header_that_lacks_what_is_mapped_is_said_before_anything_is_written() {
    let desk = Desk::with("Kunde,fact.purchases\nc-1,1\n");
    let lacking = desk.mail(&["list.csv", "--map", "customer=kunde", "--out", "o.csv"]);
    lacking.ended(2, "--map customer=kunde: the file has no column `kunde`, but `Kunde`, `fact.purchases`");
    lacking.ended(2, "did you mean `Kunde`?");
    desk.write("h.csv", "who,channel,at\n");
    let lacking = desk.mail(&[
        "list.csv",
        "--map",
        "customer=Kunde",
        "--history",
        "h.csv",
        "--map-history",
        "customer=Who",
    ]);
    lacking.ended(2, "--map customer=Who: the file has no column `Who`, but `who`, `channel`, `at`");
    for name in ["o.csv", "o.csv.scrub.json", "o.csv.rejects.csv"] {
        assert!(!desk.has(name), "{name}");
    }
    desk.write("list.csv", "Kunde,Kunde,fact.purchases\nc-1,c-2,1\n");
    desk.mail(&["list.csv", "--map", "customer=Kunde"]).ended(2, "the header names `Kunde` twice");
}

#[test]
fn broken_quotes_and_mixed_encodings_cost_only_their_lines() {
    let desk = Desk::with(
        [
            &b"customer,fact.purchases,Name\n"[..],
            b"c-1,1,Ren\xc3\xa9e\n",
            b"c-2,1,Ren\xe9e\n",
            b"c-3,1,\"Ada\n",
            b"c-4,1,\"Ada\" Byron\n",
            b"c-5,1,\"Ada\nByron\"\n",
            b"c-6,1,\x00\n",
            b"c-7,1,Zo\xeb\n",
        ]
        .concat(),
    );
    let scrubbed = desk.mail(&["list.csv"]);
    scrubbed.ended(1, "rejected: 4");
    assert_eq!(scrubbed.verdicts(), ["c-1 allow", "c-5 allow", "c-6 allow"]);
    let rejects = std::fs::read(desk.path("list.csv.rejects.csv")).expect("rejects");
    let rejects = String::from_utf8_lossy(&rejects).into_owned();
    let reasons: Vec<&str> =
        rejects.lines().skip(1).map(|row| row.split(",c-").next().expect("a part")).collect();
    assert_eq!(
        reasons,
        [
            "3,field 3 is not UTF-8",
            "4,a quote is opened here and never closed,\"c-3,1,\"\"Ada\",,",
            "5,a quote is opened here and never closed,\"c-4,1,\"\"Ada\"\" Byron\",,",
            "9,field 3 is not UTF-8",
        ]
    );
    let utf_16: Vec<u8> = "\u{feff}customer\nc-1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("list.csv", utf_16);
    desk.mail(&["list.csv"]).ended(2, "`list.csv`: it is written in UTF-16; save it as UTF-8");
}

#[test]
fn ids_that_come_twice_are_one_contact_or_a_problem_whoever_judges() {
    let desk = Desk::with(concat!(
        "contact_id,customer,fact.purchases,campaign\n",
        "m-1,c-1,1,\n",
        "m-1,c-1,1,\n",
        "m-1,c-1,1,other\n",
        "m-1,c-2,1,\n",
        "m-2,c-1,1,\n",
        "m-3,c-1,1,\n",
    ));
    let policy = desk.path("p.toml");
    let policy = policy.to_str().expect("a path");
    let governor = Process::start(&["--ledger", "memory:", "--policy", policy]);
    let through = url(&governor);
    drop(Process::start(&["--ledger", &format!("embedded:{}", desk.path("data").display())]));
    for arguments in [
        &[][..],
        &["--url", &through],
        &["--url", &through, "--reserve"],
        &["--ledger", "embedded:data"],
        &["--ledger", "embedded:data", "--reserve"],
    ] {
        let scrubbed = desk.mail(&[&["list.csv"][..], arguments].concat());
        scrubbed.ended(1, "rejected: 1");
        let expected = ["m-1 allow", "m-1 allow", "m-1 allow", "m-2 allow", "m-3 defer two-a-month"];
        assert_eq!(scrubbed.verdicts(), expected, "{arguments:?}");
        let rejects = desk.read("list.csv.rejects.csv");
        let rejected = rejects.lines().nth(1).expect("a row");
        assert!(
            rejected.starts_with("4,contact_id: a contact_id is unique within one customer"),
            "{arguments:?}: {rejected}"
        );
    }
}
