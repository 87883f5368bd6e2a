//! The four flags of block public access.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `PublicAccessBlockConfiguration` of a bucket, an account or an access point. All false where none exists.
///
/// Only [`ignore_public_acls`](Self::ignore_public_acls) and [`restrict_public_buckets`](Self::restrict_public_buckets)
/// affect existing grants; the other two reject new ones (S3 API, `PublicAccessBlockConfiguration`, 2026-11).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Flags {
    /// Rejects requests that would set a public ACL.
    pub block_public_acls: bool,
    /// Disables existing public ACLs.
    pub ignore_public_acls: bool,
    /// Rejects requests that would set a public policy.
    pub block_public_policy: bool,
    /// Disables public and cross-account access through an existing public policy.
    pub restrict_public_buckets: bool,
}

impl Flags {
    /// No flag set.
    pub const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };

    /// Every flag set.
    pub const ALL: Self = Self::ACL_PAIR.or(Self::POLICY_PAIR);

    /// The pair that ends public access through ACLs and prevents new public ACLs.
    pub const ACL_PAIR: Self = Self { block_public_acls: true, ignore_public_acls: true, ..Self::NONE };

    /// The pair that ends public access through policies and prevents new public policies.
    pub const POLICY_PAIR: Self = Self { block_public_policy: true, restrict_public_buckets: true, ..Self::NONE };

    /// Every flag that is set in at least one of the two, as S3 combines the levels.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }

    /// The names of the flags that are set in `required` and not in `self`, sorted.
    pub fn missing(self, required: Self) -> Vec<&'static str> {
        [
            ("BlockPublicAcls", required.block_public_acls && !self.block_public_acls),
            ("BlockPublicPolicy", required.block_public_policy && !self.block_public_policy),
            ("IgnorePublicAcls", required.ignore_public_acls && !self.ignore_public_acls),
            ("RestrictPublicBuckets", required.restrict_public_buckets && !self.restrict_public_buckets),
        ]
        .into_iter()
        .filter_map(|(name, lacks)| lacks.then_some(name))
        .collect()
    }

    /// Parses the lower camel case form of a configuration item. An absent or null flag is off, which is the less safe
    /// value.
    ///
    /// # Errors
    /// [`ShapeError`] when `value` is not an object or a flag is neither boolean nor null.
    pub fn from_item(path: &str, value: &Value) -> Result<Self, ShapeError> {
        let object = value.as_object().ok_or_else(|| ShapeError::new(path, "an object of four flags", value))?;
        let flag = |name: &str| match object.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(set)) => Ok(*set),
            Some(other) => Err(ShapeError::new(format!("{path}.{name}"), "true or false", other)),
        };
        Ok(Self {
            block_public_acls: flag("blockPublicAcls")?,
            ignore_public_acls: flag("ignorePublicAcls")?,
            block_public_policy: flag("blockPublicPolicy")?,
            restrict_public_buckets: flag("restrictPublicBuckets")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_absent_flag_is_off_and_another_type_is_rejected() {
        let read = |value: Value| Flags::from_item("p", &value);
        assert_eq!(read(json!({})), Ok(Flags::NONE));
        assert_eq!(
            read(json!({"blockPublicAcls": true, "ignorePublicAcls": true, "blockPublicPolicy": null})),
            Ok(Flags::ACL_PAIR)
        );
        assert_eq!(
            read(json!({"ignorePublicAcls": "true"})).unwrap_err().to_string(),
            "p.ignorePublicAcls: expected true or false: received `\"true\"`"
        );
        assert!(read(json!("text")).is_err());
    }

    #[test]
    fn levels_combine_flag_by_flag() {
        let all = Flags::ACL_PAIR.or(Flags::POLICY_PAIR);
        assert!(all.block_public_acls && all.ignore_public_acls);
        assert!(all.block_public_policy && all.restrict_public_buckets);
        assert_eq!(all, Flags::ALL);
        assert_eq!(Flags::ACL_PAIR.missing(Flags::ALL), ["BlockPublicPolicy", "RestrictPublicBuckets"]);
        assert_eq!(Flags::NONE.missing(Flags::NONE).len(), 0);
        assert_eq!(Flags::NONE.or(Flags::ACL_PAIR), Flags::ACL_PAIR);
    }
}
