//! What a parameter is set to.

use std::fmt;

use serde_json::{Value, json};

/// A parameter with values of which one at least must change something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
    /// Whether the value is one of a few words, each of which must change something.
    is_word: bool,
}

impl Setting {
    /// Whether it is among these: a parameter with whatever value, or one with this word, `parameter=word`.
    pub(super) fn is_named(&self, parameters: &[&str]) -> bool {
        parameters.contains(&self.name.as_str()) || parameters.contains(&self.to_string().as_str())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        match self.values.as_slice() {
            [Value::String(word)] if self.is_word => write!(out, "={word}"),
            [value] if self.is_word => write!(out, "={value}"),
            _ => Ok(()),
        }
    }
}

/// The settings of a parameter: one for each word of its schema but the default; where it has no words, one of values near
/// its bounds, values that the control's files `give`, and `more`.
pub(super) fn of(schema: &Value, name: &str, given: &[Value], more: impl Iterator<Item = Value>) -> Vec<Setting> {
    let property = &schema["properties"][name];
    let default = &property["default"];
    let setting = |values: Vec<Value>, is_word| Setting { name: name.to_owned(), values, is_word };
    let words: Vec<Value> = words(schema, property).into_iter().filter(|word| text(word) != text(default)).collect();
    if !words.is_empty() {
        return words.into_iter().map(|word| setting(vec![word], true)).collect();
    }
    let given = given.iter().filter_map(|parameters| parameters.get(name)).cloned();
    let mut values: Vec<Value> = Vec::new();
    for value in numbers(property, default).into_iter().chain(given).chain(more) {
        if text(&value) != text(default) && !values.contains(&value) {
            values.push(value);
        }
    }
    vec![setting(values, false)]
}

/// A scalar as AWS Config sends it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The words a schema names.
fn words(schema: &Value, property: &Value) -> Vec<Value> {
    if let Some(target) = property["$ref"].as_str() {
        return words(schema, schema.pointer(target.trim_start_matches('#')).unwrap());
    }
    if let Some(word) = property.get("const") {
        return vec![word.clone()];
    }
    if property["type"] == "boolean" {
        return vec![json!(true), json!(false)];
    }
    let alternatives = ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| property[key].as_array());
    let of_alternatives = alternatives.flatten().flat_map(|it| words(schema, it));
    of_alternatives.chain(property["enum"].as_array().into_iter().flatten().cloned()).collect()
}

/// Numbers near the bounds and near the default.
fn numbers(property: &Value, default: &Value) -> Vec<Value> {
    let alternatives = property["anyOf"].as_array().into_iter().flatten();
    let Some(bounded) = alternatives.chain([property]).find(|it| it["minimum"].is_number()) else { return Vec::new() };
    let bound = |key: &str| bounded[key].as_i64().unwrap();
    let (low, high) = (bound("minimum"), bound("maximum"));
    let default = default.as_i64().or_else(|| default.as_str()?.parse().ok());
    let near = default.into_iter().flat_map(|it| [it - 1, it + 1, it / 2, it * 2]);
    let steps = [low, low + 1, high - 1, high].into_iter().chain(near);
    steps.filter(|it| (low..=high).contains(it)).map(|it| json!(it)).collect()
}
