//! Scenario files: a policy, and steps in time with what is expected of each. The operator's unit tests
//! of a policy, and the project's own of its promises.
//!
//! ```toml
//! [policy]                       # or: policy = "path/from/this/file.toml"
//! time_zone = "Europe/Paris"
//!
//! [[steps]]
//! at = "2026-11-21T10:00:00Z"
//! ask = { customer = "c", channel = "email", purpose = "marketing", delivery = "template" }
//! expect = { verdict = "allow" }
//! ```
//!
//! `expect` knows `verdict`, `rules` (the ids in `reasons`, in order), `advice` (likewise),
//! `not_before`, `problem` (a problem's name) and `answer` (members the answer must have). A step
//! without `expect` must only not be a problem.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::domain::answer::Reason;
use crate::domain::moment::Moment;
use crate::domain::words::Verdict;
use crate::policy::Policy;
use crate::policy::compile::{compile, compile_table};
use crate::policy::shape::did_you_mean;
use crate::replay::{Outcome, Replay, Step, VERBS};
use crate::wire::answer::AnswerBody;

/// A scenario, read.
pub struct Scenario {
    policy: Arc<Policy>,
    steps: Vec<Written>,
}

/// The keys of a scenario file.
const KEYS: [&str; 3] = ["about", "policy", "steps"];

/// One step as written, with the line it begins on.
struct Written {
    line: usize,
    at: Moment,
    verb: &'static str,
    what: Value,
    expect: Option<Value>,
}

/// How a scenario went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    pub steps: usize,
    /// Each step that did not go as expected, in a sentence.
    pub failures: Vec<String>,
}

/// The sentence a scenario proves: its file's name.
#[must_use]
pub fn sentence(file: &Path) -> String {
    file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().replace('-', " "))
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn read(file: &Path) -> Result<Self, Vec<String>> {
        let text =
            std::fs::read_to_string(file).map_err(|error| vec![format!("{}: {error}", file.display())])?;
        Self::parse(file, &text)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Vec<String>> {
        let name = file.display().to_string();
        let table = DeTable::parse(text).map_err(|error| {
            vec![format!(
                "{name}:{}: {}",
                line(text, error.span().map_or(0, |span| span.start)),
                error.message()
            )]
        })?;
        let mut mistakes = Vec::new();
        for key in table.get_ref().keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let hint = did_you_mean(key.get_ref(), KEYS);
                mistakes.push(format!(
                    "{name}:{}: unknown key `{}`{hint}",
                    line(text, key.span().start),
                    key.get_ref()
                ));
            }
        }
        let policy = read_policy(file, &name, text, table.get_ref());
        let policy = policy.map_err(|found| mistakes.extend(found)).ok();
        let mut steps = Vec::new();
        let written = table.get_ref().get("steps").and_then(|steps| steps.get_ref().as_array());
        for step in written.into_iter().flatten() {
            let line = line(text, step.span().start);
            match read_step(line, step.get_ref()) {
                Ok(step) => steps.push(step),
                Err(mistake) => mistakes.push(format!("{name}:{line}: {mistake}")),
            }
        }
        match policy {
            Some(policy) if mistakes.is_empty() => Ok(Self { policy: Arc::new(policy), steps }),
            Some(_) | None => Err(mistakes),
        }
    }

    /// Takes every step, and says which did not go as expected.
    pub async fn run(&self) -> Run {
        let mut replay = Replay::new(Arc::clone(&self.policy));
        let mut run = Run::default();
        let mut last = None;
        for step in &self.steps {
            run.steps += 1;
            let failure = |what: String| format!("line {}, {} at {}: {what}", step.line, step.verb, step.at);
            if last.is_some_and(|last| step.at < last) {
                run.failures.push(failure("goes back in time".to_owned()));
                continue;
            }
            last = Some(step.at);
            let Some(taken) = Step::of(step.verb, &step.what) else {
                run.failures.push(failure("is no step".to_owned()));
                continue;
            };
            let outcome = replay.step(step.at, taken).await;
            run.failures.extend(disappointments(step.expect.as_ref(), &outcome).into_iter().map(failure));
        }
        run
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

fn read_policy(file: &Path, name: &str, text: &str, table: &DeTable<'_>) -> Result<Policy, Vec<String>> {
    let Some(written) = table.get("policy") else {
        return Err(vec![format!("{name}:1: missing key `policy`: a path, or a policy's own keys")]);
    };
    let by_line = |mistakes: crate::policy::mistakes::Mistakes| -> Vec<String> {
        mistakes.to_string().lines().map(str::to_owned).collect()
    };
    match written.get_ref() {
        DeValue::String(path) => {
            let path = file.parent().unwrap_or_else(|| Path::new("")).join(path.as_ref());
            let text = std::fs::read_to_string(&path)
                .map_err(|error| vec![format!("{}: {error}", path.display())])?;
            compile(&path.display().to_string(), &text).map_err(by_line)
        }
        DeValue::Table(policy) => {
            let place = toml::Spanned::new(written.span(), policy.clone());
            compile_table(name, text, place, text.as_bytes()).map_err(by_line)
        }
        _ => Err(vec![format!(
            "{name}:{}: `policy` is a path, or a policy's own keys",
            line(text, written.span().start)
        )]),
    }
}

fn read_step(line: usize, step: &DeValue<'_>) -> Result<Written, String> {
    let Value::Object(mut members) = to_json(step) else {
        return Err("a step is a table".to_owned());
    };
    let at = members.remove("at").ok_or("a step needs `at`")?;
    let at = at
        .as_str()
        .and_then(Moment::parse)
        .ok_or_else(|| format!("`at` is {at}, not an RFC 3339 date-time"))?;
    let expect = members.remove("expect");
    let mut verbs = VERBS.into_iter().filter_map(|verb| Some((verb, members.remove(verb)?)));
    let Some((verb, what)) = verbs.next() else {
        return Err(format!("a step needs one of {}", VERBS.join(", ")));
    };
    if let Some((other, _)) = verbs.next() {
        return Err(format!("a step is one thing, not `{verb}` and `{other}`"));
    }
    drop(verbs);
    if let Some(unknown) = members.keys().next() {
        return Err(format!("unknown key `{unknown}` in a step"));
    }
    if let Some(expect) = &expect {
        check_expectation(verb, expect)?;
    }
    Ok(Written { line, at, verb, what, expect })
}

const EXPECTATIONS: [&str; 6] = ["verdict", "rules", "advice", "not_before", "problem", "answer"];

fn check_expectation(verb: &str, expect: &Value) -> Result<(), String> {
    let members = expect.as_object().ok_or("`expect` is a table")?;
    for (key, value) in members {
        let sound = match key.as_str() {
            "verdict" => value.as_str().is_some_and(|verdict| Verdict::parse(verdict).is_some()),
            "rules" | "advice" => value.as_array().is_some_and(|ids| ids.iter().all(Value::is_string)),
            "not_before" => value.as_str().is_some_and(|moment| Moment::parse(moment).is_some()),
            "problem" => value.is_string(),
            "answer" => value.is_object(),
            _ => return Err(format!("unknown expectation `{key}`{}", did_you_mean(key, EXPECTATIONS))),
        };
        if !sound {
            return Err(format!("`{key}` cannot be {value}"));
        }
        if verb != "ask" && key != "problem" {
            return Err(format!("a {verb} has no answer, so no `{key}` to expect"));
        }
    }
    Ok(())
}

/// TOML as JSON; dates and times become the strings they are written as.
fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
        DeValue::Array(values) => values.iter().map(|value| to_json(value.get_ref())).collect(),
        DeValue::Table(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())))
                .collect(),
        ),
    }
}

