//! The one-click unsubscription of RFC 8058, as mail programs send it for their users.

const FIELD: &str = "List-Unsubscribe";
const VALUE: &str = "One-Click";

/// Whether a body says `List-Unsubscribe=One-Click` and nothing else, in either of the two encodings that
/// the RFC has senders choose from.
#[must_use]
pub fn is_one_click(content_type: &str, body: &[u8]) -> bool {
    let Ok(body) = std::str::from_utf8(body) else {
        return false;
    };
    match boundary(content_type) {
        Some(boundary) => only_part(body, boundary).is_some_and(|(head, value)| {
            let names = |line: &str| {
                let line = line.to_ascii_lowercase();
                let field = FIELD.to_ascii_lowercase();
                line.starts_with("content-disposition:")
                    && (line.contains(&format!("name=\"{field}\""))
                        || line.ends_with(&format!("name={field}")))
            };
            head.lines().any(|line| names(line.trim())) && value == VALUE
        }),
        None => body.trim_end().split_once('=') == Some((FIELD, VALUE)),
    }
}

/// What separates the parts of `multipart/form-data`.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    })
}

/// Head and value of the part, if there is exactly one.
fn only_part<'b>(body: &'b str, boundary: &str) -> Option<(&'b str, &'b str)> {
    let delimiter = format!("--{boundary}");
    let mut parts = body.split(delimiter.as_str()).skip(1);
    let (part, end) = (parts.next()?, parts.next()?);
    if !end.starts_with("--") || parts.next().is_some() {
        return None;
    }
    let (head, value) = part.split_once("\r\n\r\n")?;
    Some((head, value.strip_suffix("\r\n")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read_and_nothing_else_is() {
        let multipart = "multipart/form-data; boundary=\"---xyz\"";
        let part =
            "-----xyz\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n";
        let whole = format!("{part}-----xyz--\r\n");
        let twice = format!("{part}{whole}");
        let other_name = whole.replace("name=\"List-Unsubscribe\"", "name=\"Unsubscribe\"");
        let other_value = whole.replace("One-Click", "Two-Click");
        let form = "application/x-www-form-urlencoded";
        let cases = [
            (form, "List-Unsubscribe=One-Click", true),
            ("", "List-Unsubscribe=One-Click\r\n", true),
            (multipart, &whole, true),
            (multipart, &twice, false),
            (multipart, part, false),
            (multipart, &other_name, false),
            (multipart, &other_value, false),
            (multipart, "List-Unsubscribe=One-Click", false),
            (form, "List-Unsubscribe=One-Click&do=save", false),
            (form, "List-Unsubscribe=", false),
            (form, "", false),
        ];
        for (content_type, body, expected) in cases {
            assert_eq!(is_one_click(content_type, body.as_bytes()), expected, "{content_type}: {body}");
        }
    }
}
