//! What narrows a statement, and whether it narrows enough that the statement is no longer public.
//!
//! The rules are those of "Blocking public access to your Amazon S3 storage", section "The meaning of public" (S3 User
//! Guide). `aws:PrincipalAccount`, `aws:PrincipalArn` and `aws:SourceOrgID` are taken for fixed-value keys of the same
//! kind; the page does not list them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use rectify_compliance::{AccountId, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::policy::Site;

/// Keys that restrict when all their values are fixed; lower case, as keys compare without regard to case.
const FIXED_VALUE_KEYS: [&str; 11] = [
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:userid",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];
const SOURCE_IP: &str = "aws:sourceip";
const ACCESS_POINT_ARN: &str = "s3:dataaccesspointarn";
const ACCESS_POINT_ACCOUNT: &str = "s3:dataaccesspointaccount";
/// Keys whose value is the account of the caller or of the resource it acts for.
const ACCOUNT_KEYS: [&str; 3] = ["aws:principalaccount", "aws:sourceaccount", "aws:sourceowner"];

/// Operators that compare for sameness. Those with `IfExists` let requests without the key pass, `ForAllValues:` too.
const SAMENESS: [&str; 5] = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];
const IP_ADDRESS: &str = "ipaddress";

/// The widest networks that still count as somebody, in prefix bits.
const WIDEST_V4: u8 = 8;
const WIDEST_V6: u8 = 32;

/// One key of a `Condition` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The operator as written, e.g. `ForAnyValue:StringLike`.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// Its values, numbers and booleans as text.
    pub values: Vec<String>,
}

impl Condition {
    /// Reads `Condition`: operators of keys of values. Absent means none.
    ///
    /// # Errors
    /// [`ShapeError`] when it has another form.
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

    /// These conditions as a policy document has them.
    pub(super) fn json(conditions: &[Self]) -> Value {
        let mut operators: BTreeMap<&str, BTreeMap<&str, &[String]>> = BTreeMap::new();
        for Self { operator, key, values } in conditions {
            operators.entry(operator).or_default().insert(key, values);
        }
        serde_json::json!(operators)
    }

    /// Whether only somebody in particular can meet it. In doubt it does not restrict.
    ///
    /// In the policy of an access point every request comes through an access point of that account, so the keys about
    /// access points say nothing there.
    pub fn restricts(&self, site: Site) -> bool {
        let operator = self.operator.to_lowercase();
        let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        let sameness = SAMENESS.contains(&operator);
        let key = self.key.to_lowercase();
        let all = |fixed: fn(&str) -> bool| !self.values.is_empty() && self.values.iter().all(|value| fixed(value));
        match key.as_str() {
            SOURCE_IP => (sameness || operator == IP_ADDRESS) && all(is_narrow_network),
            ACCESS_POINT_ARN => sameness && site == Site::Bucket && all(names_access_point_account),
            ACCESS_POINT_ACCOUNT => sameness && site == Site::Bucket && all(is_fixed),
            key if FIXED_VALUE_KEYS.contains(&key) => sameness && all(is_fixed),
            _ => false,
        }
    }

    /// Whether it lets only `account` itself pass.
    pub fn keeps_to(&self, account: &AccountId, site: Site) -> bool {
        self.restricts(site)
            && ACCOUNT_KEYS.contains(&self.key.to_lowercase().as_str())
            && self.values.iter().all(|value| value == account.as_str())
    }
}

fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

fn is_narrow_network(value: &str) -> bool {
    let network = value.parse::<IpNet>().or_else(|_| value.parse::<IpAddr>().map(IpNet::from));
    match network {
        Ok(IpNet::V4(network)) => network.prefix_len() >= WIDEST_V4,
        Ok(IpNet::V6(network)) => network.prefix_len() >= WIDEST_V6,
        Err(_) => false,
    }
}

