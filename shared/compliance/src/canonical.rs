//! JSON whose text is the same in every build.

use std::collections::BTreeMap;

use serde_json::Value;

/// The same value with the keys of every object in order. `serde_json` keeps the order of insertion as soon as any crate of
/// the build asks for that, and a text that people compare must not depend on who else is built.
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
