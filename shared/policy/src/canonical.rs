//! The canonical form of a policy document, for comparison.
//!
//! AWS does not return a policy as it was put. It returns the members of `Principal`, `Action`, `Resource` and
//! condition values in an order that changes without a write, a list of one as a string, an account id as the ARN of
//! its root user. Two documents are equal here if IAM evaluates them alike and they have the same statements. Calls
//! send the original text, not this form.

use std::collections::BTreeMap;

use rectify_compliance::canonical::sorted;
use rectify_compliance::{AccountId, Arn};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::statement::members;

/// The version of a document without `Version` (IAM User Guide, policy element `Version`).
const DEFAULT_VERSION: &str = "2008-10-17";

/// Prefixes of the unique ids of users and roles. Services return such an id for a principal that was deleted.
const UNIQUE_ID_PREFIXES: [&str; 2] = ["AIDA", "AROA"];

/// A policy document as JSON, equal to every document with the same canonical form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyDocument(pub Value);

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        canonical(&self.0) == canonical(&other.0)
    }
}

/// A deleted principal, and the statement that still names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeletedPrincipal {
    /// The statement's `Sid`, or its effect and actions.
    pub statement: String,
    /// The unique id of the user (`AIDA…`) or role (`AROA…`).
    pub id: String,
}

/// The canonical form of a policy document.
///
/// `Statement` becomes an object of statements by name: the `Sid`, else effect and actions. A duplicate name gets a
/// number, so that duplicate statements are kept. Lists are sorted sets. Actions, condition operators and condition
/// keys are in lower case, as IAM compares them case-insensitively; everything else keeps its case. A value that is not
/// a policy document is returned with its keys sorted.
pub fn canonical(policy: &Value) -> Value {
    let Value::Object(elements) = policy else { return sorted(policy.clone()) };
    let mut form = Map::new();
    form.insert("Version".to_owned(), DEFAULT_VERSION.into());
    for (key, value) in elements {
        let value = if key == "Statement" { by_name(members(value)) } else { sorted(value.clone()) };
        form.insert(key.clone(), value);
    }
    sorted(Value::Object(form))
}

/// The deleted principals in the document. IAM evaluates a statement that names one, but every service rejects such a
/// document in a call (S3: `MalformedPolicy`, "Invalid principal in policy").
pub fn deleted_principals(policy: &Value) -> Vec<DeletedPrincipal> {
    let mut deleted = Vec::new();
    for value in policy.get("Statement").map_or(&[][..], members) {
        let named = ["Principal", "NotPrincipal"].into_iter().filter_map(|key| value.get(key)?.get("AWS"));
        for id in named.flat_map(members).filter_map(Value::as_str).filter(|it| is_deleted(it)) {
            deleted.push(DeletedPrincipal { statement: name(&statement(value)), id: id.to_owned() });
        }
    }
    deleted.sort();
    deleted.dedup();
    deleted
}

fn is_deleted(principal: &str) -> bool {
    let id = principal.split(':').next().unwrap_or_default();
    UNIQUE_ID_PREFIXES.iter().any(|prefix| id.starts_with(prefix)) && id.bytes().all(|it| it.is_ascii_alphanumeric())
}

fn by_name(statements: &[Value]) -> Value {
    let statements = statements.iter().map(statement);
    let mut named: Vec<(String, String, Value)> = statements.map(|it| (name(&it), it.to_string(), it)).collect();
    named.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    let mut form = Map::new();
    for (name, _, statement) in named {
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        if let Some(name) = std::iter::once(name.clone()).chain(numbered).find(|it| !form.contains_key(it)) {
            form.insert(name, statement);
        }
    }
    Value::Object(form)
}

/// A readable name of a statement in canonical form.
fn name(statement: &Value) -> String {
    if let Some(sid) = statement.get("Sid").and_then(Value::as_str) {
        return sid.to_owned();
    }
    let effect = statement.get("Effect").and_then(Value::as_str).unwrap_or_default();
    let (not, actions) = match (statement.get("Action"), statement.get("NotAction")) {
        (None, Some(actions)) => ("not ", members(actions)),
        (actions, _) => ("", actions.map_or(&[][..], members)),
    };
    let actions: Vec<&str> = actions.iter().filter_map(Value::as_str).collect();
    format!("{effect} {not}{}", actions.join(" "))
}

