//! The conditions of a statement, and whether they restrict it so that it is not public.
//!
//! The rules are those of "Blocking public access to your Amazon S3 storage", section "The meaning of public" (S3 User
//! Guide), which AWS applies to other services too. `aws:PrincipalAccount`, `aws:PrincipalArn`, `aws:PrincipalOrgPaths`
//! and `aws:SourceOrgID` are treated as fixed-value keys of the same kind; the page does not list them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use rectify_compliance::{AccountId, Arn, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exposure::{ResourceKind, Wildcards};

/// Global condition keys that restrict if all their values are fixed; in lower case, as keys are case-insensitive.
const FIXED_VALUE_KEYS: [&str; 11] = [
    "aws:principalorgid",
    ORG_PATHS,
    "aws:principalaccount",
    "aws:principalarn",
    SOURCE_ARN,
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    SOURCE_ACCOUNT,
    "aws:sourceorgid",
    "aws:userid",
];
const ORG_PATHS: &str = "aws:principalorgpaths";
const SOURCE_ARN: &str = "aws:sourcearn";
const SOURCE_ACCOUNT: &str = "aws:sourceaccount";
const SOURCE_IP: &str = "aws:sourceip";
/// Keys whose value is the account of the caller, or of the resource for which it acts.
const ACCOUNT_KEYS: [&str; 3] = ["aws:principalaccount", SOURCE_ACCOUNT, "aws:sourceowner"];

/// Operators that match a value. With `IfExists` or `ForAllValues:` they also match a request without the key.
const MATCHING: [&str; 5] = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];
const IP_ADDRESS: &str = "ipaddress";

/// Minimum prefix length of networks that restrict.
const MIN_PREFIX_V4: u8 = 8;
const MIN_PREFIX_V6: u8 = 32;

/// One key of a `Condition` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The operator as written, e.g. `ForAnyValue:StringLike`.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// Its values; numbers and booleans as strings.
    pub values: Vec<String>,
}

impl Condition {
    /// Reads `Condition`: values by key by operator. Absent means no conditions.
    ///
    /// # Errors
    /// [`ShapeError`] if it has any other form.
    pub fn list(path: &str, value: Option<&Value>) -> Result<Vec<Self>, ShapeError> {
        let path = format!("{path}.Condition");
        let Some(value) = value else { return Ok(Vec::new()) };
        let operators = value.as_object().ok_or_else(|| ShapeError::new(&*path, "an object of operators", value))?;
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let path = format!("{path}.{operator}");
            let keys = keys.as_object().ok_or_else(|| ShapeError::new(&*path, "an object of keys", keys))?;
            for (key, values) in keys {
                let values = scalars(&format!("{path}.{key}"), values)?;
                conditions.push(Self { operator: operator.clone(), key: key.clone(), values });
            }
        }
        Ok(conditions)
    }

    /// These conditions in the form of a policy document.
    pub(crate) fn json(conditions: &[Self]) -> Value {
        let mut operators: BTreeMap<&str, BTreeMap<&str, &[String]>> = BTreeMap::new();
        for Self { operator, key, values } in conditions {
            operators.entry(operator).or_default().insert(key, values);
        }
        json!(operators)
    }

    /// Whether only specific principals or sources can meet it, in the policy of a resource of this kind. If in doubt,
    /// it does not restrict. One restricting condition of several is enough: all of them must hold.
    pub fn restricts(&self, kind: &ResourceKind) -> bool {
        let operator = self.operator.to_lowercase();
        let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        let is_matching = MATCHING.contains(&operator);
        let key = self.key.to_lowercase();
        let all = |fixed: &dyn Fn(&str) -> bool| !self.values.is_empty() && self.values.iter().all(|it| fixed(it));
        if key == SOURCE_IP {
            return (is_matching || operator == IP_ADDRESS) && all(&is_narrow_network);
        }
        if let Some(own) = kind.keys.iter().find(|it| it.name == key) {
            return is_matching && all(&own.is_fixed);
        }
        let is_known = FIXED_VALUE_KEYS.contains(&key.as_str()) && !kind.ignored_keys.contains(&key.as_str());
        let by_segment = operator.starts_with("arn");
        is_matching && is_known && all(&|it| is_fixed(it) || kind.wildcards.allow(&key, it, by_segment))
    }

    /// Whether it restricts access to `account`.
    pub fn restricts_to_account(&self, account: &AccountId, kind: &ResourceKind) -> bool {
        self.restricts(kind)
            && ACCOUNT_KEYS.contains(&self.key.to_lowercase().as_str())
            && self.values.iter().all(|value| value == account.as_str())
    }

    /// Whether it fixes the account for which a service acts. A bucket's ARN does not: it has no account, and the
    /// bucket name may get another owner.
    pub fn names_source_account(&self, kind: &ResourceKind) -> bool {
        let key = self.key.to_lowercase();
        let account = |value: &String| value.parse().ok().and_then(|it: Arn| it.account());
        let has_account = |value: &String| account(value).is_some_and(|it| AccountId::is_id(it.as_str()));
        self.restricts(kind) && (key == SOURCE_ACCOUNT || (key == SOURCE_ARN && self.values.iter().all(has_account)))
    }
}

impl Wildcards {
    /// Whether a value with a wildcard still restricts. In an ARN the wildcard may follow the account; with
    /// `by_segment` it matches within one segment of the ARN, so that it may also precede the account.
    fn allow(self, key: &str, value: &str, by_segment: bool) -> bool {
        if self == Self::Refused || value.contains("${") {
            return false;
        }
        if key == ORG_PATHS {
            let organization = value.split_once('/').map_or("", |(organization, _)| organization);
            return organization.starts_with("o-") && is_fixed(organization);
        }
        let Ok(arn) = value.parse::<Arn>() else { return false };
        let head = value.strip_suffix(arn.resource()).unwrap_or(value);
        if !by_segment && head.contains(['*', '?']) {
            return false;
        }
        // A bucket name is unique in its partition. The ARNs of access points, jobs and the like have a slash.
        let bucket = match (arn.region(), arn.account()) {
            (None, None) => arn.resource().split('/').next().unwrap_or_default(),
            _ => arn.resource(),
        };
        let is_bucket = arn.service() == "s3" && is_fixed(bucket) && !bucket.contains(['/', ':']);
        is_bucket || arn.account().is_some_and(|it| AccountId::is_id(it.as_str()))
    }
}

/// Whether a condition value has neither a wildcard nor a variable.
pub fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

fn is_narrow_network(value: &str) -> bool {
    let network = value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from));
    match network {
        Ok(IpNet::V4(network)) => network.prefix_len() >= MIN_PREFIX_V4,
        Ok(IpNet::V6(network)) => network.prefix_len() >= MIN_PREFIX_V6,
        Err(_) => false,
    }
}

fn scalars(path: &str, value: &Value) -> Result<Vec<String>, ShapeError> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(ShapeError::new(path, "condition values", value)),
    };
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        other => scalar(other).map(|text| vec![text]),
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