/// What about the outcome is not as expected.
fn disappointments(expect: Option<&Value>, outcome: &Outcome) -> Vec<String> {
    let wanted = |key: &str| expect.and_then(|expect| expect.get(key));
    let answer = match outcome {
        Outcome::Problem(problem) => {
            let name = problem.kind.rsplit(':').next().unwrap_or_default();
            return match wanted("problem").and_then(Value::as_str) {
                Some(expected) if expected == name => Vec::new(),
                _ => {
                    let found =
                        problem.errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail));
                    let found: Vec<String> = found.collect();
                    let found = if found.is_empty() { problem.detail.clone() } else { found.join("; ") };
                    vec![format!("the problem {name}: {found}")]
                }
            };
        }
        Outcome::Stored => {
            let expected = wanted("problem");
            return expected.map_or_else(Vec::new, |problem| {
                vec![format!("expected the problem {problem}, but it was stored")]
            });
        }
        Outcome::Answered { answer, is_repeated: _ } => answer,
    };
    let mut found = Vec::new();
    if let Some(problem) = wanted("problem") {
        found.push(format!("expected the problem {problem}, answered {}", answer.verdict));
    }
    if let Some(verdict) = wanted("verdict")
        && verdict.as_str() != Some(answer.verdict.name())
    {
        found.push(format!("expected {verdict}, answered {} {}", answer.verdict, shown(&answer.reasons)));
    }
    for (key, reasons) in [("rules", &answer.reasons), ("advice", &answer.advice)] {
        let ids: Value = reasons.iter().map(|reason| Value::from(&*reason.rule)).collect();
        if let Some(expected) = wanted(key)
            && *expected != ids
        {
            found.push(format!("expected {key} {expected}, answered {ids}"));
        }
    }
    if let Some(not_before) = wanted("not_before") {
        let expected = not_before.as_str().and_then(Moment::parse);
        if expected.is_none() || expected != answer.not_before {
            let answered = answer.not_before.map_or_else(|| "none".to_owned(), |moment| moment.to_string());
            found.push(format!("expected not_before {not_before}, answered {answered}"));
        }
    }
    if let Some(expected) = wanted("answer") {
        let body = serde_json::to_value(AnswerBody { at: None, answer }).unwrap_or_default();
        difference("", &body, expected, &mut found);
    }
    found
}

fn shown(reasons: &[Reason]) -> String {
    let ids: Vec<&str> = reasons.iter().map(|reason| &*reason.rule).collect();
    format!("[{}]", ids.join(", "))
}

/// Everything that `expected` names and `value` has otherwise; lists must agree in length.
fn difference(pointer: &str, value: &Value, expected: &Value, found: &mut Vec<String>) {
    match (value, expected) {
        (Value::Object(members), Value::Object(expected)) => {
            for (name, expected) in expected {
                let value = members.get(name).unwrap_or(&Value::Null);
                difference(&format!("{pointer}/{name}"), value, expected, found);
            }
        }
        (Value::Array(values), Value::Array(expected)) if values.len() == expected.len() => {
            for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
                difference(&format!("{pointer}/{index}"), value, expected, found);
            }
        }
        (value, expected) if value == expected => {}
        (value, expected) => found.push(format!("expected {expected} at {pointer}, answered {value}")),
    }
}
