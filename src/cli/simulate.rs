//! `simulate`: asks and tells from standard input, on a clock that follows their `at`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::domain::moment::Moment;
use crate::domain::words::{Verdict, nearest};
use crate::replay::{Outcome, Replay, Step, VERBS};
use crate::wire::answer::{AnswerBody, Instant};
use crate::wire::answered::{self, Answered as Said};
use crate::wire::batch::ProblemLine;
use crate::wire::fields::{described, not_a_moment};
use crate::wire::problem::{FieldError, Problem, ProblemKind};

use super::lines::{self, LONGEST_LINE_BYTES, Line};
use super::report::{Asked, Other, Report};
use super::{Exit, console, load_policy};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy file; without one, the policy that ships with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Another policy: say of each ask what it would have answered, and where the two differ.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Say of each ask what was really answered, as the decision log has it, and where that differs.
    #[arg(long, conflicts_with = "against")]
    answered: bool,
    /// Sum up verdicts by rule, channel and purpose, and what becomes of people: JSON, or Markdown if the name ends in `.md`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let replays = load_policy(arguments.policy.as_ref()).and_then(|policy| {
        Ok((policy, arguments.against.as_ref().map(|file| load_policy(Some(file))).transpose()?))
    });
    let (policy, against) = match replays {
        Ok(policies) => policies,
        Err(exit) => return exit,
    };
    let mut simulation = Simulation {
        replay: Replay::new(policy),
        against: against.map(Replay::new),
        compares_answers: arguments.answered,
        last: None,
        report: arguments.report.as_ref().map(|_| Report::default()),
    };
    let read_and_answer = simulation.run(&mut io::stdin().lock(), &mut BufWriter::new(io::stdout().lock()));
    let reported = read_and_answer.and_then(|()| match (&arguments.report, &simulation.report) {
        (Some(file), Some(report)) => report.write(file),
        _ => Ok(()),
    });
    match reported {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            console::complain(format!("simulate: {error}"));
            Exit::Refused
        }
    }
}

struct Simulation {
    replay: Replay,
    against: Option<Replay>,
    /// Whether answers are compared with those that were really given.
    compares_answers: bool,
    last: Option<Moment>,
    /// Kept only where somebody wants it.
    report: Option<Report>,
}

impl Simulation {
    fn run(&mut self, input: &mut impl io::BufRead, output: &mut impl Write) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let progress = console::line_counter();
        let mut number = 0;
        while let Some(line) = lines::next(input)? {
            progress.inc(1);
            number += 1;
            if matches!(&line, Line::Whole(bytes) if bytes.trim_ascii().is_empty()) {
                continue;
            }
            let answered = runtime.block_on(self.answer(&line, number));
            serde_json::to_writer(&mut *output, &answered)?;
            output.write_all(b"\n")?;
        }
        progress.finish_and_clear();
        output.flush()
    }

    async fn answer(&mut self, line: &Line, number: u64) -> Answered {
        let bad = |at: Value, problem: Problem| Answered {
            at,
            line: number,
            moment: None,
            outcome: Outcome::Problem(Box::new(problem)),
            other: None,
        };
        let value: Value = match line {
            Line::TooLong => {
                let detail = format!("a line may have at most {LONGEST_LINE_BYTES} bytes");
                return bad(Value::Null, Problem::new(ProblemKind::TooLarge, detail));
            }
            Line::Whole(bytes) => match serde_json::from_slice(bytes) {
                Ok(value) => value,
                Err(error) => return bad(Value::Null, Problem::malformed(&error)),
            },
        };
        let at_given = value.get("at").cloned().unwrap_or_default();
        let (at, step, really) = match read(&value) {
            Ok(read) => read,
            Err(problem) => {
                let at = at_given.as_str().and_then(Moment::parse);
                let at = at.map_or(at_given, |at| Value::from(at.to_string()));
                return bad(at, problem);
            }
        };
        if let Some(last) = self.last.filter(|last| at < *last) {
            let detail = format!("{at} comes before {last}, the line before it");
            let error = FieldError { pointer: "/at".to_owned(), detail: detail.clone() };
            let problem = Problem { errors: vec![error], ..Problem::new(ProblemKind::OutOfOrder, detail) };
            return bad(Value::from(at.to_string()), problem);
        }
        self.last = Some(at);
        let outcome = self.replay.step(at, step).await;
        let other = match &mut self.against {
            Some(against) => Some(against.step(at, step).await),
            None => None,
        };
        let really = really.filter(|_| self.compares_answers);
        if let Some(report) = &mut self.report {
            let other = match (&other, &really) {
                (Some(Outcome::Answered { answer, is_repeated }), _) => {
                    Some(Other::Policy { verdict: answer.verdict, is_repeated: *is_repeated })
                }
                (_, Some(really)) => Some(Other::Answered(really.verdict)),
                _ => None,
            };
            match (step, &outcome) {
                (Step::Ask(question), Outcome::Answered { answer, is_repeated }) => {
                    report.add(Asked { at, question, answer, is_repeated: *is_repeated, other });
                }
                (Step::Ask(_), Outcome::Problem(_)) => report.add_problem(),
                _ => {}
            }
        }
        let other = match (other, really) {
            (Some(Outcome::Answered { answer, is_repeated: _ }), _) => Some((AGAINST, Said::of(&answer))),
            (_, Some(really)) => Some((ANSWERED, really)),
            _ => None,
        };
        Answered { at: Value::from(at.to_string()), line: number, moment: Some(at), outcome, other }
    }
}

