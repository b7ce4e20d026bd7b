//! `--history`: what customers were sent before, out of a CSV file into a ledger in memory.
//!
//! Every row must be sound: one that is left out would be a contact too many for somebody.

use std::path::Path;

use csv::StringRecord;
use serde_json::{Map, Value, json};

use crate::cli::columns::{CUSTOMER, Columns, Others, Pair, Said, Vocabulary, steps};
use crate::cli::failure::{Failure, failed, misused};
use crate::cli::input::Input;
use crate::cli::rows::Rows;
use crate::domain::event::EventKind;
use crate::domain::moment::Moment;
use crate::domain::wall_clock::Day;
use crate::gate::Gate;
use crate::gate::tell::Told;
use crate::wire::event;

const AT: &str = "at";
/// What a contact may be tagged with.
const TAGS: [&str; 9] =
    ["contact_id", "channel", "purpose", "delivery", "campaign", "category", "brand", "subject", "sender"];
const CONTACTS: Vocabulary = Vocabulary {
    holds: "contacts",
    known: &[
        CUSTOMER,
        "channel",
        AT,
        "contact_id",
        "purpose",
        "delivery",
        "campaign",
        "category",
        "brand",
        "subject",
        "sender",
    ],
    required: &[CUSTOMER, "channel", AT],
    others: Others::Ignored,
};

/// How many are told at once.
const CHUNK: usize = 500;
/// The bad rows that are named; the rest are only counted.
const MOST_NAMED: usize = 20;

/// Tells the gate of every contact in a file.
pub async fn load(gate: &Gate, path: &Path, maps: &[Pair], now: Moment) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| failed("read", path, &error);
    let input = Input::open(path).map_err(|error| failed("open", path, &error))?;
    let mut rows = Rows::open(input).map_err(|error| misused(format!("`{}`: {error}", path.display())))?;
    let said = Said { maps, sets: &[], texts: &[] };
    let columns = Columns::find(CONTACTS, rows.header(), said)
        .map_err(|mistakes| misused(format!("`{}`: {}", path.display(), mistakes.join("\nscrub: "))))?;
    let mut bad = Vec::new();
    let mut count = 0_usize;
    let mut told: Vec<Told> = Vec::with_capacity(CHUNK);
    while let Some(row) = rows.next_row().map_err(unreadable)? {
        let read = match &row.fields {
            Ok(fields) => read(gate, &columns, row.line, fields, now),
            Err(broken) => Err(broken.fault.to_string()),
        };
        match read {
            Ok(one) => told.push(one),
            Err(reason) => {
                count += 1;
                if bad.len() < MOST_NAMED {
                    bad.push(format!("line {}: {reason}", row.line));
                }
            }
        }
        if told.len() == CHUNK {
            tell(gate, &mut told, now).await?;
        }
    }
    tell(gate, &mut told, now).await?;
    if bad.is_empty() {
        return Ok(());
    }
    let why = format!(
        "`{}`: rows that are no contact: {count}; nothing is judged by half a history\nscrub: {}",
        path.display(),
        bad.join("\nscrub: ")
    );
    Err(Failure { exit: crate::cli::Exit::Refused, why })
}

async fn tell(gate: &Gate, told: &mut Vec<Told>, now: Moment) -> Result<(), Failure> {
    gate.tell(told, now)
        .await
        .map_err(|error| Failure { exit: crate::cli::Exit::Refused, why: error.to_string() })?;
    told.clear();
    Ok(())
}

fn read(
    gate: &Gate,
    columns: &Columns,
    line: u64,
    fields: &StringRecord,
    now: Moment,
) -> Result<Told, String> {
    let Some(customer) = columns.get(CUSTOMER, fields) else {
        return Err(format!("{}: is blank", columns.called(CUSTOMER)));
    };
    let Some(at) = columns.get(AT, fields) else {
        return Err(format!("{}: is blank", columns.called(AT)));
    };
    // Of a letter often only the day is known.
    let at = Day::parse(at)
        .map_or_else(|| at.to_owned(), |day| gate.policy().company.zone.start_of(day).to_string());
    let tags: Map<String, Value> = TAGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), Value::from(columns.get(name, fields)?))))
        .collect();
    let event = json!({
        "specversion": "1.0", "source": "scrub:history", "id": line.to_string(), "type": EventKind::ContactSent.name(),
        "subject": customer, "time": at, "data": tags,
    });
    let mut errors = Vec::new();
    event::read(&event, "", &gate.policy(), now, None, &mut errors).ok_or_else(|| {
        columns.reason(&errors, |pointer| {
            let mut steps = steps(pointer);
            match steps.next()?.as_str() {
                "data" => steps.next(),
                "subject" => Some(CUSTOMER.to_owned()),
                "time" => Some(AT.to_owned()),
                other => Some(other.to_owned()),
            }
        })
    })
}