/// `arn:<partition>:s3:<region>:<account>:accesspoint/<name>`, in which only the name may be a wildcard.
fn names_access_point_account(value: &str) -> bool {
    let mut parts = value.splitn(6, ':');
    let head_is_fixed = parts.by_ref().take(5).all(is_fixed);
    let tail = parts.next().unwrap_or_default();
    head_is_fixed && (is_fixed(tail) || (tail.starts_with("accesspoint/") && !tail.contains("${")))
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
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::json;

    fn restricts(operator: &str, key: &str, values: Value, site: Site) -> bool {
        let block = json!({operator: {key: values}});
        Condition::list("p", Some(&block)).unwrap().iter().any(|it| it.restricts(site))
    }

    #[test]
    fn a_fixed_value_of_a_known_key_restricts() {
        for (operator, key, values, expected) in [
            ("StringEquals", "aws:SourceVpce", json!("vpce-1"), true),
            ("stringequals", "AWS:sourcevpce", json!(["vpce-1", "vpce-2"]), true),
            ("ForAnyValue:StringLike", "aws:PrincipalOrgID", json!("o-abc"), true),
            ("ArnLike", "aws:SourceArn", json!("arn:aws:sns:eu-west-1:111122223333:t"), true),
            ("StringEqualsIgnoreCase", "aws:PrincipalAccount", json!(111_122_223_333_u64), true),
            ("StringLike", "aws:PrincipalOrgID", json!("o-*"), false),
            ("StringEquals", "aws:SourceVpce", json!(["vpce-1", "vpce-?"]), false),
            ("StringEquals", "aws:userid", json!("AROAEXAMPLEID:*"), false),
            ("StringEquals", "aws:SourceAccount", json!("${aws:PrincipalAccount}"), false),
            ("StringEquals", "aws:SourceVpc", json!([]), false),
            ("StringEqualsIfExists", "aws:SourceVpc", json!("vpc-1"), false),
            ("ForAllValues:StringEquals", "aws:PrincipalOrgID", json!("o-abc"), false),
            ("StringNotEquals", "aws:SourceVpc", json!("vpc-1"), false),
            ("Null", "aws:SourceVpc", json!("false"), false),
            ("Bool", "aws:SecureTransport", json!(true), false),
            ("StringEquals", "aws:Referer", json!("https://example.com/"), false),
            ("IpAddress", "aws:SourceVpc", json!("10.0.0.0/8"), false),
        ] {
            assert_eq!(restricts(operator, key, values.clone(), Site::Bucket), expected, "{operator} {key} {values}");
        }
    }

    #[test]
    fn a_network_restricts_unless_it_is_broader_than_slash_8_or_slash_32() {
        for (values, expected) in [
            (json!("203.0.113.0/24"), true),
            (json!("203.0.113.7"), true),
            (json!(["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"]), true),
            (json!("2001:db8::/32"), true),
            (json!("8.0.0.0/7"), false),
            (json!("0.0.0.0/1"), false),
            (json!("0.0.0.0/0"), false),
            (json!("2001:db8::/31"), false),
            (json!("::/0"), false),
            (json!(["203.0.113.0/24", "0.0.0.0/0"]), false),
            (json!("somewhere"), false),
        ] {
            assert_eq!(restricts("IpAddress", "aws:SourceIp", values.clone(), Site::Bucket), expected, "{values}");
        }
        assert!(!restricts("NotIpAddress", "aws:SourceIp", json!("203.0.113.0/24"), Site::Bucket));
    }

    #[test]
    fn access_point_keys_restrict_a_bucket_policy_only_and_allow_a_wildcard_for_the_name_only() {
        let (arn, account) = ("s3:DataAccessPointArn", "s3:DataAccessPointAccount");
        for (key, value, expected) in [
            (arn, "arn:aws:s3:eu-west-1:111122223333:accesspoint/*", true),
            (arn, "arn:aws:s3:eu-west-1:111122223333:accesspoint/app", true),
            (arn, "arn:aws:s3:eu-west-1:*:accesspoint/app", false),
            (arn, "arn:aws:s3:*:111122223333:accesspoint/app", false),
            (arn, "*", false),
            (account, "111122223333", true),
            (account, "1111*", false),
        ] {
            assert_eq!(restricts("StringLike", key, json!(value), Site::Bucket), expected, "{key} {value}");
            assert!(!restricts("StringLike", key, json!(value), Site::AccessPoint), "{key} {value}");
        }
    }

    #[test]
    fn only_an_account_key_with_this_account_keeps_to_it() {
        let account = AccountId::new("111122223333");
        let keeps = |key: &str, values: &[&str]| {
            let values = values.iter().map(|&it| it.into()).collect();
            Condition { operator: "StringEquals".into(), key: key.into(), values }.keeps_to(&account, Site::Bucket)
        };
        assert!(keeps("aws:PrincipalAccount", &["111122223333"]));
        assert!(!keeps("aws:PrincipalAccount", &["111122223333", "444455556666"]));
        assert!(!keeps("aws:SourceVpce", &["111122223333"]));
    }

    #[test]
    fn a_condition_of_another_form_is_refused() {
        for block in [json!("x"), json!({"StringEquals": "x"}), json!({"StringEquals": {"aws:SourceVpc": {"a": 1}}})] {
            assert!(Condition::list("p", Some(&block)).is_err(), "{block}");
        }
        assert_eq!(Condition::list("p", None), Ok(Vec::new()));
    }
}