fn statement(value: &Value) -> Value {
    let Value::Object(members) = value else { return sorted(value.clone()) };
    let mut form = Map::new();
    for (key, value) in members {
        let value = match key.as_str() {
            "Principal" | "NotPrincipal" => principals(value),
            "Action" | "NotAction" => set(value, str::to_lowercase),
            "Resource" | "NotResource" => set(value, str::to_owned),
            "Condition" => conditions(value),
            _ => sorted(value.clone()),
        };
        let is_redundant = match key.as_str() {
            "Sid" => value == json!(""),
            "Condition" => value == json!({}) || value.is_null(),
            _ => false,
        };
        if !is_redundant {
            form.insert(key.clone(), value);
        }
    }
    sorted(Value::Object(form))
}

/// `"*"` equals `{"AWS": "*"}` (IAM User Guide, policy element `Principal`, "All principals").
fn principals(value: &Value) -> Value {
    match value {
        Value::String(everyone) if everyone == "*" => json!({ "AWS": ["*"] }),
        Value::Object(kinds) => {
            let of_kind = |(kind, values): (&String, &Value)| {
                let values = if kind == "AWS" { set(values, account_or_self) } else { set(values, str::to_owned) };
                (kind.clone(), values)
            };
            Value::Object(kinds.iter().map(of_kind).collect())
        }
        other => sorted(other.clone()),
    }
}

/// The account id for the ARN of its root user, `arn:<partition>:iam::<account>:root`; other principals unchanged.
fn account_or_self(principal: &str) -> String {
    let root = Arn::of(principal, "iam").filter(|it| it.resource() == "root" && it.region().is_none());
    let account = root.and_then(|it| it.account()).filter(|it| AccountId::is_id(it.as_str()));
    account.map_or_else(|| principal.to_owned(), |it| it.to_string())
}

fn conditions(value: &Value) -> Value {
    let Value::Object(operators) = value else { return sorted(value.clone()) };
    let of_operator = |operator: &str, keys: &Value| {
        let Value::Object(members) = keys else { return sorted(keys.clone()) };
        let kind = operator.rsplit(':').next().unwrap_or_default().to_lowercase();
        let without_case = kind.starts_with("bool") || kind.starts_with("null");
        let spelled = |it: &str| if without_case { it.to_lowercase() } else { it.to_owned() };
        lower_keys(members, |_, values| set(values, spelled))
    };
    let mut form = lower_keys(operators, of_operator);
    if let Some(form) = form.as_object_mut() {
        form.retain(|_, keys| *keys != json!({}));
    }
    form
}

/// An object with its keys in lower case, except keys that differ only in case: neither may overwrite the other.
fn lower_keys(members: &Map<String, Value>, value: impl Fn(&str, &Value) -> Value) -> Value {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for key in members.keys() {
        *times.entry(key.to_lowercase()).or_default() += 1;
    }
    let renamed = members.iter().map(|(key, inner)| {
        let lower = key.to_lowercase();
        let name = if times.get(&lower) == Some(&1) { lower } else { key.clone() };
        (name, value(key, inner))
    });
    Value::Object(renamed.collect())
}

/// A string or a list as a sorted list without duplicates; numbers and booleans as strings.
fn set(value: &Value, spelled: impl Fn(&str) -> String) -> Value {
    let text = |value: &Value| match value {
        Value::String(text) => Value::String(spelled(text)),
        Value::Bool(_) | Value::Number(_) => Value::String(spelled(&value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => sorted(value.clone()),
    };
    let members: BTreeMap<String, Value> =
        members(value).iter().map(text).map(|member| (member.to_string(), member)).collect();
    Value::Array(members.into_values().collect())
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
