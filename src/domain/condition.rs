//! A condition of the policy or of a question: one CEL expression, compiled once, bounded in cost,
//! with three outcomes. The only module that knows the CEL crate.
//!
//! CEL's own `&&` and `||` settle what an unknown fact leaves open (`false && unknown` is false); all
//! else that rests on an unknown fact, or on one of the wrong type, is [`Truth::Unknown`].

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelString, DYN_TYPE, INT_TYPE, Kind, STRING_TYPE,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::parser::PrattParser;
use cel::{Context, Env, ExecutionError, IdedExpr, Value};

use super::fact::FactValue;
use super::moment::Moment;
use super::wall_clock::{Day, Zone, whole_years};
use super::words::{ClaimSet, Name};

/// The longest source: enough for a page of conditions, short of the column the parser cannot count.
pub const LONGEST_SOURCE_BYTES: usize = 2_048;
/// The longest list an expression may spell out.
pub const LONGEST_LIST: usize = 64;
/// How deep an expression may nest, and how many parts it may have.
const DEEPEST_NESTING: u16 = 32;
const MOST_NODES: usize = 400;
/// The longest regular expression, and what it may compile to.
const LONGEST_PATTERN_BYTES: usize = 256;
const PATTERN_SIZE_LIMIT_BYTES: usize = 64 * 1024;

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

const EQUAL: &str = "@equal";
const NOT_EQUAL: &str = "@not_equal";
const MOMENT: &str = "@moment";
const ZONE: &str = "@zone";

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

/// One walk over the parsed expression: checks it, notes what it reads, and puts the governor's own
/// meanings in place of CEL's where they differ.
#[derive(Default)]
struct Reading {
    facts: BTreeSet<Name>,
    reads: Reads,
    mistakes: Vec<ConditionMistake>,
    local_names: Vec<String>,
}

impl Reading {
    fn object(&mut self, message: String) {
        self.mistakes.push(ConditionMistake { message });
    }

    fn rewrite(&mut self, node: &mut IdedExpr, comprehensions: usize) {
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
            operators::EQUALS => call.func_name = EQUAL.to_owned(),
            operators::NOT_EQUALS => call.func_name = NOT_EQUAL.to_owned(),
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
    let hint = crate::domain::words::nearest(name, known)
        .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
    format!("the expression uses an unknown {what} `{name}`{hint}")
}

struct Resolver<'c> {
    circumstances: &'c dyn Circumstances,
    facts: &'c BTreeSet<Name>,
}

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let about = self.circumstances;
        let text = |variable| Some(CowVal::owned(CelString::from(about.text(variable))));
        match variable {
            "delivery" => text(TextVariable::Delivery),
            "channel" => text(TextVariable::Channel),
            "purpose" => text(TextVariable::Purpose),
            "campaign" => text(TextVariable::Campaign),
            "category" => text(TextVariable::Category),
            "brand" => text(TextVariable::Brand),
            "addressee" => text(TextVariable::Addressee),
            "language" => text(TextVariable::Language),
            "automated" => Some(CowVal::owned(CelBool::from(about.automated()))),
            "consented" => Some(CowVal::owned(CelBool::from(about.consented()))),
            "claims" => Some(CowVal::owned(texts(about.claims().iter().map(super::words::Claim::name)))),
            "regions" => Some(CowVal::owned(texts(about.regions().iter().map(|region| &**region)))),
            ZONE => Some(CowVal::owned(CelString::from(about.zone().name()))),
            MOMENT => Some(CowVal::owned(CelInt::from(about.moment().millis()))),
            "facts" => {
                let known = self.facts.iter().filter_map(|name| Some((name, about.fact(name)?)));
                let map: HashMap<CelMapKey<'b>, Box<dyn Val + 'b>> =
                    known.map(|(name, value)| (CelMapKey::from(&**name), fact_value(value))).collect();
                Some(CowVal::owned(CelMap::from(map)))
            }
            _ => {
                let fact = about.fact(variable.strip_prefix("facts.")?)?;
                Some(CowVal::Owned(fact_value(fact)))
            }
        }
    }
}

