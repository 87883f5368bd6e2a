//! Variants of stored subjects that differ in a single place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The values that stored subjects have in each place; the members of a list share one place.
#[derive(Debug, Default)]
pub(super) struct SeenValues(BTreeMap<String, Vec<Value>>);

impl SeenValues {
    /// Records `value` and every place within it, starting at `place`.
    pub(super) fn record(&mut self, place: &str, value: &Value) {
        let known = self.0.entry(place.to_owned()).or_default();
        if !known.contains(value) {
            known.push(value.clone());
        }
        match value {
            Value::Array(members) => members.iter().for_each(|it| self.record(&format!("{place}/*"), it)),
            Value::Object(fields) => fields.iter().for_each(|(key, it)| self.record(&format!("{place}/{key}"), it)),
            _ => {}
        }
    }

    /// Alternatives to `value` in a place.
    fn alternatives(&self, place: &str, value: &Value) -> Vec<Value> {
        let mut others: Vec<Value> =
            self.0.get(place).into_iter().flatten().filter(|it| *it != value).cloned().collect();
        match value {
            Value::Bool(flag) => others.push(json!(!flag)),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => others.extend([whole - 1, whole + 1, whole * 2, whole / 2, 0].map(|it| json!(it))),
                None => {
                    others.extend(number.as_f64().into_iter().flat_map(|it| [it - 1.0, it + 1.0]).map(|it| json!(it)));
                }
            },
            Value::Array(members) => {
                others.push(json!([]));
                for index in 0..members.len() {
                    let mut fewer = members.clone();
                    fewer.remove(index);
                    others.push(Value::Array(fewer));
                }
                for member in self.0.get(&format!("{place}/*")).into_iter().flatten() {
                    others.push(members.iter().chain([member]).cloned().collect());
                }
            }
            Value::Object(fields) => {
                others.extend(sorted(fields).into_iter().map(|(key, _)| {
                    let fewer: Map<_, _> = fields.clone().into_iter().filter(|(it, _)| it != key).collect();
                    Value::Object(fewer)
                }));
            }
            Value::Null | Value::String(_) => {}
        }
        others
    }

    /// Every variant of `value` that differs in one place, starting at `place`.
    pub(super) fn variants(&self, place: &str, value: &Value) -> Vec<Value> {
        let mut all = self.alternatives(place, value);
        match value {
            Value::Array(members) => {
                for (index, member) in members.iter().enumerate() {
                    for other in self.variants(&format!("{place}/*"), member) {
                        let mut members = members.clone();
                        members[index] = other;
                        all.push(Value::Array(members));
                    }
                }
            }
            Value::Object(fields) => {
                for (key, field) in sorted(fields) {
                    for other in self.variants(&format!("{place}/{key}"), field) {
                        let mut fields = fields.clone();
                        fields.insert(key.clone(), other);
                        all.push(Value::Object(fields));
                    }
                }
            }
            _ => {}
        }
        all
    }
}

/// The fields of an object in the same order in every build: with the feature `preserve_order`, which another crate may
/// enable, serde_json keeps another one.
fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}
