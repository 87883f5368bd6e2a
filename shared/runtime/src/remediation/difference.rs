//! The differences between two JSON values, for display.

use serde_json::Value;

/// The maximum number of differences in a text.
const MAX_LISTED: usize = 5;

/// The paths at which `expected` and `found` differ, with both values; empty when they are equal.
pub fn between(expected: &Value, found: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk("", expected, found, &mut differences);
    differences
}

/// The same as one text of bounded length.
pub fn text(expected: &Value, found: &Value) -> String {
    let differences = between(expected, found);
    let more = differences.len().saturating_sub(MAX_LISTED);
    let mut text = differences.into_iter().take(MAX_LISTED).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

fn walk(path: &str, expected: &Value, found: &Value, out: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(&path, left.get(key).unwrap_or(&Value::Null), right.get(key).unwrap_or(&Value::Null), out);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for index in 0..left.len().max(right.len()) {
                let none = &Value::Null;
                walk(
                    &format!("{path}[{index}]"),
                    left.get(index).unwrap_or(none),
                    right.get(index).unwrap_or(none),
                    out,
                );
            }
        }
        (left, right) if left != right => {
            let path = if path.is_empty() { "value" } else { path };
            out.push(format!("{path}: expected `{left}`: found `{right}`"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_are_named_by_path_with_both_values() {
        let left = json!({"a": {"b": [1, 2]}, "c": 1});
        assert_eq!(between(&left, &left), Vec::<String>::new());
        assert_eq!(
            text(&left, &json!({"a": {"b": [1, 3, 4]}})),
            "a.b[1]: expected `2`: found `3`; a.b[2]: expected `null`: found `4`; c: expected `1`: found `null`"
        );
    }
}
