//! The template document: its sections, and its parameters with their values for one deployment.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::StackError;

/// The deployment that a template is resolved for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// 12 digits.
    pub account: String,
    /// E.g. `us-east-1`.
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The stack's name, part of the names that CloudFormation generates.
    pub stack: String,
    /// Parameter values; other parameters keep their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// A resource with unresolved condition and properties.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) kind: String,
    pub(super) condition: Option<String>,
    pub(super) properties: Value,
}

#[derive(Debug)]
pub(super) struct Template {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) conditions: BTreeMap<String, Value>,
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) outputs: BTreeMap<String, Value>,
    /// `Globals.Function`: the default properties of every function.
    pub(super) function_globals: Value,
}

impl Template {
    pub(super) fn parse(text: &str, deployment: &Deployment) -> Result<Self, StackError> {
        let yaml: Yaml = serde_yaml_ng::from_str(text).map_err(|error| StackError::Template(error.to_string()))?;
        let Value::Object(root) = plain(&yaml)? else {
            return Err(StackError::Template("expected a mapping at the top".to_owned()));
        };
        let section = |name: &str| match root.get(name) {
            None => Ok(Map::new()),
            Some(Value::Object(section)) => Ok(section.clone()),
            Some(_) => Err(StackError::Template(format!("`{name}`: expected a mapping"))),
        };
        let mut resources = BTreeMap::new();
        for (id, resource) in section("Resources")? {
            resources.insert(id.clone(), parse_resource(&id, &resource)?);
        }
        if resources.is_empty() {
            return Err(StackError::Template("no `Resources`".to_owned()));
        }
        let function_globals =
            section("Globals")?.get("Function").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let parameters = parameter_values(&section("Parameters")?, deployment)?;
        let (conditions, outputs) = (section("Conditions")?, section("Outputs")?);
        Ok(Self {
            parameters,
            conditions: conditions.into_iter().collect(),
            resources,
            outputs: outputs.into_iter().collect(),
            function_globals,
        })
    }
}

fn parse_resource(id: &str, resource: &Value) -> Result<Resource, StackError> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = text("Type").ok_or_else(|| StackError::Property {
        resource: id.to_owned(),
        property: "Type".to_owned(),
        why: "expected a string".to_owned(),
    })?;
    let properties = resource.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    Ok(Resource { kind, condition: text("Condition"), properties })
}

/// Converts YAML with short tags to CloudFormation's JSON: `!Sub x` is `{"Fn::Sub": "x"}`.
fn plain(yaml: &Yaml) -> Result<Value, StackError> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(it) => Value::Bool(*it),
        Yaml::Number(it) => serde_json::to_value(it).map_err(|error| StackError::Template(error.to_string()))?,
        Yaml::String(it) => Value::String(it.clone()),
        Yaml::Sequence(all) => Value::Array(all.iter().map(plain).collect::<Result<_, _>>()?),
        Yaml::Mapping(all) => {
            let mut object = Map::new();
            for (key, value) in all {
                let key = match plain(key)? {
                    Value::String(text) => text,
                    Value::Null | Value::Array(_) | Value::Object(_) => {
                        return Err(StackError::Template("a key is not a string".to_owned()));
                    }
                    scalar => scalar.to_string(),
                };
                object.insert(key, plain(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let key = if matches!(name, "Ref" | "Condition") { name.to_owned() } else { format!("Fn::{name}") };
            let value = match (name, plain(&tagged.value)?) {
                // `!GetAtt A.B.C` is `["A", "B.C"]`: only the first dot separates.
                ("GetAtt", Value::String(path)) => {
                    let (id, attribute) = path.split_once('.').unwrap_or((&path, ""));
                    Value::from(vec![id, attribute])
                }
                (_, value) => value,
            };
            Value::Object(Map::from_iter([(key, value)]))
        }
    })
}

fn parameter_values(
    declared: &Map<String, Value>,
    deployment: &Deployment,
) -> Result<BTreeMap<String, Value>, StackError> {
    let given = &deployment.parameters;
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(StackError::Parameter {
            name: unknown.clone(),
            why: "the template has no such parameter".to_owned(),
        });
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let refuse = |why: String| StackError::Parameter { name: name.clone(), why };
        let value = match (given.get(name), declaration.get("Default")) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => text(default).ok_or_else(|| refuse("its default is not a scalar".to_owned()))?,
            (None, None) => return Err(refuse("no value and no default".to_owned())),
        };
        check(declaration, &value).map_err(refuse)?;
        let kind = declaration.get("Type").and_then(Value::as_str).unwrap_or_default();
        let value = if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            Value::from(value.split(',').map(|member| member.trim().to_owned()).collect::<Vec<_>>())
        } else {
            Value::String(value)
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// Checks the constraints of a declaration except `AllowedPattern`, which CloudFormation checks: a regular expression
/// engine is not worth one check.
fn check(declaration: &Value, value: &str) -> Result<(), String> {
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(text).collect();
        if !allowed.iter().any(|it| it == value) {
            return Err(format!("expected one of {}: received `{value}`", allowed.join(", ")));
        }
    }
    let bound = |name: &str| declaration.get(name).and_then(text).and_then(|it| it.parse::<f64>().ok());
    if declaration.get("Type").and_then(Value::as_str) == Some("Number") {
        let number: f64 = value.parse().map_err(|_| format!("expected a number: received `{value}`"))?;
        if bound("MinValue").is_some_and(|min| number < min) || bound("MaxValue").is_some_and(|max| number > max) {
            return Err(format!("out of the template's range: received `{value}`"));
        }
    }
    let length = f64::from(u32::try_from(value.chars().count()).unwrap_or(u32::MAX));
    if bound("MinLength").is_some_and(|min| length < min) || bound("MaxLength").is_some_and(|max| length > max) {
        return Err(format!("{length} characters: out of the template's range"));
    }
    Ok(())
}

/// Converts a scalar to a string as CloudFormation does.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(it) => Some(it.clone()),
        Value::Number(it) => Some(it.to_string()),
        Value::Bool(it) => Some(it.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
