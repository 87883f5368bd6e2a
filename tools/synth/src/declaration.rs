//! The values of the stack as CloudFormation declares parameters: type, default, allowed values, range and pattern.
//!
//! Most are parameters of the root template, which a deployment can override. Values that only tune a function are
//! constants: `rectify.yaml` alone sets them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rectify_compliance::nearest;
use serde_yaml_ng::Value;

/// The declarations of the root template's parameters.
pub(crate) const PARAMETERS: &str = include_str!("template/parameters.yaml");
/// The declarations of the constants.
const CONSTANTS: &str = include_str!("template/constants.yaml");

/// One value of the stack.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Its name in a template, e.g. `MaxFixesPerHour`.
    pub name: String,
    /// Whether only `rectify.yaml` sets it.
    pub is_constant: bool,
    declared: Value,
}

static DECLARATIONS: LazyLock<BTreeMap<String, Declaration>> = LazyLock::new(|| {
    [(PARAMETERS, false), (CONSTANTS, true)]
        .into_iter()
        .flat_map(|(text, is_constant)| read(text, is_constant))
        .map(|it| (it.key(), it))
        .collect()
});

fn read(text: &str, is_constant: bool) -> Vec<Declaration> {
    let all: BTreeMap<String, Value> = serde_yaml_ng::from_str(text).unwrap_or_default();
    all.into_iter().map(|(name, declared)| Declaration { name, is_constant, declared }).collect()
}

/// Every value, by its key in `rectify.yaml`.
pub fn declarations() -> &'static BTreeMap<String, Declaration> {
    &DECLARATIONS
}

impl Declaration {
    /// Its key in `rectify.yaml`: the name with a lower-case first letter.
    #[must_use]
    pub fn key(&self) -> String {
        let mut letters = self.name.chars();
        letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
    }

    /// The default.
    #[must_use]
    pub fn default(&self) -> String {
        self.declared.get("Default").and_then(scalar).unwrap_or_default()
    }

    /// Meaning, unit and range.
    #[must_use]
    pub fn description(&self) -> &str {
        self.declared.get("Description").and_then(Value::as_str).unwrap_or_default()
    }

    /// The allowed values; empty if a range or a pattern decides.
    #[must_use]
    pub fn allowed(&self) -> Vec<String> {
        let allowed = self.declared.get("AllowedValues").and_then(Value::as_sequence);
        allowed.into_iter().flatten().filter_map(scalar).collect()
    }

    /// The allowed range of a number.
    #[must_use]
    pub fn range(&self) -> Option<(i64, i64)> {
        let bound = |name: &str| self.declared.get(name).and_then(Value::as_i64);
        Some((bound("MinValue")?, bound("MaxValue")?))
    }

    /// The maximum length of a text, characters.
    #[must_use]
    pub fn max_length(&self) -> Option<u64> {
        self.declared.get("MaxLength").and_then(Value::as_u64)
    }

    /// The pattern that a text must match as a whole.
    #[must_use]
    pub fn pattern(&self) -> Option<&str> {
        self.declared.get("AllowedPattern").and_then(Value::as_str)
    }

    /// Checks a value as CloudFormation does.
    ///
    /// # Errors
    /// The expected and the received value.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let allowed = self.allowed();
        if !allowed.is_empty() && !allowed.iter().any(|it| it == value) {
            let near = nearest(value, allowed.iter().map(String::as_str));
            let near = near.map(|it| format!(": did you mean `{it}`")).unwrap_or_default();
            return Err(format!("expected one of {}: received `{value}`{near}", allowed.join(", ")));
        }
        if let Some((low, high)) = self.range()
            && !value.parse::<i64>().is_ok_and(|it| (low..=high).contains(&it))
        {
            return Err(format!("expected a whole number, {low} to {high}: received `{value}`"));
        }
        let length = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
        if let Some(most) = self.max_length().filter(|most| length > *most) {
            return Err(format!("expected at most {most} characters: received {length}"));
        }
        let Some(pattern) = self.pattern() else { return Ok(()) };
        let matches = regex_lite::Regex::new(&format!("^(?s:{pattern})$")).is_ok_and(|it| it.is_match(value));
        if matches {
            return Ok(());
        }
        let expected = self.declared.get("ConstraintDescription").and_then(Value::as_str).unwrap_or(pattern);
        Err(format!("expected {expected}: received `{value}`"))
    }
}

/// A scalar as text, as CloudFormation converts it.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(it) => Some(it.clone()),
        Value::Number(it) => Some(it.to_string()),
        Value::Bool(it) => Some(it.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_read_and_its_default_is_allowed() {
        let lines = |text: &str| text.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).count();
        assert_eq!(declarations().len(), lines(PARAMETERS) + lines(CONSTANTS));
        for (key, declaration) in declarations() {
            assert_eq!(declaration.check(&declaration.default()), Ok(()), "{key}");
            assert!(declaration.description().len() > 15, "{key}");
        }
    }

    #[test]
    fn a_value_is_checked_as_cloudformation_does() {
        for (key, value, expected) in [
            ("maxFixesPerHour", "1001", Err("expected a whole number, 0 to 1000: received `1001`")),
            ("maxFixesPerHour", "five", Err("expected a whole number, 0 to 1000: received `five`")),
            ("maxFixesPerHour", "0", Ok(())),
            ("exemptions", "ledgr", Err("expected one of ledger, none: received `ledgr`: did you mean `ledger`")),
            ("prefix", "1-", Err("expected 1 to 14 letters, digits and hyphens, the first a letter: received `1-`")),
            ("prefix", "a-", Ok(())),
            ("accountModes", "{", Err("expected a JSON object: received `{`")),
            ("accountModes", "{\n}", Ok(())),
            ("graceMinutes", "15", Ok(())),
            ("graceMinutes", "soon", Err("expected a whole number, or a JSON object: received `soon`")),
        ] {
            assert_eq!(declarations()[key].check(value), expected.map_err(str::to_owned), "{key}");
        }
        let long = declarations()["accountModes"].check(&format!("{{{}}}", " ".repeat(1_024)));
        assert_eq!(long, Err("expected at most 1024 characters: received 1026".to_owned()));
    }
}
