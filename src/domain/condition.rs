//! A condition of the policy or of a question: one CEL expression, compiled once, bounded in cost,
//! with three outcomes. The only module that knows the CEL crate.
//!
//! CEL's own `&&` and `||` settle what an unknown fact leaves open (`false && unknown` is false); all
//! else that rests on an unknown fact, or on one of the wrong type, is [`Truth::Unknown`].

mod functions;
mod reading;
mod resolver;

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{Expr, LiteralValue};
use cel::common::types::CelBool;
use cel::parser::PrattParser;
use cel::{Context, IdedExpr, Value};

use super::fact::FactValue;
use super::moment::Moment;
use super::wall_clock::Zone;
use super::words::{ClaimSet, Name};

use functions::ENVIRONMENT;
use reading::Reading;
use resolver::Resolver;

/// The longest source: enough for a page of conditions, short of the column the parser cannot count.
pub const LONGEST_SOURCE_BYTES: usize = 2_048;
/// The longest list an expression may spell out.
pub const LONGEST_LIST: usize = 64;
/// How deep an expression may nest, and how many parts it may have.
const DEEPEST_NESTING: u16 = 32;
const MOST_NODES: usize = 400;

/// The names an expression may use.
pub const VARIABLES: [&str; 13] = [
    "facts",
    "claims",
    "delivery",
    "automated",
    "channel",
    "purpose",
    "campaign",
    "category",
    "brand",
    "addressee",
    "language",
    "regions",
    "consented",
];
/// The functions an expression may call.
pub const FUNCTIONS: [&str; 14] = [
    "years_since",
    "days_since",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "double",
    "string",
    "bool",
    "dyn",
    "has",
    "type",
];

/// Three-valued truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

/// What an expression can look at.
pub trait Circumstances: Sync {
    fn fact(&self, name: &str) -> Option<&FactValue>;
    fn text(&self, variable: TextVariable) -> &str;
    fn claims(&self) -> ClaimSet;
    fn automated(&self) -> bool;
    fn consented(&self) -> bool;
    fn regions(&self) -> &[Name];
    fn moment(&self) -> Moment;
    fn zone(&self) -> &Zone;
}

/// The variables that are plain texts; one not given is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextVariable {
    Delivery,
    Channel,
    Purpose,
    Campaign,
    Category,
    Brand,
    Addressee,
    Language,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Condition {
    source: Arc<str>,
    expression: IdedExpr,
    facts: BTreeSet<Name>,
    reads: Reads,
}

/// What an outcome rests on besides the question's own words.
#[derive(Clone, Copy, Debug, Default)]
struct Reads {
    local_date: bool,
    consent: bool,
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionMistake {
    pub message: String,
}

impl Condition {
    /// # Errors
    /// Every mistake found: it does not parse, names what nobody knows, or could cost too much.
    pub fn compile(source: &str) -> Result<Self, Vec<ConditionMistake>> {
        if source.len() > LONGEST_SOURCE_BYTES {
            return Err(mistake(format!("an expression may have at most {LONGEST_SOURCE_BYTES} bytes")));
        }
        if source.trim().is_empty() {
            return Err(mistake("an expression may not be empty".to_owned()));
        }
        let parser =
            PrattParser::new().max_recursion_depth(DEEPEST_NESTING).max_expression_node_count(MOST_NODES);
        let mut expression = parser.parse(source).map_err(|errors| {
            errors
                .errors
                .iter()
                .map(|error| ConditionMistake {
                    message: format!("the expression does not parse: {}", error.msg),
                })
                .collect::<Vec<_>>()
        })?;
        let mut reading = Reading::default();
        reading.rewrite(&mut expression, 0);
        if !could_be_true_or_false(&expression.expr) {
            reading.object("the expression is neither true nor false".to_owned());
        }
        if reading.mistakes.is_empty() {
            Ok(Self { source: source.into(), expression, facts: reading.facts, reads: reading.reads })
        } else {
            Err(reading.mistakes)
        }
    }

    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The facts it names.
    pub fn facts(&self) -> impl Iterator<Item = &Name> {
        self.facts.iter()
    }

    /// Whether the outcome can change at a local midnight.
    #[must_use]
    pub const fn reads_local_date(&self) -> bool {
        self.reads.local_date
    }

    #[must_use]
    pub const fn reads_consent(&self) -> bool {
        self.reads.consent
    }

    /// The outcome, if it is the same whatever the question.
    #[must_use]
    pub fn constant(&self) -> Option<bool> {
        match &self.expression.expr {
            Expr::Literal(LiteralValue::Boolean(value)) => Some(*value.inner()),
            _ => None,
        }
    }

