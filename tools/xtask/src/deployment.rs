//! `docs/deployment.md` and the JSON Schema of `rectify.yaml`, from the declarations of its values.

use rectify_catalogue::profiles::PROFILES;
use rectify_compliance::canonical::sorted;
use rectify_compliance::{Entry, Mode};
use rectify_synth::declaration::{Declaration, declarations};
use rectify_synth::fragment::{Unfilled, fill};
use serde_json::{Map, Value, json};

const PAGE: &str = include_str!("deployment.md.in");

/// The page about `rectify.yaml`.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub fn page() -> Result<String, Unfilled> {
    let row = |(key, it): (&String, &Declaration)| {
        let default = it.default();
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let kind = if it.is_constant { "" } else { it.name.as_str() };
        let parameter = if kind.is_empty() { "-".to_owned() } else { format!("`{kind}`") };
        let description = it.description().split_whitespace().collect::<Vec<_>>().join(" ");
        let description = description.replace('|', "\\|").replace('<', "&lt;");
        format!("| `{key}` | {} | {default} | {parameter} | {description} |\n", values(it))
    };
    let rows: String = declarations().iter().map(row).collect();
    fill(PAGE, &[("settings", &rows)])
}

/// The allowed values as text.
fn values(it: &Declaration) -> String {
    if !it.allowed().is_empty() {
        return it.allowed().iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    it.range().map_or_else(|| "text".to_owned(), |(low, high)| format!("{low} to {high}"))
}

/// The JSON Schema of `rectify.yaml`, with which an editor completes and checks it.
#[must_use]
pub fn schema(controls: &[&Entry]) -> String {
    let mode = json!({ "enum": Mode::ALL.map(Mode::name), "description": "off deploys nothing, observe only reports, plan also records the fix, enforce applies it." });
    let mut properties: Map<String, Value> =
        declarations().iter().map(|(key, it)| (key.clone(), value_schema(it))).collect();
    properties.insert("mode".to_owned(), mode.clone());
    let profiles: Vec<&str> = PROFILES.iter().map(|it| it.name).chain(["all"]).collect();
    let profile = json!({ "enum": profiles, "description": "The controls to deploy, with parameters; docs/frameworks.md lists them." });
    properties.insert("profile".to_owned(), profile);
    let of = |control: &&Entry| {
        let own = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "mode": mode,
                "allowL2": { "type": "boolean", "description": "Whether to apply steps that are reversible but may break access or cost money." },
                "every": { "enum": ["1h", "3h", "6h", "12h", "24h"], "description": "How often the rule evaluates on a schedule." },
                "parameters": parameters(control),
            },
        });
        (control.meta.id.to_owned(), json!({ "description": control.meta.title, "anyOf": [mode, own] }))
    };
    let all: Map<String, Value> = controls.iter().map(of).collect();
    properties
        .insert("controls".to_owned(), json!({ "type": "object", "additionalProperties": false, "properties": all }));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rectify.yaml: what is deployed",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{:#}\n", sorted(schema))
}

fn value_schema(it: &Declaration) -> Value {
    let description = it.description();
    let allowed = it.allowed();
    match it.range() {
        Some((low, high)) => {
            json!({ "description": description, "type": "integer", "minimum": low, "maximum": high })
        }
        None if allowed == ["true", "false"] => json!({ "description": description, "type": "boolean" }),
        // A list or a mapping becomes text: comma-separated, or JSON.
        None if allowed.is_empty() => {
            json!({ "description": description, "type": ["string", "array", "object", "integer"] })
        }
        None => {
            let value = |it: &String| it.parse::<i64>().map_or_else(|_| json!(it), |number| json!(number));
            json!({ "description": description, "enum": allowed.iter().map(value).collect::<Vec<_>>() })
        }
    }
}

fn parameters(control: &Entry) -> Value {
    let described =
        crate::parameter::of(control).into_iter().map(|it| (it.name, json!({ "description": it.description })));
    let mut properties: Map<String, Value> = described.collect();
    for (name, description) in [
        ("homeRegion", "The only region in which a global control is evaluated."),
        ("excludeResources", "Resources that are neither evaluated nor changed, by id or name; * matches any text."),
    ] {
        properties.insert(name.to_owned(), json!({ "description": description }));
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}
