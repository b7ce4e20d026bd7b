//! The walk over a parsed expression: checks it, notes what it reads, bounds what it costs.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use crate::domain::words::{Name, nearest};

use super::functions::{AMONG, EQUAL, MOMENT, NOT_EQUAL, ZONE};
use super::{ConditionMistake, FUNCTIONS, LONGEST_LIST, Reads, VARIABLES};

/// The longest regular expression, and what it may compile to.
const LONGEST_PATTERN_BYTES: usize = 256;
const PATTERN_SIZE_LIMIT_BYTES: usize = 64 * 1024;

/// One walk over the parsed expression: checks it, notes what it reads, and puts the governor's own
/// meanings in place of CEL's where they differ.
#[derive(Default)]
pub struct Reading {
    pub facts: BTreeSet<Name>,
    pub reads: Reads,
    pub mistakes: Vec<ConditionMistake>,
    local_names: Vec<String>,
}

impl Reading {
    pub fn object(&mut self, message: String) {
        self.mistakes.push(ConditionMistake { message });
    }

    pub fn rewrite(&mut self, node: &mut IdedExpr, comprehensions: usize) {
        match &mut node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                let name = name.clone();
                if name == "facts" {
                    self.object("name the fact, as in `facts.purchases`".to_owned());
                }
                self.check_name(&name);
            }
            Expr::Select(select) => {
                if matches!(&select.operand.expr, Expr::Ident(name) if name == "facts") {
                    self.facts.insert(select.field.as_str().into());
                } else {
                    self.rewrite(&mut select.operand, comprehensions);
                }
            }
            Expr::Call(call) => self.rewrite_call(call, comprehensions),
            Expr::List(list) => {
                if list.elements.len() > LONGEST_LIST {
                    self.object(format!("a list may have at most {LONGEST_LIST} members"));
                }
                for element in &mut list.elements {
                    self.rewrite(element, comprehensions);
                }
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.object("maps and structs have no use in a condition".to_owned());
            }
            Expr::Comprehension(comprehension) => {
                if comprehensions > 0 {
                    self.object(
                        "`all`, `exists`, `filter` and `map` may not stand inside one another: the cost \
                         would grow with the square of the list"
                            .to_owned(),
                    );
                    return;
                }
                let known = self.local_names.len();
                self.rewrite(&mut comprehension.iter_range, comprehensions);
                self.local_names.push(comprehension.iter_var.clone());
                self.local_names.extend(comprehension.iter_var2.clone());
                self.local_names.push(comprehension.accu_var.clone());
                for part in [
                    &mut comprehension.accu_init,
                    &mut comprehension.loop_cond,
                    &mut comprehension.loop_step,
                    &mut comprehension.result,
                ] {
                    self.rewrite(part, comprehensions + 1);
                }
                self.local_names.truncate(known);
            }
        }
    }

    fn rewrite_call(&mut self, call: &mut CallExpr, comprehensions: usize) {
        match call.func_name.as_str() {
            operators::EQUALS => EQUAL.clone_into(&mut call.func_name),
            operators::NOT_EQUALS => NOT_EQUAL.clone_into(&mut call.func_name),
            operators::IN => AMONG.clone_into(&mut call.func_name),
            // facts["name"] reads one fact, as facts.name does.
            operators::INDEX => {
                if let [
                    IdedExpr { expr: Expr::Ident(root), .. },
                    IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. },
                ] = call.args.as_slice()
                    && root == "facts"
                {
                    self.facts.insert(field.inner().into());
                    return;
                }
            }
            "years_since" | "days_since" => {
                self.reads.local_date = true;
                if call.target.is_some() || call.args.len() != 1 {
                    self.object(format!(
                        "`{}` takes one date, as in `{}(facts.born)`",
                        call.func_name, call.func_name
                    ));
                    return;
                }
                for name in [ZONE, MOMENT] {
                    call.args.push(IdedExpr { id: 0, expr: Expr::Ident(name.to_owned()) });
                }
            }
            "matches" => self.check_pattern(call),
            name => {
                let is_operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
                if !is_operator && !FUNCTIONS.contains(&name) {
                    let message = unknown("function", name, FUNCTIONS.iter().copied());
                    self.object(message);
                }
            }
        }
        if let Some(target) = &mut call.target {
            self.rewrite(target, comprehensions);
        }
        for argument in &mut call.args {
            self.rewrite(argument, comprehensions);
        }
    }

    fn check_pattern(&mut self, call: &CallExpr) {
        let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(pattern)), .. }) = call.args.last()
        else {
            return self.object("`matches` takes a pattern that is written out, not computed".to_owned());
        };
        let pattern = pattern.inner();
        if pattern.len() > LONGEST_PATTERN_BYTES {
            return self.object(format!("a pattern may have at most {LONGEST_PATTERN_BYTES} bytes"));
        }
        if let Err(error) = regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE_LIMIT_BYTES).build() {
            self.object(format!("`{pattern}` is not a pattern: {error}"));
        }
    }

    fn check_name(&mut self, name: &str) {
        match name {
            "consented" => self.reads.consent = true,
            ZONE | MOMENT => {}
            name if VARIABLES.contains(&name) || self.local_names.iter().any(|local| local == name) => {}
            // Type names such as `int` are values in CEL.
            name if FUNCTIONS.contains(&name) => {}
            name => {
                let message = unknown("name", name, VARIABLES.iter().copied());
                self.object(message);
            }
        }
    }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let hint =
        nearest(name, known).map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    format!("the expression uses an unknown {what} `{name}`{hint}")
}
