//! Policy statements and their decision about a request, as in IAM: nothing is allowed unless a statement allows it,
//! and a Deny overrides every Allow.
//!
//! Written from the IAM user guide ("Policy evaluation logic", "IAM JSON policy elements", "Multivalued context keys").
//! An unsupported element or operator is an error when the policy is read; a statement is never skipped.

use std::collections::BTreeMap;

use serde_json::Value;
use wildmatch::WildMatch;

/// One IAM request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `service:Action`.
    pub action: String,
    /// The ARN of the resource; `*` if the action has no resource type.
    pub resource: String,
    /// Condition keys with their values; keys are case-insensitive.
    pub context: BTreeMap<String, Vec<String>>,
}

/// The decision of a set of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    NotAllowed,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    allows: bool,
    actions: Matcher,
    resources: Matcher,
    conditions: Vec<Test>,
}

/// Patterns; inverted, everything that they do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Matcher {
    patterns: Vec<String>,
    inverted: bool,
}

/// One key of a condition block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    quantifier: Quantifier,
    operator: Operator,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    Any,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals { negated: bool },
    Like { negated: bool },
    Arn { negated: bool },
    Bool,
    Null,
}

impl Request {
    /// A request without condition keys.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), context: BTreeMap::new() }
    }

    /// Adds a condition key.
    #[must_use]
    pub fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.context.entry(key.to_ascii_lowercase()).or_default().extend(values.into_iter().map(Into::into));
        self
    }
}

/// Decides about a request by these statements.
pub fn decide(statements: &[Statement], request: &Request) -> Decision {
    let mut decision = Decision::NotAllowed;
    for statement in statements.iter().filter(|it| it.applies(request)) {
        if !statement.allows {
            return Decision::Denied;
        }
        decision = Decision::Allowed;
    }
    decision
}

impl Statement {
    /// Reads the statements of a policy document.
    ///
    /// # Errors
    /// An unsupported element, which would lead to a wrong decision.
    pub fn all_of(document: &Value) -> Result<Vec<Self>, String> {
        match document.get("Statement") {
            Some(Value::Array(all)) => all.iter().map(Self::read).collect(),
            Some(one @ Value::Object(_)) => Ok(vec![Self::read(one)?]),
            _ => Err("expected a Statement".to_owned()),
        }
    }

    fn read(statement: &Value) -> Result<Self, String> {
        let members = statement.as_object().ok_or("expected a statement")?;
        const KNOWN: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        if let Some(other) = members.keys().find(|it| !KNOWN.contains(&it.as_str())) {
            return Err(format!("element `{other}` is not supported"));
        }
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            other => return Err(format!("Effect: expected Allow or Deny: received {other:?}")),
        };
        let matcher = |element: &str, inverted: &str| match (members.get(element), members.get(inverted)) {
            (Some(patterns), None) => Ok(Matcher { patterns: texts(patterns)?, inverted: false }),
            (None, Some(patterns)) => Ok(Matcher { patterns: texts(patterns)?, inverted: true }),
            _ => Err(format!("expected {element} or {inverted}")),
        };
        let conditions = match members.get("Condition") {
            None => Vec::new(),
            Some(Value::Object(block)) => {
                let mut tests = Vec::new();
                for (operator, keys) in block {
                    let keys = keys.as_object().ok_or_else(|| format!("{operator}: expected keys"))?;
                    for (key, values) in keys {
                        tests.push(Test::read(operator, key, texts(values)?)?);
                    }
                }
                tests
            }
            Some(other) => return Err(format!("Condition: expected a block: received {other}")),
        };
        let resources = matcher("Resource", "NotResource")?;
        if let Some(bare) = resources.patterns.iter().find(|it| *it != "*" && !it.starts_with("arn:")) {
            return Err(format!("Resource: expected an ARN or `*`: received `{bare}`"));
        }
        Ok(Self { allows, actions: matcher("Action", "NotAction")?, resources, conditions })
    }

    fn applies(&self, request: &Request) -> bool {
        let action = request.action.to_ascii_lowercase();
        self.actions.matches(|pattern| like(&pattern.to_ascii_lowercase(), &action))
            && self.resources.matches(|pattern| like(pattern, &request.resource))
            && self.conditions.iter().all(|it| it.holds(request))
    }
}

impl Matcher {
    fn matches(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|it| matches(it)) != self.inverted
    }
}

impl Test {
    fn read(operator: &str, key: &str, values: Vec<String>) -> Result<Self, String> {
        let (quantifier, name) = match operator.split_once(':') {
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some((other, _)) => return Err(format!("condition `{other}` is not supported")),
            None => (Quantifier::One, operator),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let operator = match name {
            "StringEquals" => Operator::Equals { negated: false },
            "StringNotEquals" => Operator::Equals { negated: true },
            "StringLike" => Operator::Like { negated: false },
            "StringNotLike" => Operator::Like { negated: true },
            "ArnEquals" | "ArnLike" => Operator::Arn { negated: false },
            "ArnNotEquals" | "ArnNotLike" => Operator::Arn { negated: true },
            "Bool" => Operator::Bool,
            "Null" => Operator::Null,
            other => return Err(format!("condition operator `{other}` is not supported")),
        };
        Ok(Self { quantifier, operator, if_exists, key: key.to_ascii_lowercase(), values })
    }

    fn holds(&self, request: &Request) -> bool {
        let given = request.context.get(&self.key).map(Vec::as_slice).unwrap_or_default();
        let (matching, negated): (fn(&str, &str) -> bool, bool) = match self.operator {
            Operator::Null => return self.values.iter().any(|it| (it == "true") == given.is_empty()),
            Operator::Equals { negated } => (|pattern, value| pattern == value, negated),
            Operator::Like { negated } => (like, negated),
            Operator::Arn { negated } => (arn_like, negated),
            Operator::Bool => (str::eq_ignore_ascii_case, false),
        };
        let matches = |value: &String| self.values.iter().any(|pattern| matching(pattern, value)) != negated;
        match self.quantifier {
            _ if given.is_empty() => match self.quantifier {
                Quantifier::All => true,
                Quantifier::Any => self.if_exists,
                Quantifier::One => self.if_exists || negated,
            },
            Quantifier::All => given.iter().all(matches),
            Quantifier::Any | Quantifier::One => given.iter().any(matches),
        }
    }
}

/// Matches the whole text; `*` is any characters, `?` is one.
fn like(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// Matches each of an ARN's six parts by itself; only in the last part may a wildcard match a colon.
fn arn_like(pattern: &str, arn: &str) -> bool {
    let (patterns, members): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == members.len() && patterns.iter().zip(&members).all(|(pattern, member)| like(pattern, member))
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let text = |it: &Value| match it {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(it) => Ok(it.to_string()),
        other => Err(format!("expected a string: received {other}")),
    };
    match value {
        Value::Array(all) => all.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
