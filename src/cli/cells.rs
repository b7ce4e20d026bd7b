//! What a cell says, where it may be a fact.

use serde_json::Value;

/// A number or a truth where the cell is written just as JSON would write it, so that `01234`, `1e5` and
/// what would lose digits stay the texts they are.
#[must_use]
pub fn typed(cell: &str) -> Value {
    match serde_json::from_str(cell) {
        Ok(Value::Bool(truth)) if cell == truth.to_string() => Value::from(truth),
        // Whole numbers are kept as `i64`; one beyond would be rounded.
        Ok(Value::Number(number)) if cell == number.to_string() && (number.is_i64() || number.is_f64()) => {
            Value::Number(number)
        }
        _ => Value::from(cell),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_a_number_where_nothing_is_lost_by_it() {
        let cases = [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("0.5", json!(0.5)),
            ("1.0", json!(1.0)),
            ("true", json!(true)),
            ("01234", json!("01234")),
            ("+4912", json!("+4912")),
            ("1.50", json!("1.50")),
            ("1e5", json!("1e5")),
            ("-0", json!("-0")),
            (" 1", json!(" 1")),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!("9223372036854775808")),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
            ("True", json!("True")),
            ("null", json!("null")),
            ("\"x\"", json!("\"x\"")),
            ("Inf", json!("Inf")),
        ];
        for (cell, expected) in cases {
            assert_eq!(typed(cell), expected, "{cell}");
        }
    }
}