/// The member that says what another policy would have said.
const AGAINST: &str = "against";
/// The member that says what was really answered, in lines of the decision log and in ours.
const ANSWERED: &str = "answered";

/// The member that says in answer to which request a line was written: for people who follow one.
const REQUEST: &str = "request";

/// Reads `{"at": …, "ask" | "tell" | "put" | "halt" | "erase": …}`; beside an ask may stand what was `answered`, beside
/// anything its `request`.
fn read(line: &Value) -> Result<(Moment, Step<'_>, Option<Said>), Problem> {
    let Value::Object(members) = line else {
        let detail = format!("expected an object, found {}", described(line));
        return Err(Problem::fields(vec![FieldError { pointer: String::new(), detail }]));
    };
    let mut errors = Vec::new();
    let beside_an_ask = members.get(ANSWERED).filter(|_| members.contains_key("ask"));
    let really = beside_an_ask.and_then(|said| answered::read(said, "/answered", &mut errors));
    let mut error =
        |pointer: &str, detail: String| errors.push(FieldError { pointer: pointer.to_owned(), detail });
    let at = match members.get("at") {
        None => {
            error("/at", "is required".to_owned());
            None
        }
        Some(Value::String(text)) => {
            let at = Moment::parse(text);
            if at.is_none() {
                error("/at", not_a_moment(text));
            }
            at
        }
        Some(other) => {
            error("/at", format!("expected a string, found {}", described(other)));
            None
        }
    };
    let is_known = |member: &str| {
        matches!(member, "at" | REQUEST)
            || VERBS.contains(&member)
            || (member == ANSWERED && beside_an_ask.is_some())
    };
    for member in members.keys().filter(|member| !is_known(member)) {
        let hint =
            nearest(member, VERBS).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        error(&format!("/{}", crate::wire::fields::escaped(member)), format!("is not known here{hint}"));
    }
    let mut steps = VERBS.into_iter().filter_map(|verb| Some((verb, members.get(verb)?)));
    let first = steps.next();
    if first.is_none() || steps.next().is_some() {
        error("", format!("expected one of {}", VERBS.map(|verb| format!("`{verb}`")).join(", ")));
    }
    match (at, first.and_then(|(verb, what)| Step::of(verb, what))) {
        (Some(at), Some(step)) if errors.is_empty() => Ok((at, step, really)),
        _ => Err(Problem::fields(errors)),
    }
}

/// One line of output.
struct Answered {
    at: Value,
    /// Which line of the input it is about, the first being 1.
    line: u64,
    moment: Option<Moment>,
    outcome: Outcome,
    /// What the other policy says or what was really answered, and the member that says so.
    other: Option<(&'static str, Said)>,
}

impl Serialize for Answered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.outcome, &self.other) {
            (Outcome::Answered { answer, .. }, None) => {
                AnswerBody { at: self.moment, answer }.serialize(serializer)
            }
            (Outcome::Answered { answer, .. }, Some((member, other))) => {
                let mut body =
                    serde_json::to_value(AnswerBody { at: self.moment, answer }).unwrap_or_default();
                if let Some(members) = body.as_object_mut() {
                    members.insert((*member).to_owned(), compared(other, answer.verdict));
                }
                body.serialize(serializer)
            }
            (Outcome::Stored, _) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("at", &self.at)?;
                map.serialize_entry("stored", &true)?;
                map.end()
            }
            (Outcome::Problem(problem), _) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("at", &self.at)?;
                map.serialize_entry("problem", &ProblemLine { line: self.line, problem })?;
                map.end()
            }
        }
    }
}

/// The other answer, in short.
fn compared(other: &Said, verdict: Verdict) -> Value {
    let mut members = serde_json::Map::new();
    members.insert("verdict".to_owned(), Value::from(other.verdict.name()));
    if let Some(not_before) = other.not_before {
        members
            .insert("not_before".to_owned(), serde_json::to_value(Instant(not_before)).unwrap_or_default());
    }
    members.insert("rules".to_owned(), other.rules.iter().map(|rule| Value::from(&**rule)).collect());
    members.insert("differs".to_owned(), Value::from(verdict != other.verdict));
    Value::Object(members)
}