    pub fn truth(&self, circumstances: &dyn Circumstances) -> Truth {
        let resolver = Resolver { circumstances, facts: &self.facts };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.set_variable_resolver(&resolver);
        match Value::resolve_val(&self.expression, &context) {
            Ok(value) => match value.as_ref().downcast_ref::<CelBool>() {
                Some(truth) if *truth.inner() => Truth::True,
                Some(_) => Truth::False,
                None => Truth::Unknown,
            },
            Err(_) => Truth::Unknown,
        }
    }
}

fn mistake(message: String) -> Vec<ConditionMistake> {
    vec![ConditionMistake { message }]
}

fn could_be_true_or_false(expression: &Expr) -> bool {
    match expression {
        Expr::Literal(literal) => matches!(literal, LiteralValue::Boolean(_)),
        Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => false,
        Expr::Call(_) | Expr::Comprehension(_) | Expr::Ident(_) | Expr::Select(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Somebody {
        facts: Vec<(&'static str, FactValue)>,
        zone: Zone,
    }

    impl Circumstances for Somebody {
        fn fact(&self, name: &str) -> Option<&FactValue> {
            self.facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        }
        fn text(&self, variable: TextVariable) -> &str {
            match variable {
                TextVariable::Delivery => "ivr",
                TextVariable::Addressee => "Ms Ada Byron",
                _ => "",
            }
        }
        fn claims(&self) -> ClaimSet {
            ClaimSet::default().with(super::super::words::Claim::Care)
        }
        fn automated(&self) -> bool {
            true
        }
        fn consented(&self) -> bool {
            false
        }
        fn regions(&self) -> &[Name] {
            &[]
        }
        fn moment(&self) -> Moment {
            Moment::parse("2026-11-21T02:00:00Z").expect("moment")
        }
        fn zone(&self) -> &Zone {
            &self.zone
        }
    }

    fn truth(source: &str) -> Truth {
        let somebody = Somebody {
            facts: vec![
                ("purchases", FactValue::Whole(12)),
                ("kind", FactValue::Text("customer".into())),
                ("born", FactValue::Text("2011-11-21".into())),
                ("seen_at", FactValue::Text("2026-11-20T03:00:00Z".into())),
                ("tags", FactValue::List(vec![FactValue::Text("a".into()), FactValue::Text("b".into())])),
                ("address", FactValue::Object([("city".into(), FactValue::Text("Rome".into()))].into())),
            ],
            zone: Zone::get("America/New_York").expect("zone"),
        };
        Condition::compile(source).expect(source).truth(&somebody)
    }

    #[test]
    fn three_valued_truth() {
        use Truth::{False, True, Unknown};
        let cases = [
            ("facts.purchases >= 10", True),
            ("facts.purchases >= 12.5", False),
            ("facts.visits >= 10", Unknown),
            ("facts.visits >= 10 || true", True),
            ("facts.visits >= 10 && false", False),
            ("false && facts.visits >= 10", False),
            ("facts.visits >= 10 || false", Unknown),
            ("!(facts.visits >= 10)", Unknown),
            ("facts.kind == 'customer'", True),
            ("facts.kind != 'customer'", False),
            ("facts.kind >= 10", Unknown),
            ("facts.kind == 10", Unknown),
            ("facts.purchases != 'many'", Unknown),
            ("has(facts.visits)", False),
            ("has(facts.kind)", True),
            ("facts['kind'] == 'customer'", True),
            ("facts['visits'] == 'customer'", Unknown),
            ("facts.address.city == 'Rome'", True),
            ("facts.address.street == 'Rome'", Unknown),
            ("'a' in facts.tags", True),
            ("'c' in facts.tags", False),
            ("facts.kind in ['customer', 'partner']", True),
            ("facts.purchases in [12, 13]", True),
            ("facts.purchases in ['twelve']", Unknown),
            ("facts.tags.exists(t, t == 'b')", True),
            ("facts.tags.all(t, t == 'b')", False),
            ("'care' in claims && automated", True),
            ("delivery == 'ivr' && campaign == ''", True),
            ("addressee.matches('^(Ms|Mr) ')", True),
            ("consented", False),
            ("regions == []", True),
            // 2026-11-20 21:00 in New York: the fifteenth birthday is tomorrow.
            ("years_since(facts.born) == 14", True),
            ("days_since(facts.seen_at) == 1", True),
            ("years_since(facts.kind) == 14", Unknown),
            ("years_since(facts.purchases) == 14", Unknown),
            ("facts.kind", Unknown),
        ];
        for (source, expected) in cases {
            assert_eq!(truth(source), expected, "{source}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let deep = "!(".repeat(500);
        let long = "true || ".repeat(400);
        let cases = [
            ("", "empty"),
            ("facts.purchases >=", "parse"),
            ("fact.purchases >= 10", "did you mean `facts`"),
            ("year_since(facts.born) > 3", "did you mean `years_since`"),
            ("years_since() > 3", "one date"),
            ("[1, 2].all(x, [1, 2].all(y, x == y))", "inside one another"),
            ("'a'.matches(facts.pattern)", "written out"),
            ("'a'.matches('(a{999}){999}')", "not a pattern"),
            ("'a'.matches('(')", "not a pattern"),
            ("42", "neither true nor false"),
            (deep.as_str(), "parse"),
            (long.as_str(), "at most 2048 bytes"),
        ];
        for (source, expected) in cases {
            let mistakes = Condition::compile(source).expect_err(source);
            assert!(
                mistakes.iter().any(|mistake| mistake.message.contains(expected)),
                "{source}: {mistakes:?}"
            );
        }
    }
}
