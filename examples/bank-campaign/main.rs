//! A bank's telephone campaign as input for `contact-governor simulate`.
//!
//! Reads the UCI *Bank Marketing* file (or one of the same columns) and writes an ask for every call that
//! was made, in order of time. The file says when a client was last called and how often, not when the
//! earlier calls were: [`Pace`] assumes it, and `README.md` says so beside every figure.

mod pace;
mod rows;

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use jiff::Timestamp;
use serde::Serialize;

use pace::{Pace, TIME_ZONE};
use rows::{Bad, Client, Rows};

/// Writes a bank's telephone campaign as asks for `contact-governor simulate`, one JSON line a call.
///
/// FILE is the UCI Bank Marketing data set (`bank-full.csv`) or another `;`-separated file with the columns
/// `day`, `month` and `campaign` and its rows in order of time from 2008 on. A row is a client; `day` and
/// `month` are those of the last call, `campaign` is the number of calls.
///
/// What the file does not say is assumed. A client's calls are spread evenly over the working hours
/// (Monday to Friday, 9 to 20 o'clock in Lisbon, holidays not known) of the --weeks before the last call.
/// The last call is on the day the file gives, at a minute that follows from the client's number. The year
/// is 2008 in the first row and one more wherever the month falls back.
#[derive(Debug, Parser)]
#[command(name = "bank-campaign")]
struct Arguments {
    /// The campaign, one client a row.
    file: PathBuf,
    /// How many weeks a client's calls are spread over.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=52))]
    weeks: u8,
    /// Who speaks. The bank's own calls were made by people.
    #[arg(long, default_value = "human",
        value_parser = ["human", "template", "auto_reply", "ivr", "recorded_voice", "synthetic_voice"])]
    delivery: String,
    /// Write the campaign as one that is planned at this moment: every client's calls moved by whole weeks to just
    /// after it, and asked about in advance. For a governor that is running, which judges by its own clock.
    #[arg(long, value_name = "MOMENT")]
    ahead_of: Option<Timestamp>,
    /// What the words assert, separated by commas. The file has no words, so nothing unless said here.
    #[arg(long, value_delimiter = ',',
        value_parser = ["care", "gratitude", "value", "apology", "urgency", "personal"])]
    claims: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(summary) => {
            complain(summary);
            ExitCode::SUCCESS
        }
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            failure.exit_status()
        }
    }
}

/// A line on standard error.
fn complain(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "bank-campaign: {line}");
}

fn run(arguments: &Arguments) -> Result<Summary, Failure> {
    let pace = Pace::over_weeks(arguments.weeks).map_err(Failure::TimeZone)?;
    if arguments.ahead_of.is_some() && arguments.weeks > MOST_WEEKS_AHEAD {
        return Err(Failure::TooFarAhead);
    }
    let mut summary = Summary::default();
    let mut calls = read_calls(arguments, &pace, &mut summary)?;
    calls.sort_unstable();
    write_asks(&calls, arguments, BufWriter::new(io::stdout().lock())).map_err(Failure::Write)?;
    Ok(summary)
}

/// A governor answers for 90 days ahead.
const MOST_WEEKS_AHEAD: u8 = 10;

/// One call to one client. Ordered by time, and at the same minute by client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    at: Timestamp,
    client: u32,
    /// 1 for the client's first.
    number: u16,
}

fn read_calls(arguments: &Arguments, pace: &Pace, summary: &mut Summary) -> Result<Vec<Call>, Failure> {
    let file = &arguments.file;
    let name = || file.display().to_string();
    let source = File::open(file).map_err(|error| Failure::Open { file: name(), error })?;
    let rows = Rows::read(source).map_err(|bad| Failure::bad_file(name(), bad))?;
    let mut calls = Vec::new();
    for row in rows {
        let client = row.and_then(|client| match arguments.ahead_of {
            None => Ok(client),
            Some(now) => pace.moved(client, now).ok_or_else(|| outside_the_calendar(client)),
        });
        match client.and_then(|client| calls_to(client, pace)) {
            Ok(of_client) => {
                summary.clients += 1;
                summary.calls += of_client.len();
                calls.extend(of_client);
            }
            Err(Bad::Row { line, detail }) => {
                summary.rows_left_out += 1;
                complain(format_args!("line {line}: {detail}; the row is left out"));
            }
            Err(bad) => return Err(Failure::bad_file(name(), bad)),
        }
    }
    Ok(calls)
}

fn calls_to(client: Client, pace: &Pace) -> Result<Vec<Call>, Bad> {
    let call = |number| {
        let at = pace.moment(&client, client.calls - number)?;
        Some(Call { at, client: client.number, number })
    };
    let calls: Option<Vec<Call>> = (1..=client.calls).map(call).collect();
    calls.ok_or_else(|| outside_the_calendar(client))
}

fn outside_the_calendar(client: Client) -> Bad {
    Bad::row(client.line, "the calls lie outside the calendar")
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    ask: Ask<'a>,
}

#[derive(Serialize)]
struct Ask<'a> {
    contact_id: String,
    customer: String,
    channel: &'static str,
    purpose: &'static str,
    delivery: &'a str,
    campaign: &'static str,
    time_zone: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    send_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
}

#[derive(Clone, Copy, Serialize)]
struct Content<'a> {
    claims: &'a [String],
}

fn write_asks(calls: &[Call], arguments: &Arguments, mut output: impl Write) -> io::Result<()> {
    let claims = arguments.claims.as_slice();
    let content = (!claims.is_empty()).then_some(Content { claims });
    for Call { at, client, number } in calls {
        let ask = Ask {
            contact_id: format!("client-{client}-call-{number}"),
            customer: format!("client-{client}"),
            channel: "voice",
            purpose: "marketing",
            delivery: &arguments.delivery,
            campaign: "term-deposit",
            time_zone: TIME_ZONE,
            send_at: arguments.ahead_of.map(|_| at.to_string()),
            content,
        };
        let at = arguments.ahead_of.unwrap_or(*at);
        serde_json::to_writer(&mut output, &Line { at: at.to_string(), ask })?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

/// What was read.
#[derive(Debug, Default)]
struct Summary {
    clients: usize,
    calls: usize,
    rows_left_out: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, calls, rows_left_out } = self;
        write!(out, "{clients} clients, {calls} calls, {rows_left_out} rows left out")
    }
}

/// Why nothing more can be written.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot open `{file}`: {error}")]
    Open { file: String, error: io::Error },
    #[error("`{file}`: {bad}")]
    WrongFile { file: String, bad: Bad },
    #[error("cannot read `{file}`: {bad}")]
    Read { file: String, bad: Bad },
    #[error(
        "with --ahead-of, --weeks may be at most {MOST_WEEKS_AHEAD}: a governor answers for 90 days ahead"
    )]
    TooFarAhead,
    #[error("cannot write: {0}")]
    Write(io::Error),
    #[error("no time zone `{TIME_ZONE}`: {0}")]
    TimeZone(jiff::Error),
}

impl Failure {
    fn bad_file(file: String, bad: Bad) -> Self {
        match bad {
            Bad::Source(_) => Self::Read { file, bad },
            Bad::Columns { .. } | Bad::Row { .. } => Self::WrongFile { file, bad },
        }
    }

    /// 2 for a file that is not there or not of this kind, 1 for what broke on the way.
    fn exit_status(&self) -> ExitCode {
        match self {
            Self::Open { .. } | Self::WrongFile { .. } | Self::TooFarAhead => ExitCode::from(2),
            Self::Read { .. } | Self::Write(_) | Self::TimeZone(_) => ExitCode::FAILURE,
        }
    }
}