fn texts<'b>(texts: impl Iterator<Item = &'b str>) -> CelList<'b> {
    let values: Vec<Box<dyn Val + 'b>> =
        texts.map(|text| Box::new(CelString::from(text)) as Box<dyn Val + 'b>).collect();
    CelList::from(values)
}

fn fact_value(value: &FactValue) -> Box<dyn Val + '_> {
    match value {
        FactValue::Bool(value) => Box::new(CelBool::from(*value)),
        FactValue::Whole(value) => Box::new(CelInt::from(*value)),
        FactValue::Number(value) => Box::new(CelDouble::from(*value)),
        FactValue::Text(value) => Box::new(CelString::from(&**value)),
        FactValue::List(values) => {
            Box::new(CelList::from(values.iter().map(fact_value).collect::<Vec<Box<dyn Val + '_>>>()))
        }
        FactValue::Object(members) => {
            let map: HashMap<CelMapKey<'_>, Box<dyn Val + '_>> =
                members.iter().map(|(name, value)| (CelMapKey::from(&**name), fact_value(value))).collect();
            Box::new(CelMap::from(map))
        }
    }
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    for (name, function) in
        [("years_since", years_since as cel::common::functions::Function), ("days_since", days_since)]
    {
        let arguments = vec![DYN_TYPE, STRING_TYPE, INT_TYPE];
        declare(&mut environment, name, arguments, function);
    }
    for (name, function) in [(EQUAL, equal as cel::common::functions::Function), (NOT_EQUAL, not_equal)] {
        declare(&mut environment, name, vec![DYN_TYPE, DYN_TYPE], function);
    }
    Arc::new(environment)
});

fn declare(
    environment: &mut Env,
    name: &str,
    arguments: Vec<cel::common::types::Type>,
    function: cel::common::functions::Function,
) {
    let declared = environment.add_overload(name, &format!("{name}_governor"), arguments, function);
    debug_assert!(declared.is_ok(), "the names are our own");
}

fn equal<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    compare(&arguments).map(|equal| CowVal::owned(CelBool::from(equal)))
}

fn not_equal<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    compare(&arguments).map(|equal| CowVal::owned(CelBool::from(!equal)))
}

/// Equality within one type; a fact of another type than the one it is compared with says nothing.
fn compare(arguments: &[CowVal<'_, '_>]) -> Result<bool, ExecutionError> {
    let [left, right] = arguments else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let family = |value: &dyn Val| match value.get_type().kind() {
        Kind::Int | Kind::UInt | Kind::Double => Kind::Double,
        kind => kind,
    };
    let (left, right) = (left.as_ref(), right.as_ref());
    if family(left) == family(right) || [family(left), family(right)].contains(&Kind::NullType) {
        Ok(left == right)
    } else {
        Err(ExecutionError::function_error("==", "values of two types"))
    }
}

fn years_since<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (from, to) = local_dates("years_since", &arguments)?;
    let years =
        whole_years(from, to).ok_or_else(|| ExecutionError::function_error("years_since", "out of range"))?;
    Ok(CowVal::owned(CelInt::from(years)))
}

fn days_since<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (from, to) = local_dates("days_since", &arguments)?;
    Ok(CowVal::owned(CelInt::from(i64::from(to.0) - i64::from(from.0))))
}

/// The local date the fact is of, and the local date of the moment judged.
fn local_dates(function: &str, arguments: &[CowVal<'_, '_>]) -> Result<(Day, Day), ExecutionError> {
    let wrong = || ExecutionError::function_error(function, "takes a date or a date-time");
    let [date, zone, moment] = arguments else {
        return Err(ExecutionError::invalid_argument_count(3, arguments.len()));
    };
    let date = date.as_ref().downcast_ref::<CelString>().ok_or_else(wrong)?;
    let zone = zone
        .as_ref()
        .downcast_ref::<CelString>()
        .and_then(|name| Zone::get(name.inner()))
        .ok_or_else(wrong)?;
    let moment = moment.as_ref().downcast_ref::<CelInt>().ok_or_else(wrong)?;
    let from = Day::parse(date.inner())
        .or_else(|| Moment::parse(date.inner()).map(|moment| zone.local(moment).day))
        .ok_or_else(wrong)?;
    Ok((from, zone.local(Moment::from_millis(*moment.inner())).day))
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
        let deep = "(".repeat(500);
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
