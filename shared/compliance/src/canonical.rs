//! JSON with the same text in every build, and JSON with unordered lists.

use std::collections::BTreeMap;

use serde_json::Value;

/// The same value with the keys of every object sorted. `serde_json` keeps the insertion order if any crate in the
/// build enables that feature, and a text that readers compare must not depend on the other crates of a build.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<String, Value> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(map.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The same value with the members of every list sorted too, for sets that an API returns in any order.
pub fn unordered(value: Value) -> Value {
    match sorted(value) {
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, unordered(value))).collect()),
        Value::Array(values) => {
            let mut values: Vec<(String, Value)> =
                values.into_iter().map(unordered).map(|value| (value.to_string(), value)).collect();
            values.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Array(values.into_iter().map(|(_, value)| value).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_lists_is_ignored_and_duplicates_are_kept() {
        let one = json!({"b": [2, {"y": ["b", "a"], "x": 1}], "a": []});
        assert_eq!(unordered(one.clone()), unordered(json!({"a": [], "b": [{"x": 1, "y": ["a", "b"]}, 2]})));
        assert_ne!(unordered(one.clone()), unordered(json!({"a": [], "b": [{"x": 1, "y": ["a", "a", "b"]}, 2]})));
        assert_ne!(unordered(one.clone()), one);
    }
}
