//! CEL as the governor means it: its own functions, and equality within one type.

use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{CelBool, CelInt, CelList, CelString, DYN_TYPE, INT_TYPE, Kind, STRING_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};

use crate::domain::moment::Moment;
use crate::domain::wall_clock::{Day, Zone, whole_years};

/// Names no expression can spell: what `==`, `!=` and `in` are rewritten to, and what dates are counted from.
pub const EQUAL: &str = "@equal";
pub const NOT_EQUAL: &str = "@not_equal";
pub const AMONG: &str = "@among";
pub const MOMENT: &str = "@moment";
pub const ZONE: &str = "@zone";

pub static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    for (name, function) in [("years_since", years_since as Function), ("days_since", days_since)] {
        let arguments = vec![DYN_TYPE, STRING_TYPE, INT_TYPE];
        declare(&mut environment, name, arguments, function);
    }
    for (name, function) in [(EQUAL, equal as Function), (NOT_EQUAL, not_equal), (AMONG, among)] {
        declare(&mut environment, name, vec![DYN_TYPE, DYN_TYPE], function);
    }
    Arc::new(environment)
});

fn declare(environment: &mut Env, name: &str, arguments: Vec<Type>, function: Function) {
    let declared = environment.add_overload(name, &format!("{name}_governor"), arguments, function);
    debug_assert!(declared.is_ok(), "the names are our own");
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a CEL function")]
fn equal<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    compare(&arguments).map(|equal| CowVal::owned(CelBool::from(equal)))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a CEL function")]
fn not_equal<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    compare(&arguments).map(|equal| CowVal::owned(CelBool::from(!equal)))
}

/// Numbers of every kind are of one family; else a type is its own.
fn family(value: &dyn Val) -> Kind {
    match value.get_type().kind() {
        Kind::Int | Kind::UInt | Kind::Double => Kind::Double,
        kind => kind,
    }
}

/// Equality within one type; a fact of another type than the one it is compared with says nothing.
fn compare(arguments: &[CowVal<'_, '_>]) -> Result<bool, ExecutionError> {
    let [left, right] = arguments else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let (left, right) = (left.as_ref(), right.as_ref());
    if family(left) == family(right) || [family(left), family(right)].contains(&Kind::NullType) {
        Ok(left == right)
    } else {
        Err(ExecutionError::function_error("==", "values of two types"))
    }
}

/// Membership of a list; a fact of another type than every member says nothing.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a CEL function")]
fn among<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let wrong = || ExecutionError::function_error("in", "a value of another type");
    let [value, list] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let (value, list) = (value.as_ref(), list.as_ref());
    let found = match list.downcast_ref::<CelList<'_>>() {
        Some(members) => {
            let comparable =
                members.is_empty() || members.iter().any(|member| family(&**member) == family(value));
            if !comparable {
                return Err(wrong());
            }
            members.iter().any(|member| **member == *value)
        }
        None => list.as_container().ok_or_else(wrong)?.contains(value)?,
    };
    Ok(CowVal::owned(CelBool::from(found)))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a CEL function")]
fn years_since<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let (from, to) = local_dates("years_since", &arguments)?;
    let years =
        whole_years(from, to).ok_or_else(|| ExecutionError::function_error("years_since", "out of range"))?;
    Ok(CowVal::owned(CelInt::from(years)))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of a CEL function")]
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
