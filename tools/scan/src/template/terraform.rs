//! A plan of Terraform, `terraform show -json`: its resources with CloudFormation's names for their properties, so that
//! the same tables apply.
//!
//! What a plan calls "known after apply" is unknown, unless the configuration gives it the name of a resource of the
//! plan, or gives it nothing: then the provider leaves it to the service, whose default is in the tables.

mod shapes;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::cloudformation::Template;
use super::companions::{self, within};
use super::intrinsics::Names;
use super::{Declared, Gap, Opening, Target, Unread};
use types::{Attribute, Shape, Type};

/// The deepest nesting of modules.
const DEEPEST: usize = 64;

/// A resource as the plan has it.
struct Planned<'a> {
    address: &'a str,
    kind: &'static Type,
    values: &'a Value,
    unknown: &'a Value,
    /// The expressions of its attributes.
    expressions: &'a Value,
    /// The address of its module with a dot, or nothing.
    module: String,
    /// `[0]`, `["a"]`, or nothing.
    index: String,
}

/// Reads a plan.
///
/// # Errors
/// Why the text is not a plan.
pub fn read(text: &str, target: &Target) -> Result<Template, String> {
    const EXPECTED: &str = "expected a plan, as `terraform show -json` prints it";
    let plan: Value = serde_json::from_str(text).map_err(|error| format!("{EXPECTED}: {error}"))?;
    let version = plan.get("format_version").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("1.") {
        return Err(format!("{EXPECTED}, with format_version 1: received `{version}`"));
    }
    let root = plan.pointer("/planned_values/root_module");
    let root = root.ok_or_else(|| format!("{EXPECTED}: received no planned_values"))?;
    let mut unknown: BTreeMap<&str, &Value> = BTreeMap::new();
    for change in plan.get("resource_changes").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(address), Some(after)) =
            (change.get("address").and_then(Value::as_str), change.pointer("/change/after_unknown"))
        {
            unknown.insert(address, after);
        }
    }
    let configuration = plan.pointer("/configuration/root_module").unwrap_or(&Value::Null);
    let mut template = Template::default();
    let mut planned = Vec::new();
    collect(root, configuration, &unknown, 0, &mut planned, &mut template.unread);
    let names: BTreeMap<&str, Names> = planned.iter().map(|it| (it.address, names(it, target))).collect();
    template.resources = planned.iter().flat_map(|it| declared(it, &names)).collect();
    companions::join(&mut template.resources);
    Ok(template)
}

/// The resources of a module and of the modules in it.
fn collect<'a>(
    module: &'a Value,
    configuration: &'a Value,
    unknown: &BTreeMap<&str, &'a Value>,
    depth: usize,
    planned: &mut Vec<Planned<'a>>,
    unread: &mut Vec<Unread>,
) {
    let text = |value: &'a Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let here = text(module, "address");
    let list = |value: &'a Value, key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
    for resource in list(module, "resources").filter(|it| text(it, "mode") != "data") {
        let (address, name) = (text(resource, "address"), text(resource, "name"));
        let Some(kind) = types::find(text(resource, "type")) else { continue };
        let base = format!("{}.{name}", kind.terraform);
        let mut declarations = list(configuration, "resources");
        let expressions = declarations.find(|it| text(it, "address") == base).and_then(|it| it.get("expressions"));
        planned.push(Planned {
            address,
            kind,
            values: resource.get("values").unwrap_or(&Value::Null),
            unknown: unknown.get(address).copied().unwrap_or(&Value::Null),
            expressions: expressions.unwrap_or(&Value::Null),
            module: if here.is_empty() { String::new() } else { format!("{here}.") },
            index: address.rsplit_once(&base).map_or_else(String::new, |(_, index)| index.to_owned()),
        });
    }
    for child in list(module, "child_modules") {
        let address = text(child, "address");
        if depth >= DEEPEST {
            let reason = format!("expected at most {DEEPEST} levels of modules: received more");
            unread.push(Unread { kind: "*".to_owned(), id: address.to_owned(), line: None, reason });
            continue;
        }
        // `module.a["x"].module.b[0]` is the call `b`.
        let local = address.strip_prefix(here).unwrap_or(address).trim_start_matches('.');
        let call = local.strip_prefix("module.").unwrap_or(local).split('[').next().unwrap_or_default();
        let call = configuration.get("module_calls").and_then(|it| it.get(call)).and_then(|it| it.get("module"));
        collect(child, call.unwrap_or(&Value::Null), unknown, depth + 1, planned, unread);
    }
}

/// The name that the plan knows, or else the address.
fn names(planned: &Planned<'_>, target: &Target) -> Names {
    let name = planned.values.pointer(planned.kind.name).and_then(Value::as_str).filter(|it| !it.is_empty());
    super::cloudformation::names_of(planned.kind.template, name.unwrap_or(planned.address), target)
}

