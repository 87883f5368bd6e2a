//! Subjects that differ from a stored one in a single place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The values that stored subjects have in each place; the members of a list share one.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<String, Vec<Value>>);

impl Seen {
    /// Notes every place of `value`, from the `place` on.
    pub(super) fn note(&mut self, place: &str, value: &Value) {
        let known = self.0.entry(place.to_owned()).or_default();
        if !known.contains(value) {
            known.push(value.clone());
        }
        match value {
            Value::Array(members) => members.iter().for_each(|it| self.note(&format!("{place}/*"), it)),
            Value::Object(fields) => fields.iter().for_each(|(key, it)| self.note(&format!("{place}/{key}"), it)),
            _ => {}
        }
    }

    /// What may stand in a place instead of `value`.
    fn instead(&self, place: &str, value: &Value) -> Vec<Value> {
        let mut others: Vec<Value> =
            self.0.get(place).into_iter().flatten().filter(|it| *it != value).cloned().collect();
        match value {
            Value::Bool(is) => others.push(json!(!is)),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => others.extend([whole - 1, whole + 1, whole * 2, whole / 2, 0].map(|it| json!(it))),
                None => {
                    others.extend(number.as_f64().into_iter().flat_map(|it| [it - 1.0, it + 1.0]).map(|it| json!(it)));
                }
            },
            Value::Array(members) => {
                others.push(json!([]));
                for at in 0..members.len() {
                    let mut fewer = members.clone();
                    fewer.remove(at);
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

    /// Every value that differs from `value` in one place, from the `place` on.
    pub(super) fn changed(&self, place: &str, value: &Value) -> Vec<Value> {
        let mut all = self.instead(place, value);
        match value {
            Value::Array(members) => {
                for (at, member) in members.iter().enumerate() {
                    for other in self.changed(&format!("{place}/*"), member) {
                        let mut members = members.clone();
                        members[at] = other;
                        all.push(Value::Array(members));
                    }
                }
            }
            Value::Object(fields) => {
                for (key, field) in sorted(fields) {
                    for other in self.changed(&format!("{place}/{key}"), field) {
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

/// The fields of an object in one order in every build: serde_json keeps another where a tool needs `preserve_order`.
fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}
