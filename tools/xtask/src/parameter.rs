//! The parameters of a control in readable form, from their JSON Schema.

use rectify_compliance::Entry;
use serde_json::Value;

/// One parameter of a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in the rule parameters.
    pub name: String,
    /// The allowed values as text: `true or false`, `whole number, 1 to 365`.
    pub kind: String,
    /// The default; `none` if absence has its own meaning.
    pub default: String,
    /// Meaning, unit and range, from its doc comment; empty without one, which a repository test refuses.
    pub description: String,
}

/// The parameters of a control, sorted by name.
pub fn of(control: &Entry) -> Vec<Parameter> {
    let schema = control.parameters();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    properties
        .iter()
        .map(|(name, property)| Parameter {
            name: name.clone(),
            kind: kind(&schema, property),
            default: default(property),
            description: text(property, "description").split_whitespace().collect::<Vec<_>>().join(" "),
        })
        .collect()
}

fn kind(schema: &Value, property: &Value) -> String {
    if let Some(target) = property.get("$ref").and_then(Value::as_str) {
        let pointer = target.trim_start_matches('#');
        return schema.pointer(pointer).map_or_else(|| target.to_owned(), |it| kind(schema, it));
    }
    let alternatives = property.get("anyOf").or_else(|| property.get("allOf")).and_then(Value::as_array);
    if let Some(first) = alternatives.and_then(|all| all.iter().find(|it| text(it, "type") != "null")) {
        return kind(schema, first);
    }
    if let Some(words) = words(property) {
        return words;
    }
    let name = match property.get("type") {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or_default()
        }
        Some(Value::String(name)) => name,
        _ => "",
    };
    match (name, text(property, "format")) {
        ("boolean", _) => "`true` or `false`".to_owned(),
        ("integer", _) => match (property.get("minimum"), property.get("maximum")) {
            (Some(low), Some(high)) => format!("whole number, {low} to {high}"),
            _ => "whole number".to_owned(),
        },
        ("string", "") => "text".to_owned(),
        ("string", format) => format.to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// The values of an enumeration whose variants are documented individually.
fn words(property: &Value) -> Option<String> {
    let variants = property.get("oneOf")?.as_array()?;
    let words: Option<Vec<String>> =
        variants.iter().map(|it| it.get("const").and_then(Value::as_str).map(|word| format!("`{word}`"))).collect();
    words.map(|words| words.join(" or "))
}

fn default(property: &Value) -> String {
    match property.get("default") {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "none".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(other) => format!("`{other}`"),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