/// The resources that a planned one is: a rule with several networks is several rules.
fn declared(planned: &Planned<'_>, names: &BTreeMap<&str, Names>) -> Vec<Declared> {
    let mut properties = Map::new();
    let mut openings = Vec::new();
    let mut open = Vec::new();
    paths(planned.unknown, String::new(), 0, &mut open);
    for Attribute { from, to } in planned.kind.attributes {
        let value = planned.values.pointer(from).filter(|it| !it.is_null());
        if let Some(value) = value {
            put(&mut properties, to, value.clone());
        }
        for path in open.iter().filter(|path| within(path, from) || within(from, path)) {
            let Some(references) = references(planned.expressions, path) else { continue };
            let known = references.iter().find_map(|it| resource_of(it, planned, names));
            match (known, path == from) {
                (Some(names), true) => {
                    put(&mut properties, to, Value::from(named(&references, names)));
                    openings.push(Opening { path: (*to).to_owned(), gap: Gap::Reference });
                }
                (Some(_), false) if within(path, from) => {
                    let rest = path.strip_prefix(from).unwrap_or_default();
                    openings.push(Opening { path: format!("{to}{rest}"), gap: Gap::Reference });
                }
                (Some(_), false) | (None, _) => {
                    let source = references.first().cloned().unwrap_or_else(|| "known after apply".to_owned());
                    let rest = path.strip_prefix(from).unwrap_or_default();
                    openings.push(Opening { path: format!("{to}{rest}"), gap: Gap::Unknown(source) });
                }
            }
        }
    }
    let names = names.get(planned.address).cloned();
    let names = names.unwrap_or_else(|| Names::plain(planned.address));
    let one = |properties: Value, openings: Vec<Opening>| Declared {
        kind: planned.kind.template.to_owned(),
        id: planned.address.to_owned(),
        line: None,
        properties,
        openings,
        names: names.clone(),
    };
    match planned.kind.shape {
        Shape::One => vec![one(Value::Object(properties), openings)],
        Shape::Group => {
            let (properties, openings) = shapes::group(properties, openings);
            vec![one(properties, openings)]
        }
        Shape::Rule => shapes::rules(&properties, openings).into_iter().map(|(it, open)| one(it, open)).collect(),
        Shape::Changed(change) => {
            change(&mut properties);
            vec![one(Value::Object(properties), openings)]
        }
    }
}

/// The paths that are known after apply.
fn paths(unknown: &Value, path: String, depth: usize, found: &mut Vec<String>) {
    match unknown {
        Value::Bool(true) => found.push(path),
        Value::Array(list) if depth < DEEPEST => {
            for (at, item) in list.iter().enumerate() {
                paths(item, format!("{path}/{at}"), depth + 1, found);
            }
        }
        Value::Object(members) if depth < DEEPEST => {
            for (key, member) in members {
                paths(member, format!("{path}/{key}"), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// What the expression at a path refers to; `None` if the configuration has none, so that the service decides.
fn references(expressions: &Value, path: &str) -> Option<Vec<String>> {
    // Without a configuration every unknown value counts as given.
    if expressions.is_null() {
        return Some(Vec::new());
    }
    let mut at = expressions;
    for key in path.split('/').skip(1) {
        let next = match at {
            Value::Array(list) => key.parse::<usize>().ok().and_then(|it| list.get(it)).or_else(|| list.first()),
            other => other.get(key),
        };
        match next {
            Some(next) => at = next,
            // An element of a list that is one expression.
            None if at.get("references").is_some() || at.get("constant_value").is_some() => break,
            None => return None,
        }
    }
    let mut found = Vec::new();
    gather(at, 0, &mut found);
    Some(found)
}

fn gather(expression: &Value, depth: usize, found: &mut Vec<String>) {
    if let Some(references) = expression.get("references").and_then(Value::as_array) {
        found.extend(references.iter().filter_map(Value::as_str).map(str::to_owned));
    } else if depth < DEEPEST {
        match expression {
            Value::Array(list) => list.iter().for_each(|it| gather(it, depth + 1, found)),
            Value::Object(members) => members.values().for_each(|it| gather(it, depth + 1, found)),
            _ => {}
        }
    }
}

/// The resource of the plan that a reference names: with its own index, that of the resource, or none.
fn resource_of<'n>(reference: &str, planned: &Planned<'_>, names: &'n BTreeMap<&str, Names>) -> Option<&'n Names> {
    let mut parts = reference.splitn(3, '.');
    let (kind, name) = (parts.next()?, parts.next()?);
    types::find(kind)?;
    let address = format!("{}{kind}.{name}", planned.module);
    let candidates: BTreeSet<String> = [address.clone(), format!("{address}{}", planned.index)].into();
    candidates.iter().find_map(|it| names.get(it.as_str()))
}

/// The ARN, if that is what the references read; the name otherwise.
fn named<'n>(references: &[String], names: &'n Names) -> &'n str {
    if references.iter().any(|it| it.ends_with(".arn")) { &names.arn } else { &names.reference }
}

/// Sets a member at a pointer of objects.
fn put(properties: &mut Map<String, Value>, pointer: &str, value: Value) {
    let mut keys: Vec<&str> = pointer.split('/').skip(1).collect();
    let Some(last) = keys.pop() else { return };
    let mut at = properties;
    for key in keys {
        let next = at.entry(key).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else { return };
        at = next;
    }
    at.insert(last.to_owned(), value);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
