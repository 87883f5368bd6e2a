//! The requirements for default encryption: parameters, the bucket with its keys, and the call that sets a rule.

use std::collections::BTreeSet;

use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::values::{Flag, Globs};
use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError, parameters};
use rectify_policy::{Condition, Effect, Policy, Statement, pattern};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::bucket::{Identity, OwnedBucket, TYPES};
use crate::resources::encryption::{Algorithm, Rule};

/// `requiredAlgorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RequiredAlgorithm {
    /// Any algorithm.
    #[serde(rename = "any")]
    Any,
    /// S3 managed keys or stronger.
    #[serde(rename = "AES256")]
    Aes256,
    /// KMS or stronger.
    #[serde(rename = "aws:kms")]
    Kms,
    /// Dual-layer KMS.
    #[serde(rename = "aws:kms:dsse")]
    Dsse,
}

parameters! {
    /// The minimum default encryption.
    pub Params, check: Params::names_keys {
        /// The minimum algorithm: `any`, `AES256`, `aws:kms` or `aws:kms:dsse`. Default `any`.
        required_algorithm: RequiredAlgorithm = RequiredAlgorithm::Any,
        /// The allowed keys, a comma-separated list of ARNs, ids and aliases without wildcards; implies `aws:kms`.
        /// Default: any key.
        kms_key_arns: Option<Globs> = None,
        /// Whether the key must be customer managed, so that `aws/s3` does not count; implies `aws:kms`. Default
        /// `false`.
        require_cmk: Flag = Flag(false),
        /// Whether `aws:kms` must use a bucket key. Default `false`.
        require_bucket_key: Flag = Flag(false),
    }
}

impl Params {
    fn names_keys(&self) -> Result<(), String> {
        match self.allowed().iter().find(|key| key.contains(['*', '?'])) {
            Some(key) => Err(format!("kmsKeyArns: expected keys without wildcards: received `{key}`")),
            None => Ok(()),
        }
    }

    /// The minimum algorithm; `None` where any is sufficient.
    pub fn required(&self) -> Option<Algorithm> {
        match self.required_algorithm {
            RequiredAlgorithm::Dsse => Some(Algorithm::Dsse),
            RequiredAlgorithm::Kms => Some(Algorithm::Kms),
            _ if self.keys_matter() => Some(Algorithm::Kms),
            RequiredAlgorithm::Aes256 => Some(Algorithm::Aes256),
            RequiredAlgorithm::Any => None,
        }
    }

    /// The allowed keys as written.
    pub fn allowed(&self) -> &[String] {
        self.kms_key_arns.as_ref().map_or(&[], Globs::patterns)
    }

    /// Whether the verdict depends on the key.
    pub fn keys_matter(&self) -> bool {
        self.require_cmk.0 || self.kms_key_arns.is_some()
    }

    /// Whether a rule with this algorithm must have a bucket key.
    pub fn requires_bucket_key(&self, algorithm: Algorithm) -> bool {
        self.require_bucket_key.0 && algorithm == Algorithm::Kms
    }
}

/// A bucket and its default encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its rule; `None` where it has none.
    pub rule: Option<Rule>,
    /// Whether its policy denies uploads without encryption; evaluated only where no rule sets an algorithm.
    pub refuses_unencrypted: bool,
    /// Its key and the allowed keys; read only where the verdict depends on the key.
    pub keys: Option<Keys>,
    /// Buckets whose server access logs are delivered here, possibly not all; read only by a remediation that would set
    /// KMS encryption.
    #[serde(default)]
    pub log_sources: Option<BTreeSet<String>>,
    /// Buckets whose logging could not be read, possibly not all, each with the operation and its error code.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unreadable_sources: BTreeSet<String>,
}

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Subject {
    /// Whether the bucket key is on.
    pub fn has_bucket_key(&self) -> bool {
        self.rule.as_ref().and_then(|rule| rule.bucket_key_enabled) == Some(true)
    }
}

/// Default encryption as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEncryption {
    /// The bucket.
    pub bucket: Identity,
    /// Its rule; `None` where the item has none.
    pub rule: Option<Rule>,
}

impl Resource for RecordedEncryption {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { bucket: Identity::of_item(item), rule: Rule::from_item(item)? })
    }
}

/// The settings that an item lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// `GetBucketEncryption`, read where the item has no rule.
    #[serde(default)]
    pub rule: Option<Rule>,
    /// `GetBucketPolicy`, read where no rule sets an algorithm.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// `kms:DescribeKey`, read where the verdict depends on the key.
    #[serde(default)]
    pub keys: Option<Keys>,
}

/// The key of a bucket, and the allowed keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// The key that the rule names; `None` where it names none, or the key does not exist.
    pub current: Option<KmsKey>,
    /// The keys of `kmsKeyArns`.
    pub allowed: Vec<KmsKey>,
}

/// Whether a policy denies everyone uploads to the bucket `arn` without an encryption header.
pub fn refuses_unencrypted(policy: Option<&Policy>, arn: &str) -> bool {
    policy.is_some_and(|policy| policy.0.iter().any(|statement| refuses(statement, arn)))
}

fn refuses(statement: &Statement, arn: &str) -> bool {
    statement.effect == Effect::Deny
        && statement.is_for_everyone()
        && statement.actions.any(|it| pattern::covers(&it.to_lowercase(), "s3:putobject"))
        && statement.covers_resource(&format!("{arn}/*"))
        && matches!(statement.conditions.as_slice(), [only] if is_without_encryption(only))
}

/// Whether the condition matches a missing or unknown encryption header. `StringNotEquals` matches a missing header
/// too.
fn is_without_encryption(condition: &Condition) -> bool {
    const KNOWN: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];
    let all = |matches: &dyn Fn(&String) -> bool| !condition.values.is_empty() && condition.values.iter().all(matches);
    condition.key.eq_ignore_ascii_case("s3:x-amz-server-side-encryption")
        && match condition.operator.to_lowercase().as_str() {
            "null" => all(&|value| value == "true"),
            "stringnotequals" => all(&|value| KNOWN.contains(&value.as_str())),
            _ => false,
        }
}

/// Input of `PutBucketEncryption`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutEncryption {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: OwnedBucket,
    /// `ServerSideEncryptionConfiguration`, complete: the API replaces it.
    pub server_side_encryption_configuration: Configuration,
}

/// `ServerSideEncryptionConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    /// `Rules`: exactly one.
    pub rules: Vec<Rule>,
}

impl PutEncryption {
    /// The call that sets this rule on this bucket.
    pub fn of(bucket: &Identity, rule: Rule) -> Self {
        Self { bucket: bucket.owned(), server_side_encryption_configuration: Configuration { rules: vec![rule] } }
    }

    /// The rule.
    pub fn rule(&self) -> Option<&Rule> {
        self.server_side_encryption_configuration.rules.first()
    }
}

/// The calls of the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Sets the rule.
    PutBucketEncryption(PutEncryption),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// Restores the previous rule.
    PutBucketEncryption(PutEncryption),
    /// Removes the rule, where there was none.
    DeleteBucketEncryption(OwnedBucket),
}
