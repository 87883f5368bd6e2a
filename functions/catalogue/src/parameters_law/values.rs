//! The values to try for a parameter.

use std::fmt;

use serde_json::{Value, json};

/// A parameter with values, at least one of which must have an effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) values: Vec<Value>,
    /// Whether the value is one of an enumeration, each of which must have an effect.
    is_enumerated: bool,
}

impl Setting {
    /// Whether it is in this list, by its name or as `parameter=value`.
    pub(super) fn is_named(&self, parameters: &[&str]) -> bool {
        parameters.contains(&self.name.as_str()) || parameters.contains(&self.to_string().as_str())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        match self.values.as_slice() {
            [Value::String(text)] if self.is_enumerated => write!(out, "={text}"),
            [value] if self.is_enumerated => write!(out, "={value}"),
            _ => Ok(()),
        }
    }
}

/// The settings of a parameter: one for each enumerated value of its schema except the default; without enumerated
/// values, a single setting with numbers near its bounds, values `given` in the control's files, and `more`.
pub(super) fn of(schema: &Value, name: &str, given: &[Value], more: impl Iterator<Item = Value>) -> Vec<Setting> {
    let property = &schema["properties"][name];
    let default = &property["default"];
    let setting = |values: Vec<Value>, is_enumerated| Setting { name: name.to_owned(), values, is_enumerated };
    let enumerated: Vec<Value> =
        enumerated(schema, property).into_iter().filter(|value| text(value) != text(default)).collect();
    if !enumerated.is_empty() {
        return enumerated.into_iter().map(|value| setting(vec![value], true)).collect();
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

/// The enumerated values of a schema.
fn enumerated(schema: &Value, property: &Value) -> Vec<Value> {
    if let Some(target) = property["$ref"].as_str() {
        return enumerated(schema, schema.pointer(target.trim_start_matches('#')).unwrap());
    }
    if let Some(value) = property.get("const") {
        return vec![value.clone()];
    }
    if property["type"] == "boolean" {
        return vec![json!(true), json!(false)];
    }
    let alternatives = ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| property[key].as_array());
    let of_alternatives = alternatives.flatten().flat_map(|it| enumerated(schema, it));
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
